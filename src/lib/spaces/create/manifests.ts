import { resources } from '../../kube/resources.ts';
import { hookNames, type ItsType, type SecretKeys, secretOf, systemNamespace } from '../names.ts';
import type { ControlPlane, HookUse } from '../objects.ts';
import type { WdsInput } from './create-wds.ts';
import type { ItsForWds } from './its-for-wds.ts';

/**
 * A control plane as KubeStellar's core chart makes it (core-chart/templates/controlplanes of 0.29 and 0.30). KubeFlex is to wait for the
 * hooks' Jobs and Deployments: otherwise it calls a space ready whose hooks have only begun.
 */
function controlPlane(name: string, type: string, hooks: HookUse[], globalVars: Record<string, string>): ControlPlane {
  const { apiVersion, kind } = resources.controlPlanes;
  return {
    apiVersion,
    kind,
    metadata: { name },
    spec: { backend: 'shared', type, waitForPostCreateHooks: true, postCreateHooks: hooks, globalVars },
  };
}

/** @param hooks those that it is to have, in order */
export function itsManifest(name: string, type: ItsType, hooks: readonly string[]): ControlPlane {
  const secret = secretOf[type] as SecretKeys;
  const its = controlPlane(
    name,
    type,
    hooks.map((hookName) => ({ hookName })),
    // The key is called ITSkubeconfig in the hooks of 0.29, ITSSecretKey since 0.30.
    { ITSSecretName: secret.name, ITSSecretKey: secret.inside, ITSkubeconfig: secret.inside },
  );
  if (type === 'external') its.spec = { ...its.spec, bootstrapSecretRef: bootstrapSecretOf(name) };
  return its;
}

/** Where the kubeconfig lies by which KubeFlex enters an external cluster for the first time. */
export const bootstrapSecretOf = (name: string) => ({
  name: `${name}-bootstrap`,
  namespace: systemNamespace,
  inClusterKey: 'kubeconfig-incluster',
});

/** Marks the Secret as ours, for the time after its control plane. */
export const bootstrapLabels = { 'app.kubernetes.io/managed-by': 'stellarctl' };

export function wdsManifest(
  { name, type, apiGroups }: WdsInput,
  { itsName, transportHook }: Pick<ItsForWds, 'itsName' | 'transportHook'>,
): ControlPlane {
  const secret = secretOf[type] as SecretKeys;
  return controlPlane(
    name,
    type,
    [
      { hookName: hookNames.controller, vars: { APIGroups: apiGroups.join(',') } },
      // The key is called WDSkubeconfig in the hook of 0.29, WDSSecretKey since 0.30.
      {
        hookName: transportHook,
        vars: { WDSSecretName: secret.name, WDSSecretKey: secret.inside, WDSkubeconfig: secret.inside },
      },
    ],
    { ControlPlaneName: name, ITSName: itsName },
  );
}
