import { command } from '../core/command-line.ts';
import { count } from '../core/counts.ts';
import { StellarError } from '../core/errors.ts';
import { advice, run as nextStep } from '../core/next-step.ts';
import { readConfirmed } from '../core/read-confirmed.ts';
import type { Run } from '../core/run.ts';
import { type Access, ifSeen, seen, through, whyUnseen } from '../kube/access.ts';
import { resources } from '../kube/client/resources.ts';
import { listServed } from '../kube/served.ts';
import type { ControlPlane } from '../ocm/kubeflex-objects.ts';
import type { ManagedCluster } from '../ocm/ocm-objects.ts';
import {
  type ControlPlaneToDelete,
  type DeletionOptions,
  type DeletionRequest,
  deleteControlPlane,
  findToDelete,
  lossOf,
} from './delete-control-plane.ts';
import { contextsOf, openSpace } from './space-access.ts';
import type { SpaceResult, SpaceTools } from './space-tools.ts';
import { itsOfWds, roleOf } from './spaces.ts';

/** An ITS to delete, and its dependents. */
export interface ItsToDelete extends ControlPlaneToDelete {
  role: 'its';
  /** Its context. */
  context: string;
  /** The WECs that are registered with it. */
  wecs: Access<readonly string[]>;
  /** The WDSes that send their workloads through it. */
  wdses: readonly string[];
}

/** @throws StellarError `not-found` if the name belongs to something else, and what refuseDependents throws */
export async function inspectIts(name: string, { force }: DeletionOptions, tools: SpaceTools): Promise<ItsToDelete> {
  const { controlPlane, all } = await findToDelete(name, 'its', tools);
  const wdses = all
    .filter((other) => roleOf(other) === 'wds' && itsOfWds(other.metadata.name, all)?.metadata.name === name)
    .map(({ metadata }) => metadata.name);
  const wecs = controlPlane === undefined ? seen([]) : await wecsOf(controlPlane, tools);
  const [context = name] = contextsOf(tools.kubeconfig, name, tools.hosting.cluster.context);
  const its: ItsToDelete = { name, role: 'its', context, controlPlane, wecs, wdses };
  if (!force) refuseDependents(its, tools.hosting.cluster.context);
  return its;
}

const wecsOf = async (controlPlane: ControlPlane, tools: SpaceTools): Promise<ItsToDelete['wecs']> =>
  through(await openSpace(controlPlane, tools), async (its) =>
    (await listServed<ManagedCluster>(its, resources.managedClusters)).map(({ metadata }) => metadata.name),
  );

/** @throws StellarError `has-dependents` if it has dependents, or if they cannot be determined */
function refuseDependents({ name, context, wdses, ...its }: ItsToDelete, hosting: string): void {
  const unseen = whyUnseen(its.wecs);
  const wecs = ifSeen(its.wecs) ?? [];
  const anyway = command`stellarctl its delete ${name} --force --hosting-context ${hosting}`;
  if (unseen !== undefined)
    throw new StellarError('has-dependents', `Whether WECs are registered with ${name} is unknown: ${unseen}`, {
      next: [nextStep(anyway, 'If it is not needed')],
    });
  if (wecs.length > 0)
    throw new StellarError(
      'has-dependents',
      `${count(wecs.length, 'WEC is', 'WECs are')} registered with ${name}: ${wecs.join(', ')}.`,
      {
        next: [
          nextStep(command`stellarctl deregister ${wecs} --its ${context}`, 'Deregister them first'),
          advice('Or abandon them: --force'),
        ],
      },
    );
  if (wdses.length > 0) {
    const deletions = wdses.map((wds) =>
      nextStep(command`stellarctl wds delete ${wds} --hosting-context ${hosting}`, `Delete ${wds} first`),
    );
    throw new StellarError('has-dependents', `WDSes send their workloads through ${name}: ${wdses.join(', ')}.`, {
      next: [...deletions, advice('Or leave them without an ITS: --force')],
    });
  }
}

const lossesOfIts = (its: ItsToDelete): string[] => [
  ...lossOf(its),
  ...(ifSeen(its.wecs) ?? []).map((wec) => `the registration of ${wec}`),
  ...its.wdses.map((wds) => `the ITS of ${wds}`),
];

/**
 * Deletes an ITS.
 * @throws StellarError before any write: what inspectIts throws, `not-confirmed`; afterwards the error is in the result
 */
export async function deleteIts(
  { name, confirm, ...options }: DeletionRequest<ItsToDelete>,
  tools: SpaceTools,
  run: Run,
): Promise<SpaceResult> {
  const its = await readConfirmed({ read: () => inspectIts(name, options, tools), losses: lossesOfIts, confirm });
  return deleteControlPlane(its, tools, run);
}
