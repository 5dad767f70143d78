import type { Condition, KubeObject } from '../kube/objects.ts';

/** cluster.open-cluster-management.io/v1, as far as stellarctl reads it. */
export interface ManagedCluster extends KubeObject {
  spec?: { hubAcceptsClient?: boolean; leaseDurationSeconds?: number };
  status?: { conditions?: Condition[]; version?: { kubernetes?: string } };
}

/** certificates.k8s.io/v1, as far as stellarctl reads it. */
export interface CertificateSigningRequest extends KubeObject {
  spec: {
    /** PEM of a PKCS#10 request, base64. */
    request: string;
    signerName: string;
    usages?: string[];
    username?: string;
    groups?: string[];
    /** What else the API server knows of the requester; since Kubernetes 1.30 the credential of the request. */
    extra?: Record<string, string[]>;
  };
  status?: {
    conditions?: (Omit<Condition, 'type'> & { type: 'Approved' | 'Denied' | 'Failed'; lastUpdateTime?: string })[];
    /** PEM, base64; present once issued. */
    certificate?: string;
  };
}

export type KlusterletMode = 'Singleton' | 'Default' | 'Hosted' | 'SingletonHosted';

/** operator.open-cluster-management.io/v1, as far as stellarctl reads it. */
export interface Klusterlet extends KubeObject {
  spec?: {
    clusterName?: string;
    namespace?: string;
    deployOption?: { mode?: KlusterletMode };
    imagePullSpec?: string;
    registrationImagePullSpec?: string;
    workConfiguration?: { appliedManifestWorkEvictionGracePeriod?: string };
    workImagePullSpec?: string;
  };
  status?: { conditions?: Condition[]; observedGeneration?: number };
}

/** operator.open-cluster-management.io/v1, as far as stellarctl reads it. */
export interface ClusterManager extends KubeObject {
  spec?: {
    registrationImagePullSpec?: string;
    registrationConfiguration?: { registrationDrivers?: { authType?: string }[] };
  };
}
