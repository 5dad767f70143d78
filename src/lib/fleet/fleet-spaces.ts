import type { Confirm } from '../core/read-confirmed.ts';
import type { Run } from '../core/run.ts';
import { guardNew } from '../maintenance/guard-wds.ts';
import { type RepairEffects, repairSpace } from '../maintenance/repair-space.ts';
import type { SpaceRole } from '../ocm/model/kubeflex-names.ts';
import { createIts } from '../spaces/create-its.ts';
import { createWds } from '../spaces/create-wds.ts';
import type { SpaceTools } from '../spaces/hosting/hosting.ts';
import { listSpaces } from '../spaces/list-spaces.ts';
import type { SpaceResult } from '../spaces/space-work.ts';
import type { Fleet } from './fleet-file.ts';

/** What becomes of a space of the file. The fields are an interface: docs/output.md. */
export interface SpacePlan {
  role: SpaceRole;
  name: string;
  action: 'create' | 'resume' | 'change' | 'unchanged';
  /** Of a WDS: its ITS, if the file gives another one. */
  from?: string | null;
  to?: string;
}

/** Compares the spaces of a file with those of the hosting cluster. @throws StellarError `not-a-hosting-cluster` */
export async function planSpaces({ its, wds }: Fleet, tools: SpaceTools): Promise<SpacePlan[]> {
  const plan = async (
    role: SpaceRole,
    wanted: readonly { name: string; its?: string }[],
  ): Promise<SpacePlan[]> => {
    if (wanted.length === 0) return [];
    const present = await listSpaces(role, tools);
    return wanted.map(({ name, its: to }): SpacePlan => {
      const found = present.find((space) => space.name === name);
      const { its: from = null } = found ?? {};
      if (found !== undefined && to !== undefined && to !== from)
        return { role, name, action: 'change', from, to };
      return {
        role,
        name,
        action: found === undefined ? 'create' : found.ready ? 'unchanged' : 'resume',
      };
    });
  };
  return [...(await plan('its', its)), ...(await plan('wds', wds))];
}

/**
 * Creates what is missing, ITSes first, then gives WDSes their ITS, and stops at the first failure. An error is in its result.
 * @param confirm asks about what the repair of a space replaces or leaves behind
 */
export async function createSpaces(
  { its, wds }: Fleet,
  plans: readonly SpacePlan[],
  confirm: (name: string) => Confirm<RepairEffects>,
  tools: SpaceTools,
  run: Run,
): Promise<SpaceResult[]> {
  const isOpen = (role: SpaceRole, name: string) =>
    plans.some(
      (plan) =>
        plan.role === role && plan.name === name && ['create', 'resume'].includes(plan.action),
    );
  const change = ({ name, role, to }: SpacePlan) =>
    repairSpace({ name, role, itsName: to, confirm: confirm(name) }, tools, run);
  const work = [
    ...its
      .filter(({ name }) => isOpen('its', name))
      .map(
        ({ name, type = 'vcluster' }) =>
          () =>
            createIts({ name, type, installOcm: true, external: undefined }, tools, run),
      ),
    ...wds
      .filter(({ name }) => isOpen('wds', name))
      .map(({ name, type = 'k8s', its: itsName, guard }) => async () => {
        const result = await createWds({ name, type, itsName, apiGroups: [] }, tools, run);
        if (!guard || result.error !== undefined || run.dryRun) return result;
        const { error } = await guardNew(name, tools, run);
        return error === undefined ? result : { ...result, error };
      }),
    ...plans.filter(({ action }) => action === 'change').map((plan) => () => change(plan)),
  ];
  const results: SpaceResult[] = [];
  for (const create of work) {
    results.push(await create());
    if (results.at(-1)?.error !== undefined) break;
  }
  return results;
}
