import { mapConcurrently } from '../core/concurrency.ts';
import { StellarError } from '../core/errors.ts';
import { jsonObject } from '../core/text/formats.ts';
import { ifSeen, tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { certificateAuthorityOf } from '../kube/client/credentials.ts';
import { missing } from '../kube/client/missing.ts';
import {
  type KubeObject,
  type Resource,
  resources,
  type Secret,
  textIn,
} from '../kube/client/objects.ts';
import type { SelectedContext } from '../kube/kubeconfig/kubeconfig.ts';
import { listServed } from '../kube/served.ts';
import { readWec } from '../ocm/agent/wec-evidence.ts';
import { clusterUid } from '../ocm/hub/cluster-uid.ts';
import { ofClusters } from '../spaces/space/argocd.ts';
import { otherRole } from '../wecs/registration/identity.ts';
import { pickKept } from '../wecs/values/values.ts';
import { type ImportedFleet, ifAny, type WecCandidate, wecNameOf } from './export.ts';

const ownPrefix = 'argocd.argoproj.io/';
const inCluster = 'https://kubernetes.default.svc';

/** The part of a cluster's config that is read: no credentials. */
interface Config {
  tlsClientConfig?: { caData?: string };
}

/**
 * The clusters of an Argo CD as a fleet: their names and labels. A context with the same server and certificate authority is
 * proposed in a comment, until somebody has proven it. Credentials are not copied.
 */
export async function importArgoCd(
  kube: Kube,
  namespace: string,
  contexts: readonly SelectedContext[],
) {
  const secrets = await listServed<Secret>(kube, resources.secrets, {
    namespace,
    labelSelector: ofClusters,
  });
  const imported: ImportedFleet = { wecs: [], comments: [] };
  for (const secret of secrets) {
    const server = textIn(secret, 'server');
    const config = (jsonObject(textIn(secret, 'config')) ?? {}) as Config;
    const given = textIn(secret, 'name') || secret.metadata.name;
    const name = wecNameOf(given);
    const note = (comment: string) => imported.comments.push(`${name}: ${comment}`);
    if (server === inCluster) {
      note('left out: it is the cluster of Argo CD itself');
      continue;
    }
    const labels = pickKept(secret.metadata.labels, (key) => !key.startsWith(ownPrefix));
    imported.wecs.push({ name, ...ifAny('labels', labels) });
    if (name !== given) note(`Argo CD calls it ${given}`);
    const authority = Buffer.from(config.tlsClientConfig?.caData ?? '', 'base64')
      .toString()
      .trim();
    const like = contexts.filter(
      (each) =>
        isSameServer(each.server, server) &&
        certificateAuthorityOf(each.cluster)?.trim() === authority,
    );
    if (like.length === 0) note(`no context has its server ${server}`);
    else note(`probably context: ${like.map((each) => each.name).join(' or ')}`);
  }
  return imported;
}

const isSameServer = (a: string, b: string) =>
  URL.canParse(a) && URL.canParse(b) && new URL(a).href === new URL(b).href;

const karmadaClusters: Resource = {
  apiVersion: 'cluster.karmada.io/v1alpha1',
  kind: 'Cluster',
  plural: 'clusters',
  namespaced: false,
};

/** cluster.karmada.io/v1alpha1, as far as it is read (karmada pkg/apis/cluster/v1alpha1/types.go). */
interface Cluster extends KubeObject {
  spec?: {
    /** The UID of the member's kube-system. */
    id?: string;
    provider?: string;
    region?: string;
    zone?: string;
    zones?: string[];
  };
}

/**
 * The members of a Karmada as a fleet: their labels, and provider, region and zones as properties. The contexts are found by the
 * UID of the members' kube-system, which Karmada records. @throws StellarError `not-found`
 */
export async function importKarmada(
  kube: Kube,
  candidates: readonly WecCandidate[],
): Promise<ImportedFleet> {
  const members = await kube.list<Cluster>(karmadaClusters);
  if (members === missing)
    throw new StellarError('not-found', `${kube.cluster.context} has no Clusters of Karmada.`);
  const uids = await mapConcurrently(candidates, (each) => tryRead(() => clusterUid(each.kube)));
  const imported: ImportedFleet = { wecs: [], comments: [] };
  for (const { metadata, spec } of members) {
    const { id, provider, region, zone, zones = zone === undefined ? [] : [zone] } = spec ?? {};
    const name = wecNameOf(metadata.name);
    const note = (comment: string) => imported.comments.push(`${name}: ${comment}`);
    const labels = pickKept(metadata.labels, (key) => !key.includes('karmada.io/'));
    const known = { provider, region, zones: [zones].flat().join(',') || undefined };
    const properties = Object.fromEntries(
      Object.entries(known).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    const context = candidates.find(
      (_, index) => id !== undefined && ifSeen(uids[index]) === id,
    )?.name;
    const values = { ...ifAny('labels', labels), ...ifAny('properties', properties) };
    imported.wecs.push({ name, ...(context !== undefined && { context }), ...values });
    if (name !== metadata.name) note(`Karmada calls it ${metadata.name}`);
    if (context === undefined)
      note(`no context leads to the cluster ${id ?? 'whose id Karmada does not have'}`);
  }
  return imported;
}

/**
 * The clusters of contexts as a fleet. Hubs, hosting clusters, WDSes and clusters that are registered already are left out, with
 * the reason in a comment; of several contexts of one cluster, all but the first.
 */
export async function importKubeconfig(
  candidates: readonly WecCandidate[],
): Promise<ImportedFleet> {
  const found = await mapConcurrently(candidates, ({ kube }) =>
    tryRead(async () => {
      const [uid, role, { klusterlet }] = await Promise.all([
        clusterUid(kube),
        otherRole(kube),
        readWec(kube),
      ]);
      const registered = klusterlet && `it is registered as ${klusterlet.spec?.clusterName ?? '-'}`;
      return { uid, why: role?.found ?? registered };
    }),
  );
  const imported: ImportedFleet = { wecs: [], comments: [] };
  const contexts = new Map<string, string>();
  for (const [index, { name: context }] of candidates.entries()) {
    const access = found[index];
    const { uid, why } =
      access?.state === 'seen' ? access.value : { uid: undefined, why: access?.why };
    const same = uid === undefined ? undefined : contexts.get(uid);
    if (uid !== undefined && why === undefined) contexts.set(uid, same ?? context);
    const reason =
      why ?? (same === undefined ? undefined : `it is the cluster of the context ${same}`);
    if (reason === undefined) imported.wecs.push({ name: wecNameOf(context), context });
    else imported.comments.push(`${context}: left out: ${reason}`);
  }
  return imported;
}
