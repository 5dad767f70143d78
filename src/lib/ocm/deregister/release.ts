import { StellarError } from '../../errors.ts';
import type { Kube } from '../../kube/client.ts';
import { resources } from '../../kube/resources.ts';
import { originBindingLabel, originWdsLabel } from '../../kubestellar/names.ts';
import { poll } from '../../poll.ts';
import type { Run } from '../../run.ts';
import type { ManagedCluster } from '../objects.ts';
import { type Inspection, inspect, type ManifestWork, policiesOf, selectableLabels } from './inspect.ts';
import { makeOrphans } from './keep.ts';

/** Holds the labels that were removed, until they are put back or the cluster is gone: an interrupted run loses none. */
const savedLabels = 'stellarctl.kubestellar.io/labels-before-deregistration';

/** After this time a work that nobody removes is removed by us: its WDS may be gone. */
const transportGraceMs = 8000;
/** A work that has come back so often will go on coming back. */
const timesSeen = 2;

/**
 * Releases a WEC from the binding policies that select it, before its ManagedCluster is deleted: KubeStellar goes on selecting a
 * cluster that is being deleted, and makes each removed work again. So the labels go first; then the works of every WDS have to.
 * @param keep leave the workloads where they run
 * @throws StellarError `still-selected`, with the labels put back, when a policy selects it all the same
 */
export async function release(hub: Kube, before: Inspection, keep: boolean, run: Run): Promise<void> {
  if (before.managedCluster === undefined || before.works.length === 0) return;
  const { name } = before;
  if (keep) await makeOrphans(hub, before.works, run);
  await takeLabels(hub, before.managedCluster);
  if (hub.dryRun) return;
  const started = Date.now();
  const returns = new Returns(before.works);
  let awaited: ManifestWork[] = before.works;
  const released = await poll(async () => {
    const { works } = await inspect(hub, name);
    awaited = works;
    if (works.length === 0) return true;
    const comeBack = returns.look(works);
    if (comeBack.length > 0) throw await stop(hub, name, stillSelected(hub, name, comeBack));
    if (keep) await makeOrphans(hub, works, run);
    if (Date.now() - started > transportGraceMs) await removeAll(hub, works);
    run.progress.waiting(
      name,
      `its ${works.length} works are being removed (${[...policiesOf(works).keys()].join(', ')})`,
    );
    return undefined;
  }, run);
  if (released === undefined) throw await stop(hub, name, notReleased(name, awaited));
  run.progress.changed(name, `released from ${[...policiesOf(before.works).keys()].join(', ')}`);
}

/** Notices works that are made again: the same binding, another UID, after one of it had gone. */
class Returns {
  readonly #known: Map<string, Set<string>>;

  constructor(works: readonly ManifestWork[]) {
    this.#known = new Map(works.map((work) => [work.metadata.name, new Set([work.metadata.uid ?? ''])]));
  }

  look(works: readonly ManifestWork[]): ManifestWork[] {
    return works.filter(({ metadata: { name, uid = '' } }) => {
      const seen = this.#known.get(name) ?? new Set();
      seen.add(uid);
      this.#known.set(name, seen);
      return seen.size > timesSeen;
    });
  }
}

async function removeAll(hub: Kube, works: readonly ManifestWork[]): Promise<void> {
  for (const { metadata } of works) {
    if (metadata.deletionTimestamp === undefined) {
      await hub.delete(resources.manifestWorks, metadata.name, { namespace: metadata.namespace, uid: metadata.uid });
    }
  }
}

async function takeLabels(hub: Kube, { metadata }: ManagedCluster): Promise<void> {
  const labels = selectableLabels({ metadata });
  if (Object.keys(labels).length === 0) return;
  const saved = { ...(JSON.parse(metadata.annotations?.[savedLabels] ?? '{}') as Record<string, string>), ...labels };
  const removed = Object.fromEntries(Object.keys(labels).map((key) => [key, null]));
  await hub.merge(resources.managedClusters, metadata.name, {
    metadata: { labels: removed, annotations: { [savedLabels]: JSON.stringify(saved) } },
  });
}

/** Puts the labels back, because the WEC stays. @returns the error to stop with */
async function stop(hub: Kube, name: string, error: StellarError): Promise<StellarError> {
  const cluster = await hub.get<ManagedCluster>(resources.managedClusters, name);
  const saved = cluster?.metadata.annotations?.[savedLabels];
  if (saved === undefined) return error;
  await hub.merge(resources.managedClusters, name, {
    metadata: { labels: JSON.parse(saved), annotations: { [savedLabels]: null } },
  });
  const labels = Object.entries(JSON.parse(saved) as Record<string, string>).map(([key, value]) => `${key}=${value}`);
  return new StellarError(error.code, error.message, {
    hint: error.hint,
    details: [...error.details, `Put back: label ${labels.join(', ')}`],
  });
}

function stillSelected(hub: Kube, name: string, works: readonly ManifestWork[]): StellarError {
  const { [originBindingLabel]: policy = 'NAME', [originWdsLabel]: wds = 'WDS' } = works[0]?.metadata.labels ?? {};
  return new StellarError(
    'still-selected',
    `${name} could not be released: its works come back (seen ${timesSeen} times), so that ${[...policiesOf(works).keys()].join(', ')} selects it by something else than its labels.`,
    {
      hint: `Change the policy, or let it go first: kubectl --context ${wds} edit bindingpolicy ${policy}    Then: stellarctl deregister ${name} --its ${hub.cluster.context}`,
    },
  );
}

function notReleased(name: string, works: readonly ManifestWork[]): StellarError {
  const details = works.map(
    ({ metadata }) =>
      `${metadata.name}${metadata.finalizers?.length ? ` is kept by finalizer ${metadata.finalizers.join(', ')}` : ' is not being removed'}`,
  );
  return new StellarError('timeout', `The works of ${name} were not removed in time; it stays registered.`, {
    details,
    hint: 'Its agent removes that finalizer: see whether it lives: stellarctl wec get. If it does not: --force',
  });
}
