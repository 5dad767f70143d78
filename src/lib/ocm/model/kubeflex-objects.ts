import type { KubeObject, WithConditions } from '../../kube/client/objects.ts';

export interface HookUse {
  hookName: string;
  vars?: Record<string, string>;
}

/** tenancy.kflex.kubestellar.org/v1alpha1 ControlPlane (kubeflex api/v1alpha1/controlplane_types.go), the fields in use. */
export interface ControlPlane extends WithConditions {
  spec?: {
    type?: string;
    waitForPostCreateHooks?: boolean;
    postCreateHook?: string;
    postCreateHookVars?: Record<string, string>;
    postCreateHooks?: HookUse[];
    globalVars?: Record<string, string>;
    /** For type external: the requested lifetime of KubeFlex's token. */
    tokenExpirationSeconds?: number;
    bootstrapSecretRef?: { name: string; namespace: string; inClusterKey?: string };
  };
  status?: NonNullable<WithConditions['status']> & {
    /** The generation that KubeFlex has observed. */
    observedGeneration?: number;
    postCreateHooks?: Record<string, boolean>;
  };
}

export interface PostCreateHook extends KubeObject {
  spec?: { templates?: KubeObject[]; defaultVars?: { name: string; value: string }[] };
}
