import type { Api } from '../../kube/api.ts';
import type { AnyObject, Deployment, Secret } from '../../kube/objects.ts';
import { deployments, type Resource, resourceOf, secrets } from '../../kube/resources.ts';
import { until } from '../../kube/until.ts';
import { Authority } from '../../plane/pki.ts';
import { hubCrds } from '../crds.ts';
import { hubNamespace, operatorNamespace } from '../names.ts';
import { clusterManagerObject, clusterSetObject, hubObjects, namespaceObject } from './objects.ts';
import type { HubOptions } from './options.ts';
import { servingObjects, signerSecret, webhookConfigurations } from './webhooks.ts';

/**
 * Makes a cluster a hub: creates the objects of ocm's cluster-manager operator as an administrator (those of
 * expected/objects-of-a-hub.txt). Its programs then run as pods. Existing objects stay, so an interrupted installation can be
 * rerun.
 */
export async function installHub(admin: Api, options: HubOptions = {}): Promise<void> {
  await ensureAll(admin, [namespaceObject(operatorNamespace), namespaceObject(hubNamespace)]);
  await Promise.all([installHubCrds(admin), ensureAll(admin, hubObjects(options))]);
  const signer = await ensureSigner(admin);
  await ensureAll(admin, await servingObjects(signer));
  await ensureAll(admin, [clusterManagerObject(options), clusterSetObject('default'), clusterSetObject('global')]);
  await untilReady(admin);
  // Like the real operator: not before the programs behind them are ready (ocm pkg/operator/operators/clustermanager).
  await ensureAll(admin, webhookConfigurations(signer.certPem));
}

/** Creates the kinds of a hub, and waits until they are served. */
export async function installHubCrds(admin: Api): Promise<void> {
  await ensureAll(admin, hubCrds);
  await Promise.all(hubCrds.map((crd) => untilServed(admin, servedBy(crd))));
}

async function ensureAll(admin: Api, objects: AnyObject[]): Promise<void> {
  await Promise.all(objects.map((object) => admin.ensure(resourceOf(object), object)));
}

/** The CA of the webhooks, which an earlier installation may have created. */
async function ensureSigner(admin: Api): Promise<Authority> {
  const made = await Authority.create('open-cluster-management-webhook-signer');
  const wanted = signerSecret(made);
  await ensureAll(admin, [wanted]);
  const { data = {} } = await admin.get<Secret>(secrets, `${hubNamespace}/${wanted.metadata.name}`);
  const pem = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString();
  return Authority.of({ certPem: pem('tls.crt'), keyPem: pem('tls.key') });
}

/** The kinds of new CRDs are served a moment after they are stored. */
async function untilServed(admin: Api, resource: Resource): Promise<void> {
  await until(() => admin.list(resource).catch(() => undefined), `served ${resource.plural}`);
}

function servedBy(crd: AnyObject): Resource {
  const { group, versions, names } = crd.spec as {
    group: string;
    versions: { name: string }[];
    names: { kind: string; plural: string };
  };
  return { apiVersion: `${group}/${versions[0]?.name}`, kind: names.kind, plural: names.plural };
}

async function untilReady(admin: Api): Promise<void> {
  const namespaces = [operatorNamespace, hubNamespace];
  const isReady = ({ spec, status }: Deployment) => (status?.readyReplicas ?? 0) >= (spec.replicas ?? 1);
  await until(async () => {
    const lists = await Promise.all(namespaces.map((namespace) => admin.list<Deployment>(deployments, { namespace })));
    return lists.flatMap(({ items }) => items).every(isReady);
  }, 'programs of the hub that are ready');
}
