import type { KubeObject } from '../kube/objects.ts';

/** A condition as KubeFlex writes it: every field is present, even if empty. */
interface ControlPlaneCondition {
  type: 'Ready' | 'Synced';
  status: 'True' | 'False';
  reason: string;
  message: string;
  lastUpdateTime: string;
  lastTransitionTime: string;
}

interface HookUse {
  hookName: string;
  vars?: Record<string, string>;
}

export interface ControlPlane extends KubeObject {
  spec: {
    type: 'k8s' | 'ocm' | 'vcluster' | 'host' | 'external' | 'k3s';
    backend?: 'shared' | 'dedicated';
    bootstrapSecretRef?: { name: string; namespace: string; inClusterKey: string };
    tokenExpirationSeconds?: number;
    postCreateHook?: string;
    postCreateHookVars?: Record<string, string>;
    postCreateHooks?: HookUse[];
    globalVars?: Record<string, string>;
    waitForPostCreateHooks?: boolean;
  };
  status?: ControlPlaneStatus;
}

interface ControlPlaneStatus {
  conditions: ControlPlaneCondition[];
  observedGeneration: number;
  postCreateHooks?: Record<string, boolean>;
  postCreateHookCompleted?: boolean;
  secretRef?: { namespace: string; name: string; key: string; inClusterKey: string };
}
