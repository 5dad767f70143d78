import { StellarError } from '../../errors.ts';
import type { Kube } from '../../kube/client.ts';
import { describeCluster } from '../../kube/errors.ts';
import { type Deployment, isTrue, type KubeObject } from '../../kube/objects.ts';
import { type Resource, resources } from '../../kube/resources.ts';
import type { Run } from '../../run.ts';
import { readHubKubeconfig } from '../klusterlet/agent.ts';
import { managedBy, managedByLabel } from '../klusterlet/operator.ts';
import {
  agentNamespace,
  bootstrapSecretName,
  hubSecretName,
  klusterletCrdName,
  klusterletName,
  operatorName,
  operatorNamespace,
} from '../names.ts';
import type { Klusterlet } from '../objects.ts';
import { readWec } from '../wec-evidence.ts';
import { removeApplied } from './applied.ts';
import { untilGone } from './remove.ts';

const addonNamespace = `${agentNamespace}-addon`;

/**
 * Makes sure that a cluster's Klusterlet is the one that is meant, before anything is written on either side.
 * @param isHub recognises the hub by what the WEC's secrets say; undefined on the WEC's side alone
 * @returns false where there is no Klusterlet (any more)
 * @throws StellarError `registered-elsewhere`
 */
export async function checkKlusterlet(
  wec: Kube,
  name: string,
  isHub: ((hub: { server: string; certificateAuthority: string | undefined }) => boolean) | undefined,
): Promise<boolean> {
  const { klusterlet, bootstrapSecret, hubSecret } = await readWec(wec);
  if (klusterlet === undefined) return false;
  const registered = klusterlet.spec?.clusterName;
  const hub = readHubKubeconfig(hubSecret) ?? readHubKubeconfig(bootstrapSecret);
  const other =
    registered !== name
      ? `as ${registered}`
      : hub !== undefined && isHub !== undefined && !isHub(hub)
        ? `with the hub ${hub.server}`
        : undefined;
  if (other === undefined) return true;
  throw new StellarError(
    'registered-elsewhere',
    `${describeCluster(wec.cluster)} is registered ${other}, not as ${name} with this ITS; it is not cleaned up.`,
    {
      hint: `Give the context of ${name}: stellarctl deregister ${name}=CONTEXT --clean-up`,
    },
  );
}

/**
 * Removes everything that a registration has brought to a WEC, with or without the workloads that a dead agent has left there. The operator undoes a Klusterlet; where it does not work, its work is
 * done here. Never the agent's namespaces while the Klusterlet exists: the operator would make them again, broken. The operator,
 * its rights, the kinds and the namespaces go only when nothing else on the cluster needs them.
 */
export async function cleanUpWec(wec: Kube, name: string, keepWorkloads: boolean, run: Run): Promise<boolean> {
  const { klusterlet, operator } = await readWec(wec);
  let changed = false;
  if (klusterlet !== undefined) {
    await wec.delete(resources.klusterlets, klusterletName, { uid: klusterlet.metadata.uid });
    if (isTrue(operator, 'Available')) {
      run.progress.waiting(name, 'the operator is removing the agent');
    } else {
      run.progress.note(
        `The klusterlet operator on ${wec.cluster.context} does not work; its work is done in its place.`,
      );
      await undoInPlace(wec, klusterlet);
    }
    await untilGone(wec, klusterlet, run, resources.klusterlets);
    changed = true;
    if (!wec.dryRun) run.progress.changed(name, 'klusterlet removed');
  }
  const reason = await whatNeedsOperator(wec, operator);
  if (reason !== undefined) {
    run.progress.note(`The klusterlet operator on ${wec.cluster.context} stays: ${reason}.`);
    return changed;
  }
  const applied = await removeApplied(wec, keepWorkloads);
  if (applied > 0 && !wec.dryRun) run.progress.changed(name, keepWorkloads ? 'workloads kept' : 'workloads removed');
  return (await removeOperator(wec, name, run)) || changed || applied > 0;
}

