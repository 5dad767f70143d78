/**
 * Names of Open Cluster Management's registration protocol. Source: github.com/open-cluster-management-io/ocm,
 * manifests/, pkg/registration and pkg/operator/helpers/helpers.go, as of v1.3.1.
 */
import type { KubeObject } from '../../kube/client/objects.ts';

/**
 * The namespace of the operators: on a hub the cluster manager and the bootstrap service account, on a WEC the klusterlet operator.
 */
export const operatorNamespace = 'open-cluster-management';
/** The namespace of a hub's controllers. */
export const hubNamespace = 'open-cluster-management-hub';
/** The namespace of a WEC's agents. */
export const agentNamespace = 'open-cluster-management-agent';

/** The add-on of KubeStellar that returns statuses. */
export const statusAddon = 'addon-status';
/** Its Deployment on a WEC (ocm-status-addon, pkg/controller/manifests). */
export const statusAgent = 'status-agent';

/** The namespace of a WEC's add-ons. */
export const addonNamespace = 'open-cluster-management-agent-addon';

export const clusterManagerName = 'cluster-manager';
/** A hub's Deployment that approves and registers, and the Lease that its leader holds (ocm pkg/cmd/hub: component name and `-lock`). */
export const registrationController = 'cluster-manager-registration-controller';
export const registrationLock = 'registration-controller-lock';
/** The Deployment, and the Service, of a hub's webhooks for ManagedClusters. */
export const webhookName = 'cluster-manager-registration-webhook';
export const klusterletName = 'klusterlet';
/** The operator's Deployment, service account, ClusterRole and ClusterRoleBinding on a WEC. */
export const operatorName = 'klusterlet';
export const klusterletCrdName = 'klusterlets.operator.open-cluster-management.io';

export const pullSecretName = 'open-cluster-management-image-pull-credentials';
export const bootstrapSecretName = 'bootstrap-hub-kubeconfig';
/** Written by the agent once its certificate is issued. */
export const hubSecretName = 'hub-kubeconfig-secret';
export const leaseName = 'managed-cluster-lease';

/** The group of a WEC's agents; their user names are the group, a colon and the agent's id. */
export const identityOf = (wec: string) => `system:open-cluster-management:${wec}`;

/** The WEC whose agent has sent a request that is labelled for another one, by the user name of the requester. */
export function foreignAgent(username = '', wec = ''): string | undefined {
  const [, sender] = /^system:open-cluster-management:([^:]+):[^:]+$/.exec(username) ?? [];
  return sender === wec ? undefined : sender;
}

export const clusterNameLabel = 'open-cluster-management.io/cluster-name';
/** Requests of add-ons carry it besides the cluster's name; requests of a WEC's agent do not. */
export const addonNameLabel = 'open-cluster-management.io/addon-name';
/** Selects everything that carries a WEC's name, without the requests of add-ons. */
export const registrationRequestSelector = `${clusterNameLabel},!${addonNameLabel}`;

/** The service account whose tokens agents register with. */
export const bootstrapServiceAccount = 'agent-registration-bootstrap';

/** The service account of one WEC, on a hub that does not record with which token a request was sent. */
export const bootstrapAccountOf = (wec: string) => `stellarctl-bootstrap-${wec}`;

/**
 * Set to `true` on a ManagedCluster, its clock may differ from that of the hub: the times in its Lease are then no evidence (OCM after
 * 1.3.1, pkg/registration/hub/lease/clocksynccontroller.go).
 */
export const skipClockAnnotation = 'registration.open-cluster-management.io/skip-clock-sync-check';

export const managedClusterCrd = 'managedclusters.cluster.open-cluster-management.io';

/**
 * Converts an OCM version as users write it (`1.3.1`, `v1.3.1`) to the tag of OCM's images (`v1.3.1`); other tags stay as they are.
 */
export function tagOf(version: string): string {
  return /^\d/.test(version) ? `v${version}` : version;
}

/** The form of OCM's versions, including pre-releases: anything else would become the tag of images that do not exist. */
export const isOcmVersion = (text: string) =>
  /^v?\d+\.\d+\.\d+(-[0-9A-Za-z][0-9A-Za-z.-]*)?$/.test(text);

/** Marks what stellarctl has installed: an operator that another program installed is recognized and kept. */
export const managedByLabel = 'app.kubernetes.io/managed-by';
export const managedBy = 'stellarctl';
export const isOurs = <T extends KubeObject>(object: T | undefined): object is T =>
  object?.metadata.labels?.[managedByLabel] === managedBy;

/** Labels by which policies may select a cluster: all except OCM's own, which OCM sets again. */
export const selectableLabels = ({ metadata: { labels = {} } }: KubeObject) =>
  Object.fromEntries(
    Object.entries(labels).filter(([key]) => !/(^|\.)open-cluster-management\.io\//.test(key)),
  );
