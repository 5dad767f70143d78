/**
 * The observed behaviour of KubeFlex 0.9.3's manager, distilled from records: the states of the conditions in order, and the final
 * objects. Names are those of the test.
 */
import type { State } from './sequences.ts';

export interface ControlPlaneRecord {
  synced: State[];
  ready: State[];
  labels?: Record<string, string>;
  hooks?: Record<string, boolean>;
  secretRef?: Record<'name' | 'key' | 'inClusterKey', string>;
  /** The Secrets of its namespace with their keys. */
  secrets: Record<string, string[]>;
  /** The other requested objects of its namespace. */
  objects: string[];
}

const synced: State = { status: 'True', reason: 'ReconcileSuccess', message: '' };
const available: State = { status: 'True', reason: 'Available', message: '' };
const unavailable: State = { status: 'False', reason: 'Unavailable', message: '' };
const waiting: State = {
  status: 'False',
  reason: 'WaitingForPostCreateHooks',
  message: 'Waiting for PostCreateHook completion',
};

function failed(message: string): State {
  return { status: 'False', reason: 'ReconcileError', message };
}

function passing(state: State): State {
  return { ...state, passing: true };
}

/** The real manager's messages before it sees what it has just created: not always the same, and not always both. */
function tokenMissing(name: string): State[] {
  const secret = `token not ready yet for service account secret ${name}, requeing`;
  return [passing(failed(`Secret "${name}" not found`)), passing(failed(secret))];
}

/** For types host and external too, although there is no such key in their Secret. */
const adminRef = { name: 'admin-kubeconfig', key: 'kubeconfig', inClusterKey: 'kubeconfig-incluster' };
const tokenKeys = ['ca.crt', 'namespace', 'token'];

/** controlplane-host.json: a hook's Job that has completed, and another one that has not. */
export const host = (name: string): ControlPlaneRecord => ({
  synced: [...tokenMissing(name), synced],
  ready: [waiting],
  labels: { 'kflex.kubestellar.io/cptype': 'its' },
  hooks: { 'its-hub-init': true },
  secretRef: adminRef,
  secrets: { 'admin-kubeconfig': ['kubeconfig-incluster'], [name]: tokenKeys },
  objects: ['Job/install-status-addon', 'Job/its-hub-init'],
});

/** controlplane-external.json */
export const external: ControlPlaneRecord = {
  synced: [synced],
  ready: [waiting],
  secretRef: adminRef,
  secrets: { 'admin-kubeconfig': ['kubeconfig-incluster'] },
  objects: ['Job/its-hub-init'],
};

/** controlplane-missing-hook.json: no condition reports it. */
export const missingHook = (name: string): ControlPlaneRecord => ({
  synced: [...tokenMissing(name), synced],
  ready: [],
  secretRef: adminRef,
  secrets: { 'admin-kubeconfig': ['kubeconfig-incluster'], [name]: tokenKeys },
  objects: [],
});

const certificates = [
  'apiserver-kubelet-client.crt',
  'apiserver-kubelet-client.key',
  'apiserver.crt',
  'apiserver.key',
  'ca.crt',
  'ca.key',
  'front-proxy-ca.crt',
  'front-proxy-client.crt',
  'front-proxy-client.key',
  'sa.key',
  'sa.pub',
];
const k8sSecrets = {
  'admin-kubeconfig': ['kubeconfig', 'kubeconfig-incluster'],
  'cm-kubeconfig': ['kubeconfig'],
  'k8s-certs': certificates,
};

/** controlplane-k8s.json: without PostgreSQL it stops there. */
export const k8sWithoutPostgres = (name: string): ControlPlaneRecord => ({
  synced: [failed('Secret "postgres-postgresql" not found')],
  ready: [],
  secrets: k8sSecrets,
  objects: [`Ingress/${name}`, `Service/${name}`],
});

/** From the source: with PostgreSQL it continues. */
export const k8s = (name: string): ControlPlaneRecord => ({
  synced: [passing(failed('Secret "postgres-postgresql" not found')), synced],
  ready: [unavailable, available],
  secretRef: adminRef,
  secrets: k8sSecrets,
  objects: ['Deployment/kube-apiserver', 'Deployment/kube-controller-manager', `Ingress/${name}`, `Service/${name}`],
});

/** From the source: the record ends with the failed download of the chart. */
export const vcluster = (name: string): ControlPlaneRecord => ({
  synced: [failed('failed to get kubeconfig secret: Secret "vc-vcluster" not found'), synced],
  ready: [passing(unavailable), available],
  secretRef: { name: 'vc-vcluster', key: 'config', inClusterKey: 'config-incluster' },
  secrets: {
    'sh.helm.release.v1.vcluster.v1': ['release'],
    'vc-vcluster': ['certificate-authority', 'client-certificate', 'client-key', 'config', 'config-incluster'],
  },
  objects: [
    `Ingress/${name}`,
    'Job/update-cluster-info',
    'Service/vcluster',
    'Service/vcluster-nodeport',
    'StatefulSet/vcluster',
  ],
});
