import { command } from '../../engine/command-line.ts';
import { count } from '../../engine/counts.ts';
import { StellarError } from '../../engine/errors.ts';
import type { Run } from '../../engine/run.ts';
import { requireHosting } from '../../hosting/hosting.ts';
import { ifSeen, through, whyUnseen } from '../../kube/access.ts';
import { resources } from '../../kube/resources.ts';
import type { ManagedCluster } from '../../wecs/objects.ts';
import { contextsOf, openSpace } from '../access.ts';
import { adoptedAccount } from '../create/bootstrap.ts';
import { checkSpaceName } from '../create/find-existing.ts';
import { forgetIts } from '../its-use.ts';
import type { ControlPlane } from '../objects.ts';
import type { SpaceResult } from '../space-result.ts';
import { itsOfWds, listControlPlanes, roleOf, typeOf } from '../spaces.ts';
import type { SpaceTools } from '../tools.ts';
import { contextsToRemove, deleteSpace, refuseOtherRole, type SpaceToDelete } from './delete-space.ts';

/** What hangs on an ITS that is to be deleted. */
export interface ItsToDelete extends SpaceToDelete {
  /** The context that leads to it. */
  context: string;
  /** The WECs that are registered with it; undefined where it could not be asked. */
  wecs: readonly string[] | undefined;
  /** Why it could not be asked. */
  unseen: string | undefined;
  /** The WDSes that send their workloads through it. */
  wdses: readonly string[];
}

/** @throws StellarError `name-taken` where the name is that of something else */
export async function inspectIts(name: string, tools: SpaceTools): Promise<ItsToDelete> {
  checkSpaceName(name);
  const { hosting } = tools;
  await requireHosting(hosting);
  const all = (await listControlPlanes(hosting)) ?? [];
  const controlPlane = all.find(({ metadata }) => metadata.name === name);
  if (controlPlane !== undefined) refuseOtherRole(controlPlane, 'its', hosting);
  const wdses = all
    .filter((other) => roleOf(other) === 'wds' && itsOfWds(other.metadata.name, all)?.metadata.name === name)
    .map(({ metadata }) => metadata.name);
  const { wecs, unseen } =
    controlPlane === undefined ? { wecs: [], unseen: undefined } : await wecsOf(controlPlane, tools);
  const [context = name] = contextsOf(tools.kubeconfig, name, hosting.cluster.context);
  return { name, role: 'its', hosting: hosting.cluster.context, context, controlPlane, wecs, unseen, wdses };
}

async function wecsOf(controlPlane: ControlPlane, tools: SpaceTools): Promise<Pick<ItsToDelete, 'wecs' | 'unseen'>> {
  const wecs = await through(
    await openSpace(controlPlane, tools),
    async (its) => (await its.list<ManagedCluster>(resources.managedClusters)) ?? [],
  );
  return { wecs: ifSeen(wecs)?.map(({ metadata }) => metadata.name), unseen: whyUnseen(wecs) };
}

/** What will happen, a line each. */
export function describeItsDeletion({ name, controlPlane, wecs, unseen, wdses }: ItsToDelete): string[] {
  if (controlPlane === undefined) return [];
  const type = typeOf(controlPlane);
  const isOthers = type === 'host' || type === 'external';
  const fate = isOthers ? 'they stay registered with the cluster behind it' : 'their agents lose their hub';
  const lines = [
    ...(wecs === undefined ? [`WECs      could not be seen: ${unseen}`] : []),
    ...(wecs !== undefined && wecs.length > 0 ? [`WECs      ${wecs.join(', ')}: ${fate}`] : []),
    ...(wdses.length > 0 ? [`WDSes     ${wdses.join(', ')}: nothing is sent from there any more`] : []),
  ];
  if (!isOthers) return [...lines, 'Everything in it will be lost.'];
  const account = `${adoptedAccount.namespace}/${adoptedAccount.name}`;
  return [
    ...lines,
    `The cluster behind ${name} stays, and so does OCM in it.`,
    ...(type === 'external'
      ? [`There, KubeFlex's ServiceAccount ${account} keeps all rights until somebody deletes it.`]
      : []),
  ];
}

/** @param force although clusters are registered, or it is not known whether any are */
export function refuseDependents(its: ItsToDelete, force: boolean): void {
  const { name, hosting, context, wecs, unseen, wdses } = its;
  if (force) return;
  if (wecs === undefined) {
    throw new StellarError('has-dependents', `Whether WECs are registered with ${name} cannot be seen: ${unseen}`, {
      hint: command`If nobody needs it any more: stellarctl its delete ${name} --force --hosting-context ${hosting}`,
    });
  }
  if (wecs.length > 0) {
    throw new StellarError(
      'has-dependents',
      `${count(wecs.length, 'WEC is', 'WECs are')} registered with ${name}: ${wecs.join(', ')}.`,
      {
        hint: command`Let them go first: stellarctl deregister ${wecs} --its ${context}    Or give them up: --force`,
      },
    );
  }
  if (wdses.length > 0) {
    throw new StellarError('has-dependents', `WDSes send their workloads through ${name}: ${wdses.join(', ')}.`, {
      hint: `Delete them first: ${wdses.map((wds) => command`stellarctl wds delete ${wds} --hosting-context ${hosting}`).join(' && ')}    Or leave them without an ITS: --force`,
    });
  }
}

/** Deletes it; commands that meant it by `its use` mean it no longer. */
export async function deleteIts(its: ItsToDelete, tools: SpaceTools, run: Run): Promise<SpaceResult> {
  const contexts = await contextsToRemove(its, tools);
  const result = await deleteSpace(its, tools, run);
  if (result.error === undefined && !tools.hosting.dryRun) for (const context of contexts) await forgetIts(context);
  return result;
}
