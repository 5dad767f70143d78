import { sharedReading } from '../../core/concurrency.ts';
import { StellarError } from '../../core/errors.ts';
import { command, partial, run } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import { count, few } from '../../core/text/words.ts';
import { seen, tryRead } from '../../kube/access.ts';
import { type Kube, readsOneByOne } from '../../kube/client/client.ts';
import { unlessStatus } from '../../kube/client/errors.ts';
import type { ForeseenKube } from '../../kube/client/foreseen.ts';
import {
  type CertificateSigningRequest,
  type KubeObject,
  type Lease,
  namesOf,
  resources,
} from '../../kube/client/objects.ts';
import { listServed, provenIn } from '../../kube/served.ts';
import { untilGone } from '../../kube/until-gone.ts';
import { deleteObjects, withoutFinalizers } from '../../kube/writes.ts';
import { findManagedCluster } from '../../ocm/hub/require-hub.ts';
import { inProperties } from '../../ocm/model/kubestellar-names.ts';
import {
  isAddonWork,
  isGuarded,
  type ManifestWork,
  workFinalizer,
} from '../../ocm/model/manifest-works.ts';
import { clusterNameLabel, leaseName } from '../../ocm/model/ocm-names.ts';
import type { ManagedCluster } from '../../ocm/model/ocm-objects.ts';
import { othersIn } from './foreign-objects.ts';

/**
 * Removes what OCM leaves of a deleted WEC: the mailbox, the customization properties, its requests.
 * @param force whether to remove from works left in the mailbox the finalizer that only their agent removes
 * @returns whether there was anything, and what waits until the mailbox is gone, which takes at least five seconds
 * @throws StellarError `agent-dead` if works that an agent may have applied are left without force
 */
export async function removeLeftovers(
  hub: ForeseenKube,
  { name, reread }: Pick<HubState, 'name' | 'reread'>,
  force: boolean | undefined,
  run: Run,
) {
  const hubState = await reread();
  // It has been registered again since. In a dry run the cluster and its works still exist.
  if (hubState.managedCluster.object !== undefined && !run.dryRun) return { removed: false };
  const { properties } = hubState;
  const untilMailboxGone = await removeMailbox(hub, hubState, force, run);
  const parts = untilMailboxGone ? ['mailbox'] : [];
  if (properties.object !== undefined) {
    await hub.delete(resources.propertyConfigMaps, properties.object);
    parts.push('properties');
  }
  if (await removeRequests(hub, hubState)) parts.push('requests');
  if (parts.length > 0) run.progress.changed(name, `${parts.join(', ')} removed`);
  return { removed: parts.length > 0, untilGone: untilMailboxGone };
}

const removeRequests = (hub: Kube, { requests }: HubState) =>
  deleteObjects(hub, resources.certificateSigningRequests, requests);

/**
 * Removes the requests that an agent without a certificate sent until it was removed: it sends a new one within a second (seen).
 */
export async function removeLateRequests(
  hub: Kube,
  { reread }: Pick<HubState, 'reread'>,
): Promise<void> {
  const hubState = await reread();
  if (hubState.managedCluster.object === undefined) await removeRequests(hub, hubState);
}

/**
 * Refuses to remove the klusterlet if the name was registered again since its ManagedCluster was deleted: another `wec join` needs
 * it.
 * @throws StellarError `still-registered`
 */
export async function refuseReregistered(hub: Kube, name: string): Promise<void> {
  if ((await findManagedCluster(hub, name)).object === undefined) return;
  const { context } = hub.cluster;
  throw new StellarError(
    'still-registered',
    `${name} was registered again on ${context} meanwhile; its klusterlet stays.`,
    run(command`stellarctl wec get ${name} --its ${context}`, 'Look at it'),
  );
}

