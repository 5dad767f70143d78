import type { Kube } from '../kube/client/client.ts';
import type { KubeObject } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import { namespaceOf, type SecretKeys, secretOf } from '../ocm/kubeflex-names.ts';
import type { ControlPlane, PostCreateHook } from '../ocm/kubeflex-objects.ts';
import { typeOf } from './spaces.ts';

/** Makes KubeFlex run hooks again, whose objects are missing: it runs none that a control plane's status lists as done. */
export async function forgetHooks(hosting: Kube, { metadata, status }: ControlPlane, hooks: readonly string[]) {
  const marked = hooks.filter((hook) => status?.postCreateHooks?.[hook] === true);
  if (marked.length === 0) return;
  const postCreateHooks = Object.fromEntries(marked.map((hook) => [hook, null]));
  const patch = { status: { postCreateHooks, postCreateHookCompleted: false } };
  await hosting.merge(resources.controlPlanes, metadata.name, patch, { subresource: 'status' });
}

/**
 * The objects of a hook, with their names for a control plane. KubeFlex fills in the same variables (pkg/reconcilers/shared/postcreate_hook.go).
 */
export function objectsOfHook({ metadata: { name } }: ControlPlane, hook: PostCreateHook): KubeObject[] {
  const values: Record<string, string> = {
    ControlPlaneName: name,
    Namespace: namespaceOf(name),
    HookName: hook.metadata.name,
  };
  return (hook.spec?.templates ?? []).map(({ apiVersion = '', kind = '', metadata }) => {
    const filled = metadata.name.replace(variable, (text, key: string) => values[key] ?? text);
    return { apiVersion, kind, metadata: { name: filled } };
  });
}

const variable = /\{\{\s*\.(\w+)\s*\}\}/g;
const ofKubeFlex = ['ControlPlaneName', 'Namespace', 'HookName'];

/**
 * The variables that hooks of another version need and a control plane lacks, such as WDSSecretKey since 0.30: with the values that
 * follow from its name and type, and without.
 */
export function missingVariables(
  controlPlane: ControlPlane,
  hooks: readonly PostCreateHook[],
): { known: Record<string, string>; unknown: string[] } {
  const { spec } = controlPlane;
  const missing = hooks.flatMap((hook) => {
    const use = spec?.postCreateHooks?.find(({ hookName }) => hookName === hook.metadata.name);
    const defaults = (hook.spec?.defaultVars ?? []).map(({ name }) => name);
    const given = [...ofKubeFlex, ...defaults, ...Object.keys({ ...spec?.globalVars, ...use?.vars })];
    const needed = [...JSON.stringify(hook.spec?.templates ?? []).matchAll(variable)].map(([, key = '']) => key);
    return needed.filter((key) => !given.includes(key));
  });
  const type = typeOf(controlPlane);
  const values: Record<string, string> = type in secretOf ? { ...itsVariables(type), ...wdsVariables(type) } : {};
  const known = missing.filter((key) => values[key] !== undefined);
  return {
    known: Object.fromEntries(known.map((key) => [key, values[key] ?? ''])),
    unknown: [...new Set(missing)].filter((key) => !known.includes(key)),
  };
}

/** Variables of the hooks of an ITS: its Secret. The key is ITSkubeconfig in the hooks of 0.29, ITSSecretKey since 0.30. */
export function itsVariables(type: string): Record<string, string> {
  const { name, inside } = secretOf[type] as SecretKeys;
  return { ITSSecretName: name, ITSSecretKey: inside, ITSkubeconfig: inside };
}

/** Variables of the transport's hook: the Secret of the WDS. The key is WDSkubeconfig in the hook of 0.29, WDSSecretKey since 0.30. */
export function wdsVariables(type: string): Record<string, string> {
  const { name, inside } = secretOf[type] as SecretKeys;
  return { WDSSecretName: name, WDSSecretKey: inside, WDSkubeconfig: inside };
}