/** What the operator does when a Klusterlet is deleted (ocm pkg/operator/operators/klusterlet, cleanup controller). */
async function undoInPlace(wec: Kube, klusterlet: Klusterlet): Promise<void> {
  for (const name of ['klusterlet-agent', 'klusterlet-registration-agent', 'klusterlet-work-agent']) {
    await wec.delete(resources.deployments, name, { namespace: agentNamespace });
  }
  await wec.delete(resources.secrets, hubSecretName, { namespace: agentNamespace });
  await wec.delete(resources.secrets, bootstrapSecretName, { namespace: agentNamespace });
  const own = ({ metadata }: KubeObject) =>
    metadata.name.startsWith(`open-cluster-management:${klusterletName}-`) ||
    metadata.name.startsWith(`open-cluster-management:management:${klusterletName}`);
  for (const resource of [resources.clusterRoleBindings, resources.clusterRoles]) {
    for (const object of ((await wec.list(resource)) ?? []).filter(own))
      await wec.delete(resource, object.metadata.name);
  }
  for (const resource of [resources.roleBindings, resources.roles]) {
    for (const object of ((await wec.list(resource, { namespace: 'kube-system' })) ?? []).filter(own)) {
      await wec.delete(resource, object.metadata.name, { namespace: 'kube-system' });
    }
  }
  for (const { metadata } of (await wec.list(resources.appliedManifestWorks)) ?? []) {
    await wec.merge(resources.appliedManifestWorks, metadata.name, { metadata: { finalizers: null } });
  }
  await wec.merge(resources.klusterlets, klusterlet.metadata.name, { metadata: { finalizers: null } });
}

/** Why the operator must stay; undefined when nothing needs it. */
async function whatNeedsOperator(wec: Kube, operator: Deployment | undefined): Promise<string | undefined> {
  if (operator !== undefined && operator.metadata.labels?.[managedByLabel] !== managedBy)
    return 'stellarctl did not install it';
  const [klusterlets, managers] = await Promise.all([
    wec.list(resources.klusterlets),
    wec.list(resources.clusterManagers),
  ]);
  const other = klusterlets?.find(({ metadata }) => metadata.name !== klusterletName);
  if (other !== undefined) return `the Klusterlet ${other.metadata.name} needs it`;
  return managers?.length ? 'the cluster is an OCM hub as well' : undefined;
}

/** Kinds that the operator brings, each with what would be lost with it. Deleting the kind of an AppliedManifestWork that is kept would remove its workloads. */
const broughtKinds: { crd: string; instances: Resource }[] = [
  { crd: 'appliedmanifestworks.work.open-cluster-management.io', instances: resources.appliedManifestWorks },
  { crd: 'clusterclaims.cluster.open-cluster-management.io', instances: resources.clusterClaims },
  { crd: klusterletCrdName, instances: resources.klusterlets },
];

async function removeOperator(wec: Kube, name: string, run: Run): Promise<boolean> {
  let removed = false;
  const remove = async (resource: Resource, object: string, namespace?: string) => {
    removed = (await wec.delete(resource, object, { namespace })) || removed;
  };
  await remove(resources.deployments, operatorName, operatorNamespace);
  for (const { crd, instances } of broughtKinds) {
    // In a dry run they are still there.
    const left = wec.dryRun ? [] : await wec.list(instances);
    if (left?.length)
      run.progress.note(`The kind ${crd} stays on ${wec.cluster.context}: there are ${left.length} of it.`);
    else await remove(resources.customResourceDefinitions, crd);
  }
  await remove(resources.clusterRoleBindings, operatorName);
  await remove(resources.clusterRoles, operatorName);
  run.progress.waiting(name, 'its namespaces are being removed');
  const namespaces = await Promise.all(
    [agentNamespace, addonNamespace, operatorNamespace].map((namespace) => wec.get(resources.namespaces, namespace)),
  );
  const present = namespaces.filter((namespace) => namespace !== undefined);
  for (const { metadata } of present) await remove(resources.namespaces, metadata.name);
  await Promise.all(present.map((namespace) => untilGone(wec, namespace, run, resources.namespaces)));
  // Kubernetes' own controller may have made it again, empty, after the operator had deleted it with what it aggregates.
  await remove(resources.clusterRoles, `open-cluster-management:${klusterletName}-work:aggregate`);
  return removed;
}
