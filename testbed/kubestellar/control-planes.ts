import type { Condition, KubeObject } from '../kube/objects.ts';

/** A KubeFlex control plane, as far as KubeStellar's programs read it. */
export interface ControlPlane extends KubeObject {
  status?: {
    conditions?: Condition[];
    secretRef?: { namespace: string; name: string; inClusterKey: string };
  };
}
