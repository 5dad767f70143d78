import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../../kube/api.ts';
import type { AnyObject, Deployment } from '../../kube/objects.ts';
import { deployments, type Resource, resourceOf } from '../../kube/resources.ts';
import { Authority } from '../../plane/pki.ts';
import type { Plane } from '../../plane/plane.ts';
import { hubCrds } from '../crds.ts';
import { hubNamespace, operatorNamespace } from '../names.ts';
import { clusterInfoObject, clusterManagerObject, clusterSetObject, hubObjects, namespaceObject } from './objects.ts';
import type { HubOptions } from './options.ts';
import { servingObjects, webhookConfigurations } from './webhooks.ts';

const readyTimeout = 60_000;

/**
 * Makes a plane a hub: what ocm's cluster-manager operator would make, written by an administrator (the objects are
 * those of expected/objects-of-a-hub.txt). Its programs then run as pods.
 */
export async function installHub(plane: Plane, options: HubOptions = {}): Promise<void> {
  const { admin } = plane;
  await createAll(admin, [...hubCrds, namespaceObject(operatorNamespace), namespaceObject(hubNamespace)]);
  await createAll(admin, [...hubObjects(options), ...clusterInfoObject(plane, options)]);
  await Promise.all(hubCrds.map((crd) => untilServed(admin, servedBy(crd))));
  const signer = await Authority.create('open-cluster-management-webhook-signer');
  await createAll(admin, await servingObjects(signer));
  await createAll(admin, [clusterManagerObject(options), clusterSetObject('default'), clusterSetObject('global')]);
  await untilReady(admin);
  // As the real operator: not before the programs behind them are ready (ocm pkg/operator/operators/clustermanager).
  await createAll(admin, webhookConfigurations(signer.certPem));
}

async function createAll(admin: Api, objects: AnyObject[]): Promise<void> {
  await Promise.all(objects.map((object) => admin.create(resourceOf(object), object)));
}

/** The kinds of new CRDs are served a moment after they are stored. */
async function untilServed(admin: Api, resource: Resource): Promise<void> {
  const isServed = () =>
    admin.list(resource).then(
      () => true,
      () => false,
    );
  for (const deadline = Date.now() + readyTimeout; !(await isServed()); await sleep(100)) {
    if (Date.now() > deadline) throw new Error(`${resource.plural} are not served after ${readyTimeout / 1000} s`);
  }
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
  const listUnready = async () => {
    const lists = await Promise.all(namespaces.map((namespace) => admin.list<Deployment>(deployments, { namespace })));
    const all = lists.flatMap(({ items }) => items);
    return all.filter(({ spec, status }) => (status?.readyReplicas ?? 0) < (spec.replicas ?? 1));
  };
  let unready = await listUnready();
  for (const deadline = Date.now() + readyTimeout; unready.length > 0; unready = await listUnready()) {
    const names = unready.map(({ metadata }) => metadata.name).join(', ');
    if (Date.now() > deadline) throw new Error(`not ready after ${readyTimeout / 1000} s: ${names}`);
    await sleep(100);
  }
}
