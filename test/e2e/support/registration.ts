import assert from 'node:assert/strict';
import {
  type Entry,
  type KubeObject,
  type Plane,
  resources,
  until,
  writeKubeconfig,
} from '../../../testbed/index.ts';
import type { Cli, CliRun } from './harness.ts';

/** A condition's status on an object, whatever its kind. */
export function statusOf(object: object | undefined, type: string): string | undefined {
  const { status } = (object ?? {}) as {
    status?: { conditions?: { type: string; status: string }[] };
  };
  return status?.conditions?.find((condition) => condition.type === type)?.status;
}

/** The hub itself reports this WEC as available. */
export async function assertAvailable(hub: Plane, name: string): Promise<KubeObject> {
  const cluster = await hub.admin.get<KubeObject>(resources.managedClusters, name);
  for (const type of [
    'HubAcceptedManagedCluster',
    'ManagedClusterJoined',
    'ManagedClusterConditionAvailable',
  ]) {
    assert.equal(statusOf(cluster, type), 'True', `${name}: ${type}`);
  }
  return cluster;
}

/** Joins and accepts a WEC whose context has its name: then the hub reports it as available. */
export async function join(cli: Cli, its: Plane, name: string, more = ''): Promise<CliRun> {
  const run = await cli.type(`wec join ${name} --accept --its ${its.name} ${more}`.trim());
  await assertAvailable(its, name);
  return run;
}

/** The decoded bootstrap secret of a WEC. */
export async function bootstrapSecretText(wec: Plane): Promise<string> {
  return secretText(wec, 'open-cluster-management-agent/bootstrap-hub-kubeconfig', 'kubeconfig');
}

export async function secretText(wec: Plane, key: string, entry: string): Promise<string> {
  const { data } = (await wec.admin.get(resources.secrets, key)) as KubeObject & {
    data: Record<string, string>;
  };
  return Buffer.from(data[entry] ?? '', 'base64').toString();
}

/** A kubeconfig with a context for each of these planes, with all permissions; the first is the current one. */
export function contextsOf(...planes: [Plane, ...Plane[]]): Promise<string> {
  return writeKubeconfig(
    planes[0],
    planes.map((plane) => plane.kubeconfigEntry),
  );
}

/** Scales the klusterlet to zero: the operator first, until it has ended, because it restarts its agent. */
export async function stopKlusterlet({ admin }: Plane): Promise<void> {
  for (const namespace of ['open-cluster-management', 'open-cluster-management-agent']) {
    for (const { metadata } of (await admin.list(resources.deployments, { namespace })).items)
      await admin.patch(resources.deployments, `${namespace}/${metadata.name}`, {
        spec: { replicas: 0 },
      });
    const hasEnded = async () =>
      (await admin.list(resources.pods, { namespace })).items.length === 0;
    await until(hasEnded, `end of the pods in ${namespace}`);
  }
}

/**
 * Restarts the pods of a namespace. Their Leases are deleted first: a killed process may not release its Lease, and the next one
 * would wait for it.
 */
export async function restartPods({ admin }: Plane, namespace: string): Promise<void> {
  for (const resource of [resources.leases, resources.pods]) {
    const { items } = await admin.list(resource, { namespace });
    for (const { metadata } of items)
      await admin.delete(resource, `${namespace}/${metadata.name}`, { gracePeriodSeconds: 0 });
  }
}

/** Deletes the pods of a namespace whose names begin so, without a break for what replaces them. */
export async function deletePods({ admin }: Plane, namespace: string, start = ''): Promise<void> {
  for (const { metadata } of (await admin.list(resources.pods, { namespace })).items)
    if (metadata.name.startsWith(start))
      await admin.delete(resources.pods, `${namespace}/${metadata.name}`);
}

/** The authority that the fault `certificate` serves with. */
export function otherAuthorityOf(hub: Plane): string {
  const [, other] = (hub.admin.connection.caPem ?? '').split(/(?=-----BEGIN)/);
  return other ?? '';
}

/** The plane's own context, with the new authority. */
export function trustingOther(hub: Plane): Entry {
  const { connection, ...entry } = hub.kubeconfigEntry;
  return { ...entry, connection: { ...connection, caPem: otherAuthorityOf(hub) } };
}
