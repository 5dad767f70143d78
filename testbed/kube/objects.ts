/** The few fields of Kubernetes' objects that the bed reads or writes. Fields that it only passes on are not declared. */

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

interface ObjectMeta {
  name: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
}

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

/** An object of a kind without its own type in the bed. */
export interface AnyObject extends KubeObject {
  [field: string]: unknown;
}

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  lastTransitionTime?: string;
  observedGeneration?: number;
}

export interface Secret extends KubeObject {
  type?: string;
  data?: Record<string, string>;
  stringData?: Record<string, string>;
}

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

export interface Namespace extends KubeObject {
  status?: { phase?: string; conditions?: Condition[] };
}

export interface Lease extends KubeObject {
  spec: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

export interface Deployment extends KubeObject {
  spec: { replicas?: number; template: { spec: PodSpec } } & Record<string, unknown>;
  status?: {
    observedGeneration?: number;
    replicas?: number;
    readyReplicas?: number;
    availableReplicas?: number;
    unavailableReplicas?: number;
    updatedReplicas?: number;
  };
}

export interface Service extends KubeObject {
  spec: {
    clusterIP?: string;
    selector?: Record<string, string>;
    ports?: { name?: string; port: number; targetPort?: number | string; nodePort?: number }[];
  };
}

export interface Container {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  env?: EnvVar[];
  ports?: { name?: string; containerPort: number; hostPort?: number }[];
  volumeMounts?: { name: string; mountPath: string; subPath?: string }[];
}

interface KeyRef {
  name: string;
  key: string;
  optional?: boolean;
}

export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: { fieldRef?: { fieldPath: string }; secretKeyRef?: KeyRef; configMapKeyRef?: KeyRef };
}

export interface Volume {
  name: string;
  secret?: { secretName: string; optional?: boolean; items?: { key: string; path: string }[] };
  emptyDir?: object;
  downwardAPI?: { items: { path: string; fieldRef: { fieldPath: string } }[] };
  [source: string]: unknown;
}

interface PodSpec {
  nodeName?: string;
  priority?: number;
  serviceAccountName?: string;
  restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  terminationGracePeriodSeconds?: number;
  initContainers?: Container[];
  containers: Container[];
  volumes?: Volume[];
}

export interface ContainerState {
  waiting?: { reason: string; message?: string };
  running?: { startedAt: string };
  terminated?: {
    exitCode: number;
    reason: string;
    message?: string;
    startedAt?: string;
    finishedAt?: string;
  };
}

export interface ContainerStatus {
  name: string;
  image: string;
  imageID: string;
  ready: boolean;
  started: boolean;
  restartCount: number;
  state: ContainerState;
  lastState: ContainerState;
}

export interface Pod extends KubeObject {
  spec: PodSpec;
  status?: {
    phase?: string;
    reason?: string;
    conditions?: Condition[];
    startTime?: string;
    hostIP?: string;
    podIP?: string;
    initContainerStatuses?: ContainerStatus[];
    containerStatuses?: ContainerStatus[];
  };
}

export interface CertificateSigningRequest extends KubeObject {
  spec: {
    request: string;
    signerName: string;
    usages: string[];
    expirationSeconds?: number;
    username?: string;
    uid?: string;
    groups?: string[];
    extra?: Record<string, string[]>;
  };
  status?: { certificate?: string; conditions?: CsrCondition[] };
}

interface CsrCondition extends Omit<Condition, 'lastTransitionTime'> {
  lastUpdateTime?: string;
}

interface Taint {
  key: string;
  value?: string;
  effect: string;
  timeAdded?: string | null;
}

export interface ManagedCluster extends KubeObject {
  spec: {
    hubAcceptsClient?: boolean;
    leaseDurationSeconds?: number;
    managedClusterClientConfigs?: { url: string; caBundle?: string }[];
    taints?: Taint[];
  };
  status?: {
    conditions?: Condition[];
    version?: { kubernetes?: string };
    capacity?: Record<string, string>;
    allocatable?: Record<string, string>;
    clusterClaims?: { name: string; value: string }[];
  };
}

export interface Klusterlet extends KubeObject {
  spec?: {
    clusterName?: string;
    namespace?: string;
    deployOption?: { mode?: string };
    externalServerURLs?: { url?: string }[];
    imagePullSpec?: string;
    registrationImagePullSpec?: string;
    workImagePullSpec?: string;
    registrationConfiguration?: {
      clientCertExpirationSeconds?: number;
      clusterAnnotations?: Record<string, string>;
      kubeAPIQPS?: number;
      kubeAPIBurst?: number;
      featureGates?: { feature: string; mode?: string }[];
    };
    workConfiguration?: {
      appliedManifestWorkEvictionGracePeriod?: string;
      featureGates?: { feature: string; mode?: string }[];
    };
  };
  status?: {
    conditions?: Condition[];
    observedGeneration?: number;
    generations?: unknown[];
    relatedResources?: unknown[];
  };
}

/** One object of a work, as AppliedManifestWork lists it. */
interface AppliedResource {
  group: string;
  version: string;
  resource: string;
  namespace: string;
  name: string;
  uid: string;
}

export interface ManifestWork extends KubeObject {
  spec: {
    workload: { manifests: AnyObject[] };
    deleteOption?: {
      propagationPolicy?: 'Foreground' | 'Orphan' | 'SelectivelyOrphan';
      selectivelyOrphans?: {
        orphaningRules: { group?: string; resource: string; namespace?: string; name: string }[];
      };
    };
    manifestConfigs?: {
      resourceIdentifier: ResourceIdentifier;
      feedbackRules?: { type: string }[];
      updateStrategy?: { type: 'Update' | 'CreateOnly' | 'ServerSideApply' | 'ReadOnly' };
    }[];
  };
  status?: { conditions?: Condition[]; resourceStatus?: { manifests?: ManifestStatus[] } };
}

interface ManifestStatus {
  conditions: Condition[];
  resourceMeta: ResourceMeta;
  statusFeedback: { values?: FeedbackValue[] };
}

interface ResourceIdentifier {
  group: string;
  resource: string;
  namespace: string;
  name: string;
}

interface FeedbackValue {
  name: string;
  fieldValue: { type: 'Integer'; integer: number };
}

interface ResourceMeta {
  ordinal: number;
  group: string;
  version: string;
  kind: string;
  resource: string;
  namespace: string;
  name: string;
}

export interface AppliedManifestWork extends KubeObject {
  spec: { hubHash: string; agentID: string; manifestWorkName: string };
  status?: { appliedResources?: AppliedResource[]; evictionStartTime?: string | null };
}
