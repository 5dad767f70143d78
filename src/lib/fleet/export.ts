import { mapConcurrently } from '../core/concurrency.ts';
import { by } from '../core/text/words.ts';
import { ifSeen, tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { imageVersion, parseImage } from '../kube/image.ts';
import { hubOf } from '../ocm/agent/klusterlet-agent.ts';
import { readWec, type WecEvidence } from '../ocm/agent/wec-evidence.ts';
import { clusterUid, recordedUid } from '../ocm/hub/cluster-uid.ts';
import { accessHub, type HubAccess, knownEndpoints } from '../ocm/hub/hub-access.ts';
import type { Its } from '../ocm/hub/its.ts';
import type { ManagedCluster } from '../ocm/model/ocm-objects.ts';
import { defaultRegistry, endpointFor } from '../wecs/join/join-plan.ts';
import { proveIdentity } from '../wecs/registration/identity.ts';
import { labelsOf, pickKept } from '../wecs/values/values.ts';
import type { FleetDocument, JoinSettings } from './fleet-schema.ts';
import { readPresent } from './owned-values.ts';

/** A context that may lead to a WEC. */
export interface WecCandidate {
  name: string;
  kube: Kube;
}

/**
 * Describes the WECs of an ITS as a file: their labels without those of OCM, their properties, and for each that a context is proven
 * to lead to, that context and how its agent was joined. The order is stable.
 * @throws StellarError `not-a-hub`
 */
export async function exportFleet(
  its: Its,
  candidates: readonly WecCandidate[],
  kubeconfig: string | undefined,
): Promise<ImportedFleet> {
  const [{ clusters, properties }, access] = await Promise.all([
    readPresent(its.kube),
    accessHub(its),
  ]);
  const found = await findContexts(its.kube, access, clusters, candidates);
  const names = [...clusters.keys()].sort();
  const wecs = await mapConcurrently(names, async (wec) => {
    const { labels, annotations } = labelsOf(clusters.get(wec) as ManagedCluster);
    const context = found.get(wec);
    const join = context && (await joinSettings(wec, access, context.evidence));
    return {
      name: wec,
      ...(context && { context: context.name, ...(kubeconfig && { kubeconfig }) }),
      ...ifAny('labels', labels),
      ...ifAny('annotations', annotations),
      ...ifAny(
        'properties',
        pickKept(properties.get(wec)?.data, () => true),
      ),
      ...ifAny('join', join ?? {}),
    };
  });
  const unknown = names.filter((wec) => !found.has(wec));
  return {
    wecs,
    comments: unknown.map((wec) => `No context of the kubeconfig is proven to lead to ${wec}.`),
  };
}

export const ifAny = <Key extends string, Values extends object>(
  key: Key,
  values: Values,
): { [K in Key]?: Values } =>
  (Object.keys(values).length === 0 ? {} : { [key]: values }) as { [K in Key]?: Values };

interface FoundContext extends WecCandidate {
  evidence: WecEvidence;
}

/** Of several contexts of one WEC, the one with its name, else the first by name. */
async function findContexts(
  hub: Kube,
  access: HubAccess,
  clusters: ReadonlyMap<string, ManagedCluster>,
  candidates: readonly WecCandidate[],
): Promise<Map<string, FoundContext>> {
  const byUid = new Map([...clusters].map(([name, cluster]) => [recordedUid(cluster), name]));
  const identify = async ({
    name,
    kube,
  }: WecCandidate): Promise<[string, FoundContext] | undefined> => {
    const uid = await clusterUid(kube);
    const evidence = await readWec(kube);
    const wec = byUid.get(uid ?? '') ?? evidence.klusterlet?.spec?.clusterName ?? '';
    const cluster = clusters.get(wec);
    if (cluster === undefined) return undefined;
    const known = { name: wec, endpoints: knownEndpoints(access), managedCluster: cluster };
    const { state } = await proveIdentity(hub, kube, evidence, known);
    return state === 'proven' ? [wec, { name, kube, evidence }] : undefined;
  };
  const asked = await mapConcurrently(candidates, (each) => tryRead(() => identify(each)));
  const proven = asked.map(ifSeen).filter((each) => each !== undefined);
  const found = new Map<string, FoundContext>();
  for (const [wec, context] of proven.sort(by(([, { name }]) => name)))
    if (!found.has(wec) || context.name === wec) found.set(wec, context);
  return found;
}

/** The options with which a join would install this agent again, without those that are the default. */
async function joinSettings(
  wec: string,
  access: HubAccess,
  evidence: WecEvidence,
): Promise<JoinSettings> {
  const { klusterlet } = evidence;
  const { registrationImagePullSpec: reference } = klusterlet?.spec ?? {};
  const version = imageVersion(reference);
  const registry = parseImage(reference ?? '')?.registry;
  const hub = hubOf(evidence);
  const usual = ifSeen(await tryRead(() => endpointFor(access, wec, { accept: true, labels: {} })));
  return {
    ...(hub !== undefined && hub.server !== usual?.server && { hubApiserver: hub.spelled }),
    ...(hub?.proxyUrl && { proxyUrl: hub.proxyUrl }),
    ...(klusterlet?.spec?.deployOption?.mode === 'Default' && { mode: 'Default' }),
    ...(version !== undefined && version !== access.ocmVersion && { ocmVersion: version }),
    ...(registry !== undefined &&
      registry !== (access.imageRegistry ?? defaultRegistry) && { imageRegistry: registry }),
  };
}

/** WECs as another program or a kubeconfig has them. */
export interface ImportedFleet {
  wecs: NonNullable<FleetDocument['wecs']>;
  /** What a person must know or decide, one line each. */
  comments: string[];
}

/** A name that an ITS allows, as near as possible. */
export const wecNameOf = (given: string) =>
  given
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '');

/** Leaves out clusters without a name of their own, and says so. */
export function withNameNotes({ wecs, comments }: ImportedFleet): ImportedFleet {
  const isFirst = (name: string, index: number) =>
    wecs.findIndex((each) => each.name === name) === index;
  const named = wecs.filter(({ name }, index) => name !== '' && isFirst(name, index));
  const note =
    'left out: clusters whose names have no letter or digit that a WEC may have, or the same ones as another';
  return { wecs: named, comments: named.length < wecs.length ? [...comments, note] : comments };
}
