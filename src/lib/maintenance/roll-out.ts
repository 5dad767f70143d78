import { isDeepStrictEqual } from 'node:util';
import { StellarError } from '../core/errors.ts';
import { untilMet } from '../core/follow.ts';
import type { Run } from '../core/run.ts';
import { met, type Verdict, waiting } from '../core/stages.ts';
import type { Kube } from '../kube/client/client.ts';
import {
  type Deployment,
  type PlainResource,
  resources,
  type StatefulSet,
} from '../kube/client/objects.ts';
import {
  type Containers,
  hasStarted,
  isDeploymentReady,
  isRead,
  isScaledToNone,
  isStatefulSetReady,
} from '../kube/pods.ts';
import { readPods } from '../kube/scaling.ts';
import { retryConflicts, writeLast } from '../kube/writes.ts';

/** A Deployment or StatefulSet whose pod template changes. */
export interface RollOut {
  /** The space, for progress. */
  subject: string;
  kube: Kube;
  resource: PlainResource;
  name: string;
  namespace: string;
  /** The containers that it gets; the same ones if nothing is to change. */
  change(present: Containers): Containers;
  /** What it is to have, for the error: `ValidatingAdmissionPolicies`. */
  what: string;
  /** Whether its new pods do their work; read only once they are ready. */
  works?(): Promise<Verdict>;
}

/**
 * Changes a pod template, and waits until all pods are of the new one and do their work. At the deadline it gets its earlier
 * containers back. One that is scaled to zero is only changed.
 * @throws StellarError `timeout`
 */
export async function rollOut(of: RollOut, run: Run): Promise<void> {
  const { subject, kube, resource, name, namespace, works } = of;
  const undo = await writeTemplate(of);
  const read = async (): Promise<Verdict> => {
    const present = await kube.get<Deployment | StatefulSet>(resource, name, { namespace });
    if (present === undefined) return waiting(`${resource.kind} ${name} does not exist`);
    if (isScaledToNone(present)) return met;
    if (resource === resources.statefulSets) await removeStuck(of, present as StatefulSet);
    if (!isRolledOut(present)) return waiting(`${resource.kind} ${name} replaces its pods`);
    return works === undefined ? met : works();
  };
  const unmet = async (verdict: Verdict) => {
    if (undo !== undefined) await writeLast(kube, undo);
    const why = verdict.state === 'met' ? '' : verdict.why;
    return new StellarError(
      'timeout',
      `${resource.kind} ${name} of ${subject} does not run with ${of.what}: ${why}.`,
    ).with({ details: undo === undefined ? [] : ['It has its earlier containers again.'] });
  };
  await untilMet({ name: subject, read, check: (verdict) => verdict, unmet }, run);
}

/** A StatefulSet waits for ever for a pod of an earlier revision that does not become ready (kubernetes, "Forced rollback"). */
async function removeStuck({ kube, name, namespace }: RollOut, present: StatefulSet) {
  const revision = present.status?.updateRevision;
  if (!isRead(present) || revision === undefined) return;
  for (const pod of await readPods({ kube, namespace }, name))
    if (!hasStarted(pod) && pod.metadata.labels?.['controller-revision-hash'] !== revision)
      await kube.delete(resources.pods, pod);
}

/** @returns what brings the earlier containers back; undefined if nothing was changed */
async function writeTemplate({ kube, resource, name, namespace, change }: RollOut) {
  const write = (by: Kube, spec: Containers, metadata: object) =>
    by.merge(resource, name, { metadata, spec: { template: { spec } } }, { namespace });
  return retryConflicts(kube, async () => {
    const present = await kube.get<Deployment>(resource, name, { namespace });
    const { containers = [], initContainers } = present?.spec?.template?.spec ?? {};
    const before: Containers = { containers, ...(initContainers && { initContainers }) };
    const after = change(before);
    const { uid, resourceVersion } = present?.metadata ?? {};
    if (present === undefined || isDeepStrictEqual(after, before)) return undefined;
    await write(kube, after, { uid, resourceVersion });
    return (last: Kube) => write(last, before, { uid });
  });
}

/** Whether all its pods are ready, and of its present template. */
function isRolledOut(present: Deployment | StatefulSet): boolean {
  const { status } = present;
  if (status !== undefined && 'updateRevision' in status)
    return (
      isRead(present) &&
      status.currentRevision === status.updateRevision &&
      isStatefulSetReady(present as StatefulSet)
    );
  return isDeploymentReady(present as Deployment);
}