/** @returns what waits until the mailbox is gone, if its deletion has begun; a namespace with objects of others stays, and is no longer a mailbox */
async function removeMailbox(
  hub: ForeseenKube,
  hubState: HubState,
  force: boolean | undefined,
  run: Run,
) {
  const { name, reread } = hubState;
  const mailbox = mailboxOf(hubState);
  if (mailbox === undefined) return undefined;
  const works = [...hubState.works, ...hubState.addonWorks];
  if (works.some(isGuarded) && !force && !run.dryRun) throw worksRemain(hub, hubState);
  // Without that finalizer a work came when its agent had no rights any more, and nothing of it was applied.
  for (const work of run.dryRun ? [] : works) {
    await hub.delete(resources.manifestWorks, work);
    if (isGuarded(work))
      await withoutFinalizers(hub, resources.manifestWorks, work.metadata, [workFinalizer]);
  }
  const { uid, deletionTimestamp } = mailbox.metadata;
  const others =
    deletionTimestamp === undefined
      ? await tryRead(() => othersIn(hub, name, { isExpected: isOfOcm, expectedKinds: kindsOfOcm }))
      : seen([]);
  if (others.state !== 'seen' || others.value.length > 0) {
    const what =
      others.state === 'seen'
        ? `it holds ${few(others.value).join(', ')}`
        : `what else it holds cannot be seen (${others.why})`;
    run.progress.note(`Namespace ${name} stays on ${hub.cluster.context}: ${what}.`);
    // This label makes a namespace a mailbox; the hub sets it again when a cluster of that name registers.
    const noMailbox = { metadata: { uid, labels: { [clusterNameLabel]: null } } };
    if (others.state === 'seen')
      await unlessStatus(hub.merge(resources.namespaces, name, noMailbox), 403, 404, 409);
    return undefined;
  }
  await hub.delete(resources.namespaces, mailbox);
  const read = async () => (await reread()).namespace;
  return () =>
    untilGone(hub, resources.namespaces, mailbox, {
      ...run,
      read,
      name,
      why: 'its mailbox is being removed',
    });
}

/** Works and add-ons; KubeStellar's status add-on keeps its reported status there. */
const kindsOfOcm = [
  resources.manifestWorks,
  resources.managedClusterAddOns,
  resources.workStatuses,
];

/** What else OCM creates in a mailbox: rights for the agents of both. */
function isOfOcm({ kind, metadata }: KubeObject & { kind: string }) {
  if (metadata.labels?.[clusterNameLabel] !== undefined) return true;
  return (
    ['Role', 'RoleBinding'].includes(kind) && metadata.name.startsWith('open-cluster-management:')
  );
}

/** Their agent no longer has rights on the ITS and cannot remove its finalizer. */
export function worksRemain(hub: Kube, { name, works, addonWorks }: HubState): StellarError {
  const details = namesOf([...works, ...addonWorks].filter(isGuarded));
  return new StellarError(
    'agent-dead',
    `${name} is no longer registered, but its mailbox holds ${count(details.length, 'work')}, whose finalizer only its agent removes.`,
    partial(
      command`stellarctl wec join ${`${name}=CONTEXT`} --accept --its ${hub.cluster.context}`,
      'To register it again, with its agent',
    ),
    run(toDeregister(hub, name, '--force'), 'To remove them without it'),
  ).with({ details });
}

/** What an ITS has of one WEC, and how it is read again. */
export type HubState = ReturnType<Awaited<ReturnType<typeof listHubStates>>> & {
  reread(): Promise<HubState>;
};

/** Reads everything that a deregistration changes. @throws StellarError `api-error` for what cannot be seen */
export const readHubState = async (hub: Kube, name: string): Promise<HubState> => ({
  ...(await listHubStates(hub, name))(name),
  reread: () => readHubState(hub, name),
});

/** Works of workloads, created by a WDS's transport or by hand, and those of add-ons. */
const byOwner = (works: readonly ManifestWork[]) => ({
  works: works.filter((work) => !isAddonWork(work)),
  addonWorks: works.filter(isAddonWork),
});

