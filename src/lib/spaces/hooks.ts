import type { Kube } from '../kube/client/client.ts';
import type { KubeObject } from '../kube/objects.ts';
import { resources } from '../kube/resources.ts';
import { namespaceOf } from '../model/kubeflex-names.ts';
import type { ControlPlane, PostCreateHook } from '../model/kubeflex-objects.ts';

/** Makes KubeFlex run hooks again, whose objects are missing: it runs none that a control plane's status lists as done. */
export async function forgetHooks(
  hosting: Kube,
  { metadata, status }: ControlPlane,
  hooks: readonly string[],
): Promise<void> {
  const marked = hooks.filter((hook) => status?.postCreateHooks?.[hook] === true);
  if (marked.length === 0) return;
  const postCreateHooks = Object.fromEntries(marked.map((hook) => [hook, null]));
  await hosting.merge(
    resources.controlPlanes,
    metadata.name,
    { status: { postCreateHooks, postCreateHookCompleted: false } },
    { subresource: 'status' },
  );
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

/** Hooks of another version may require variables that a control plane lacks, such as WDSSecretKey since 0.30. */
export function missingVariables({ spec }: ControlPlane, hooks: readonly PostCreateHook[]): string[] {
  const missing = hooks.flatMap((hook) => {
    const use = spec?.postCreateHooks?.find(({ hookName }) => hookName === hook.metadata.name);
    const defaults = (hook.spec?.defaultVars ?? []).map(({ name }) => name);
    const given = [...ofKubeFlex, ...defaults, ...Object.keys({ ...spec?.globalVars, ...use?.vars })];
    const needed = [...JSON.stringify(hook.spec?.templates ?? []).matchAll(variable)].map(([, key = '']) => key);
    return needed.filter((key) => !given.includes(key));
  });
  return [...new Set(missing)];
}
