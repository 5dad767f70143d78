import { mapConcurrently } from '../../core/concurrency.ts';
import { StellarError } from '../../core/errors.ts';
import { advice, command, partial, run } from '../../core/next-step.ts';
import { count, nearestNames, orNearest } from '../../core/text/words.ts';
import { firstOf, ifSeen, partialReader, seenOrThrow, tryRead } from '../../kube/access.ts';
import { type Kube, readsOneByOne } from '../../kube/client/client.ts';
import { describeCluster } from '../../kube/client/errors.ts';
import { missing, shownList } from '../../kube/client/missing.ts';
import { byName, type ConfigMap, namesOf, resources } from '../../kube/client/objects.ts';
import { listServed } from '../../kube/served.ts';
import { inProperties } from '../model/kubestellar-names.ts';
import type { ManagedCluster } from '../model/ocm-objects.ts';
import { isRecorded, recordedUid } from './cluster-uid.ts';
import { findManagedCluster, notAHub } from './require-hub.ts';

/** The WECs that a command selects. */
export interface WecTarget {
  /** WECs by name, or a selector; neither selects all. */
  names?: readonly string[] | undefined;
  selector?: string | undefined;
  /** Whether a selector may match nothing. */
  allowNone?: boolean | undefined;
}

export interface FoundWec {
  name: string;
  /** Undefined for a name that the ITS does not know. */
  cluster: ManagedCluster | undefined;
}

/** @throws StellarError `not-a-hub`; `not-found` for a selector that matches nothing, which is more likely a mistake than meant */
export async function findWecs(
  hub: Kube,
  { names, selector, allowNone }: WecTarget,
): Promise<FoundWec[]> {
  if (names === undefined) {
    const clusters = await hub.list<ManagedCluster>(resources.managedClusters, {
      labelSelector: selector,
    });
    if (clusters === missing) throw notAHub(hub);
    if (clusters.length === 0 && selector !== undefined && !allowNone)
      throw await noneHas(selector, hub);
    return clusters.map((cluster) => ({ name: cluster.metadata.name, cluster }));
  }
  const all =
    names.length > readsOneByOne
      ? await partialReader(hub).list<ManagedCluster>(resources.managedClusters)
      : missing;
  if (all !== missing) {
    const named = byName(all);
    return names.map((name) => ({ name, cluster: named.get(name) }));
  }
  return mapConcurrently(names, async (name) => ({
    name,
    cluster: await hub.get<ManagedCluster>(resources.managedClusters, name),
  }));
}

/** A WEC's ManagedCluster, unchanged. @throws StellarError `not-found`, `not-a-hub` */
export async function getManagedCluster(hub: Kube, name: string): Promise<ManagedCluster> {
  const { object } = await findManagedCluster(hub, name);
  if (object === undefined) throw await noSuchWec(name, hub);
  return object;
}

/**
 * A client of a WEC, once it is proven that it leads there.
 * @param kubes of the context that the user names, or of those that may lead there
 * @param known its ManagedCluster, if it has been read
 * @throws StellarError `not-found`, `context-unknown`, `identity-unproven`
 */
export async function provenWec(
  wec: string,
  hub: Kube,
  kubes: readonly Kube[] = [],
  known?: ManagedCluster,
): Promise<Kube> {
  const [kube] = kubes;
  if (kube === undefined)
    throw new StellarError(
      'context-unknown',
      `No context leads to ${wec}.`,
      partial(`--wec ${wec}=CONTEXT`, 'Name it'),
    );
  const cluster = known ?? (await getManagedCluster(hub, wec));
  const found = await firstOf(kubes, (each) => isRecorded(each, cluster));
  const proven = seenOrThrow(found);
  if (proven !== undefined) return proven;
  const record = command`stellarctl wec join ${`${wec}=${kube.cluster.context}`} --its ${hub.cluster.context}`;
  // A join refuses another cluster than the one that is recorded.
  const next =
    recordedUid(cluster) === undefined ? [run(record, 'If it is, have that recorded')] : [];
  throw new StellarError(
    'identity-unproven',
    `${describeCluster(kube.cluster)} is not proven to be ${wec} of ${hub.cluster.context}.`,
    ...next,
  );
}

/** The error for a selector that matches nothing, with the labels that it may mean. */
export async function noneHas(selector: string, hub: Kube): Promise<StellarError> {
  const all = shownList(await hub.list<ManagedCluster>(resources.managedClusters));
  const labels = all.map(({ metadata }) => metadata.labels ?? {});
  const near = nearestLabels(selector, labels).join(', ');
  return new StellarError(
    'not-found',
    `No WEC on ${hub.cluster.context} has labels ${selector}.`,
    near === ''
      ? run(
          command`stellarctl label --all --list --its ${hub.cluster.context}`,
          'See the labels that exist',
        )
      : advice(`The nearest labels are ${near}`),
  );
}

/** The existing labels that a selector may mean, with their counts: `location-group=edge (3 WECs)`. */
export function nearestLabels(
  selector: string,
  labels: readonly Record<string, string>[],
  of = 'WEC',
): string[] {
  const all = labels.flatMap((each) =>
    Object.entries(each).map(([key, value]) => `${key}=${value}`),
  );
  const near = selector.split(',').flatMap((term) => {
    const [key] = term.trim().split(/[=!\s]/, 1);
    // Objects of other workloads have the same keys, such as app.
    const ofKey = all.filter((label) => of === 'WEC' && label.startsWith(`${key}=`));
    return [...nearestNames(term, [...new Set(all)]), ...ofKey];
  });
  const countOf = (label: string) => count(all.filter((each) => each === label).length, of);
  return [...new Set(near)].slice(0, 3).map((label) => `${label} (${countOf(label)})`);
}

/**
 * The error for a name that the ITS does not have, with the nearest ones.
 * @param read those that it has (default: of ManagedClusters)
 */
export async function noSuchWec(
  name: string,
  hub: Kube,
  read = async () =>
    namesOf(shownList(await hub.list(resources.managedClusters, { metadataOnly: true }))),
): Promise<StellarError> {
  const { context } = hub.cluster;
  const instead = orNearest(name, ifSeen(await tryRead(read)) ?? []);
  return new StellarError(
    'not-found',
    `There is no WEC ${name} on ${context}${instead}.`,
    run(command`stellarctl wec list --its ${context}`, 'See what exists'),
  );
}

/** The ConfigMaps with the properties of WECs, by WEC: that one has none is believed only of a list. */
export const listProperties = async (hub: Kube): Promise<Map<string, ConfigMap>> =>
  byName(await listServed<ConfigMap>(hub, resources.propertyConfigMaps, inProperties));
