import type { Run } from '../engine/run.ts';
import { guardNew } from '../maintenance/guard.ts';
import type { SpaceRole } from '../model/kubeflex-names.ts';
import { createIts } from '../spaces/create/create-its.ts';
import { createWds } from '../spaces/create/create-wds.ts';
import { listSpaces } from '../spaces/list-spaces.ts';
import type { SpaceResult } from '../spaces/space-result.ts';
import type { SpaceTools } from '../spaces/tools.ts';
import type { Fleet } from './file/read.ts';

/** What becomes of a space of the file. The fields are an interface: docs/output.md. */
export interface SpacePlan {
  role: SpaceRole;
  name: string;
  action: 'create' | 'resume' | 'unchanged';
}

/** Compares the spaces of a file with those of the hosting cluster. @throws StellarError `not-a-hosting-cluster` */
export async function planSpaces({ its, wds }: Fleet, tools: SpaceTools): Promise<SpacePlan[]> {
  const plan = async (role: SpaceRole, wanted: readonly { name: string }[]): Promise<SpacePlan[]> => {
    if (wanted.length === 0) return [];
    const present = await listSpaces(role, tools);
    return wanted.map(({ name }) => {
      const found = present.find((space) => space.name === name);
      return { role, name, action: found === undefined ? 'create' : found.ready ? 'unchanged' : 'resume' };
    });
  };
  return [...(await plan('its', its)), ...(await plan('wds', wds))];
}

/** Creates what is missing, ITSes first, and stops at the first failure. An error is in its result. */
export async function createSpaces(
  { its, wds }: Fleet,
  plans: readonly SpacePlan[],
  tools: SpaceTools,
  run: Run,
): Promise<SpaceResult[]> {
  const isOpen = (role: SpaceRole, name: string) =>
    plans.some((plan) => plan.role === role && plan.name === name && plan.action !== 'unchanged');
  const work = [
    ...its
      .filter(({ name }) => isOpen('its', name))
      .map(({ name, type = 'vcluster' }) => {
        const input = { name, type, installOcm: true, external: undefined };
        return () => createIts(input, tools, run);
      }),
    ...wds
      .filter(({ name }) => isOpen('wds', name))
      .map(({ name, type = 'k8s', its: itsName, guard }) => async () => {
        const result = await createWds({ name, type, itsName, apiGroups: [] }, tools, run);
        if (!guard || result.error !== undefined || run.dryRun) return result;
        const { error } = await guardNew(name, tools, run);
        return error === undefined ? result : { ...result, error };
      }),
  ];
  const results: SpaceResult[] = [];
  for (const create of work) {
    results.push(await create());
    if (results.at(-1)?.error !== undefined) break;
  }
  return results;
}
