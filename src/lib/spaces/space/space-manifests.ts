import type { Kube } from '../../kube/client/client.ts';
import { type KubeObject, resources, typeMeta } from '../../kube/client/objects.ts';
import {
  hookNames,
  type ItsType,
  managerAdminBinding,
  managerName,
  namespaceOf,
  type SecretKeys,
  secretOf,
  systemNamespace,
  type WdsType,
} from '../../ocm/model/kubeflex-names.ts';
import type { ControlPlane, HookUse, PostCreateHook } from '../../ocm/model/kubeflex-objects.ts';
import { coreChart } from '../hosting/core-chart.ts';
import type { ItsForWds } from './its-for-wds.ts';
import { typeOf } from './spaces.ts';

/**
 * Builds a control plane as KubeStellar's core chart does (core-chart/templates/controlplanes of 0.29 and 0.30). KubeFlex must wait
 * for the hooks' Jobs and Deployments: otherwise it reports a space as ready while its hooks are still running.
 */
function controlPlane(
  name: string,
  type: string,
  hooks: HookUse[],
  globalVars: Record<string, string>,
): ControlPlane {
  const spec = {
    backend: 'shared',
    type,
    waitForPostCreateHooks: true,
    postCreateHooks: hooks,
    globalVars,
  };
  return { ...typeMeta(resources.controlPlanes), metadata: { name }, spec };
}

/** @param hooks its hooks, in order */
export function itsManifest(name: string, type: ItsType, hooks: readonly string[]): ControlPlane {
  const uses = hooks.map((hookName) => ({ hookName }));
  const its = controlPlane(name, type, uses, secretVariables('ITS', type));
  if (type === 'external') its.spec = { ...its.spec, bootstrapSecretRef: bootstrapSecretOf(name) };
  return its;
}

/** The Secret with the kubeconfig for KubeFlex's first access to an external cluster. */
export const bootstrapSecretOf = (name: string) => ({
  name: `${name}-bootstrap`,
  namespace: systemNamespace,
  inClusterKey: 'kubeconfig-incluster',
});

export function wdsManifest(
  { name, type, apiGroups }: WdsInput,
  { itsName, transportHook }: Pick<ItsForWds, 'itsName' | 'transportHook'>,
): ControlPlane {
  const hooks = [
    { hookName: hookNames.controller, vars: { APIGroups: apiGroups.join(',') } },
    { hookName: transportHook, vars: secretVariables('WDS', type) },
  ];
  return controlPlane(name, type, hooks, { ControlPlaneName: name, ITSName: itsName });
}

export interface WdsInput {
  name: string;
  type: WdsType;
  /** The ITS to send workloads through; default: the only one. */
  itsName: string | undefined;
  /** API groups to watch; empty means all. */
  apiGroups: readonly string[];
  /** The registry that the hooks must name; undefined: the one that they name. */
  imageRegistry?: string | undefined;
}

/**
 * The binding that KubeFlex's manager lacks for a control plane of this type. The core chart creates the same binding if it lists a
 * control plane of type host; that one is kept.
 */
export async function missingManagerBinding(
  hosting: Kube,
  type: string,
): Promise<KubeObject | undefined> {
  if (type !== 'host') return undefined;
  const present = await hosting.get<KubeObject>(resources.clusterRoleBindings, managerAdminBinding);
  return present === undefined ? managerBinding() : undefined;
}

/**
 * KubeFlex grants cluster-admin on the hosting cluster to a control plane of type host. For that, its manager needs the same
 * rights.
 */
export function managerBinding(): KubeObject {
  const { name, namespace } = coreChart.release;
  // helm adopts objects labeled as part of its release, and rejects others: a chart that lists a host space creates this
  // binding too.
  const labels = { 'app.kubernetes.io/managed-by': 'Helm' };
  const annotations = {
    'meta.helm.sh/release-name': name,
    'meta.helm.sh/release-namespace': namespace,
  };
  const metadata = { name: managerAdminBinding, labels, annotations };
  return adminBinding(metadata, { name: managerName, namespace: systemNamespace });
}

/** A binding that gives a service account the rights of cluster-admin. */
export function adminBinding(
  metadata: KubeObject['metadata'],
  account: { name: string; namespace: string },
) {
  const roleRef = {
    apiGroup: 'rbac.authorization.k8s.io',
    kind: 'ClusterRole',
    name: 'cluster-admin',
  };
  const subjects = [{ kind: 'ServiceAccount', ...account }];
  return { ...typeMeta(resources.clusterRoleBindings), metadata, roleRef, subjects } as KubeObject;
}

/** Makes KubeFlex run hooks again, whose objects are missing: it runs none that a control plane's status lists as done. */
export async function forgetHooks(
  hosting: Kube,
  { metadata, status }: ControlPlane,
  hooks: readonly string[],
) {
  const marked = hooks.filter((hook) => status?.postCreateHooks?.[hook] === true);
  if (marked.length === 0) return;
  const postCreateHooks = Object.fromEntries(marked.map((hook) => [hook, null]));
  const patch = { status: { postCreateHooks, postCreateHookCompleted: false } };
  await hosting.merge(resources.controlPlanes, metadata.name, patch, { subresource: 'status' });
}

/**
 * The objects of a hook, with their names for a control plane. KubeFlex fills in the same variables (pkg/reconcilers/shared/postcreate_hook.go).
 */
export function objectsOfHook(
  { metadata: { name } }: ControlPlane,
  hook: PostCreateHook,
): KubeObject[] {
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
    const given = [
      ...ofKubeFlex,
      ...defaults,
      ...Object.keys({ ...spec?.globalVars, ...use?.vars }),
    ];
    const needed = [...JSON.stringify(hook.spec?.templates ?? []).matchAll(variable)].map(
      ([, key = '']) => key,
    );
    return needed.filter((key) => !given.includes(key));
  });
  const type = typeOf(controlPlane);
  const both = () => ({ ...secretVariables('ITS', type), ...secretVariables('WDS', type) });
  const values: Record<string, string> = type in secretOf ? both() : {};
  const known = missing.filter((key) => values[key] !== undefined);
  return {
    known: Object.fromEntries(known.map((key) => [key, values[key] ?? ''])),
    unknown: [...new Set(missing)].filter((key) => !known.includes(key)),
  };
}

/**
 * Variables of the hooks of an ITS, and of the transport's hook of a WDS: the Secret of the space. The hooks of 0.29 read its key from
 * ITSkubeconfig or WDSkubeconfig, those since 0.30 from ITSSecretKey or WDSSecretKey.
 */
function secretVariables(space: 'ITS' | 'WDS', type: string): Record<string, string> {
  const { name, inside } = secretOf[type] as SecretKeys;
  return {
    [`${space}SecretName`]: name,
    [`${space}SecretKey`]: inside,
    [`${space}kubeconfig`]: inside,
  };
}
