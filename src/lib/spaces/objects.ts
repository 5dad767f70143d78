import type { KubeObject, WithConditions } from '../kube/objects.ts';

export interface HookUse {
  hookName: string;
  vars?: Record<string, string>;
}

/** tenancy.kflex.kubestellar.org/v1alpha1 ControlPlane (kubeflex api/v1alpha1/controlplane_types.go), as much of it as is used here. */
export interface ControlPlane extends WithConditions {
  spec?: {
    type?: string;
    backend?: string;
    waitForPostCreateHooks?: boolean;
    postCreateHook?: string;
    postCreateHookVars?: Record<string, string>;
    postCreateHooks?: HookUse[];
    globalVars?: Record<string, string>;
    /** Of type external: how long KubeFlex's token is to be good for. */
    tokenExpirationSeconds?: number;
    bootstrapSecretRef?: { name: string; namespace: string; inClusterKey?: string };
  };
  status?: NonNullable<WithConditions['status']> & {
    /** The generation that KubeFlex works by. */
    observedGeneration?: number;
    postCreateHooks?: Record<string, boolean>;
    postCreateHookCompleted?: boolean;
  };
}

export interface PostCreateHook extends KubeObject {
  spec?: { templates?: KubeObject[]; defaultVars?: { name: string; value: string }[] };
}
