import type { Api, Connection } from '../kube/api.ts';
import { controlPlanes } from '../kube/resources.ts';
import type { RestMapper } from '../kube/rest-mapper.ts';
import { isTransient, Reconciled } from './cluster.ts';
import { available, reconcileError, reconcileSuccess, unavailable, waitingForHooks } from './conditions.ts';
import { letGo } from './deletion.ts';
import { reconcileExternal } from './external.ts';
import { reconcileHooks } from './hooks.ts';
import { reconcileHost } from './host.ts';
import { reconcileK8s } from './k8s.ts';
import {
  adminSecret,
  finalizer,
  inClusterKey,
  kubeconfigKey,
  vclusterInClusterKey,
  vclusterKey,
  vclusterSecret,
} from './names.ts';
import type { ControlPlane } from './objects.ts';
import { ocmSecret, reconcileOcm } from './ocm.ts';
import { isApiServerReady, isApiServing } from './readiness.ts';
import { reconcileVcluster } from './vcluster.ts';

export interface Manager {
  api: Api;
  mapper: RestMapper;
  connect: (connection: Connection) => Api;
  /** KubeFlex's own version: the tag of its images. */
  version: string;
  /** Milliseconds until it rechecks an API server that does not answer, and incomplete hooks. */
  periods: { apiServer: number; hooks: number };
}

/**
 * Reconciles one control plane (internal/controller/controlplane_controller.go of kubestellar/kubeflex): returns the milliseconds
 * until the next reconciliation, if any, and throws for a retry with back-off.
 */
export async function reconcile(manager: Manager, name: string): Promise<number | undefined> {
  const { api, connect, periods } = manager;
  const found = await api.find<ControlPlane>(controlPlanes, name);
  if (!found) return undefined;
  const its = new Reconciled(api, found);
  its.prepareStatus({ observedGeneration: found.metadata.generation ?? 0 });
  if (found.metadata.deletionTimestamp) {
    await letGo(its);
    return undefined;
  }
  const { finalizers = [] } = found.metadata;
  if (!finalizers.includes(finalizer)) await its.updateMetadata({ finalizers: [...finalizers, finalizer] });
  await sync(its, manager);
  await its.refresh();
  const isReady = await isApiServerReady(its);
  if (!isReady || !(await isApiServing(its, connect))) {
    its.prepareCondition(unavailable);
    await its.writeStatus();
    return periods.apiServer;
  }
  const { postCreateHook, postCreateHooks = [], waitForPostCreateHooks } = its.controlPlane.spec;
  if (postCreateHook !== undefined || postCreateHooks.length > 0) {
    await reconcileHooks(its, manager.mapper);
    await its.refresh();
  }
  const isWaiting = waitForPostCreateHooks === true && !its.controlPlane.status?.postCreateHookCompleted;
  its.prepareCondition(isWaiting ? waitingForHooks : available);
  await its.writeStatus();
  return isWaiting ? periods.hooks : undefined;
}

/** The type's requirements, and their result: condition Synced. */
async function sync(its: Reconciled, manager: Manager): Promise<void> {
  const { type } = its.controlPlane.spec;
  try {
    await its.ensure({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: its.namespace } });
    if (type === 'host') await reconcileHost(its);
    else if (type === 'external') await reconcileExternal(its, manager.connect);
    else if (type === 'vcluster') await reconcileVcluster(its, await its.config(), manager.version);
    else if (type === 'ocm') await reconcileOcm(its);
    else if (type === 'k8s') await reconcileK8s(its, await its.config());
    else throw new Error(`unsupported control plane type: ${type}`);
  } catch (error) {
    if (type === 'vcluster' && isTransient(error)) throw error;
    its.prepareCondition(reconcileError(error as Error));
    await its.writeStatus();
    throw error;
  }
  const { namespace } = its;
  const secretRef =
    type === 'vcluster'
      ? { namespace, name: vclusterSecret, key: vclusterKey, inClusterKey: vclusterInClusterKey }
      : type === 'ocm'
        ? { namespace, name: ocmSecret, key: kubeconfigKey, inClusterKey: '' }
        : // For types host and external as well, whose Secrets have no such key.
          { namespace, name: adminSecret, key: kubeconfigKey, inClusterKey };
  its.prepareStatus({ secretRef });
  its.prepareCondition(reconcileSuccess);
  await its.writeStatus();
}