/** The mailbox of a WEC: a namespace of that name for another purpose is not changed. */
export const mailboxOf = ({
  namespace: { object },
  name,
}: Pick<HubState, 'name' | 'namespace'>): KubeObject | undefined =>
  object?.metadata.labels?.[clusterNameLabel] === name ? object : undefined;

/** Reads what an ITS has of WECs: of many with one list of each kind, which serves all that are read again at the same time. */
export async function readHubStates(hub: Kube, names: readonly string[]): Promise<HubState[]> {
  if (names.length <= readsOneByOne)
    return Promise.all(names.map((name) => readHubState(hub, name)));
  const readAll = sharedReading(() => listHubStates(hub));
  const readOne = async (name: string): Promise<HubState> => {
    const stateOf = await unlessStatus(readAll(), 403);
    return stateOf === undefined
      ? readHubState(hub, name)
      : { ...stateOf(name), reread: () => readOne(name) };
  };
  return Promise.all(names.map(readOne));
}

/** @param one the name of the only WEC to read @throws StellarError `api-error` for what cannot be seen, `forbidden` */
async function listHubStates(hub: Kube, one?: string) {
  const ofOne = { fieldSelector: one && `metadata.name=${one}` };
  const inMailbox = { namespace: one };
  const labelled = { labelSelector: clusterNameLabel };
  const ofWec = { labelSelector: one ? `${clusterNameLabel}=${one}` : clusterNameLabel };
  const [clusters, works, addons, namespaces, properties, requests, leases] = await Promise.all([
    listServed<ManagedCluster>(hub, resources.managedClusters, ofOne),
    listServed<ManifestWork>(hub, resources.manifestWorks, inMailbox),
    listServed(hub, resources.managedClusterAddOns, inMailbox),
    // Of one WEC by its name: somebody may have removed the label.
    listServed(hub, resources.namespaces, one ? ofOne : labelled),
    listServed(hub, resources.propertyConfigMaps, { ...inProperties, ...ofOne }),
    listServed<CertificateSigningRequest>(hub, resources.certificateSigningRequests, ofWec),
    listServed<Lease>(hub, resources.leases, one ? inMailbox : labelled),
  ]);
  const inMailboxes = <T extends KubeObject>(all: readonly T[]) =>
    Map.groupBy(all, ({ metadata }) => metadata.namespace);
  const worksOf = inMailboxes(works);
  const addonsOf = inMailboxes(addons);
  const leasesOf = inMailboxes(leases);
  const requestsOf = Map.groupBy(requests, ({ metadata }) => metadata.labels?.[clusterNameLabel]);
  const clusterOf = provenIn(clusters);
  const namespaceOf = provenIn(namespaces);
  const propertiesOf = provenIn(properties);
  return (name: string) => ({
    name,
    managedCluster: clusterOf(name),
    ...byOwner(worksOf.get(name) ?? []),
    addons: addonsOf.get(name) ?? [],
    namespace: namespaceOf(name),
    /** The ConfigMap with its customization properties. */
    properties: propertiesOf(name),
    /** Its requests, including those of its add-ons. */
    requests: requestsOf.get(name) ?? [],
    /** Renewed by its agent. */
    lease: leasesOf.get(name)?.find(({ metadata }) => metadata.name === leaseName),
  });
}

/** True if nothing of a registration is left on the ITS. */
export function isGone(hubState: HubState): boolean {
  const { managedCluster, works, addonWorks, properties, requests } = hubState;
  const parts = [managedCluster.object, mailboxOf(hubState), properties.object];
  return (
    parts.every((part) => part === undefined) &&
    [works, addonWorks, requests].every((part) => part.length === 0)
  );
}

/** The command that deregisters a WEC from an ITS. @param wec NAME or NAME=CONTEXT */
export const toDeregister = ({ cluster }: Kube, wec: string, ...options: readonly string[]) =>
  command`stellarctl deregister ${[wec, ...options]} --its ${cluster.context}`;
