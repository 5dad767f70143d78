import type { Condition, KubeObject } from '../../kube/client/objects.ts';

/** cluster.open-cluster-management.io/v1, as far as stellarctl reads it. */
export interface ManagedCluster extends KubeObject {
  spec?: { hubAcceptsClient?: boolean; leaseDurationSeconds?: number };
  status?: { conditions?: Condition[]; version?: { kubernetes?: string } };
}

export type KlusterletMode = 'Singleton' | 'Default' | 'Hosted' | 'SingletonHosted';

/** operator.open-cluster-management.io/v1, as far as stellarctl reads it. */
export interface Klusterlet extends KubeObject {
  spec?: {
    clusterName?: string;
    namespace?: string;
    deployOption?: { mode?: KlusterletMode };
    externalServerURLs?: { url: string }[];
    imagePullSpec?: string;
    registrationImagePullSpec?: string;
    workConfiguration?: { appliedManifestWorkEvictionGracePeriod?: string };
    workImagePullSpec?: string;
    registrationConfiguration?: { featureGates?: { feature: string; mode?: string }[] };
  };
  status?: { conditions?: Condition[]; observedGeneration?: number };
}

/** operator.open-cluster-management.io/v1, as far as stellarctl reads it. */
export interface ClusterManager extends KubeObject {
  spec?: {
    registrationImagePullSpec?: string;
    workImagePullSpec?: string;
    placementImagePullSpec?: string;
    addOnManagerImagePullSpec?: string;
    deployOption?: { mode?: string };
  };
  status?: { observedGeneration?: number };
}
