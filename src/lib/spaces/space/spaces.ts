import { by } from '../../core/text/words.ts';
import { partialReader } from '../../kube/access.ts';
import type { Reader } from '../../kube/client/client.ts';
import { missing, shownList } from '../../kube/client/missing.ts';
import {
  byName,
  type Deployment,
  type Job,
  type KubeObject,
  namesOf,
  onlyOf,
  type Pod,
  type Resource,
  resources,
  type StatefulSet,
} from '../../kube/client/objects.ts';
import { notServed } from '../../kube/served.ts';
import {
  hookNames,
  managerName,
  namespaceOf,
  olderHooks,
  roleLabel,
  type SpaceRole,
  systemNamespace,
} from '../../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../../ocm/model/kubeflex-objects.ts';

/** The hooks of a control plane, in order: the older single one first, as KubeFlex runs them. */
export function hooksOf({ spec }: ControlPlane): string[] {
  const names = [
    spec?.postCreateHook,
    ...(spec?.postCreateHooks ?? []).map(({ hookName }) => hookName),
  ];
  return [...new Set(names.filter((name) => name !== undefined && name !== ''))] as string[];
}

/**
 * The hook of a control plane that corresponds to the chart's hook of this name: that hook, or a corrected copy (its-name-defect.ts).
 */
export const hookLike = (controlPlane: ControlPlane, name: string) =>
  hooksOf(controlPlane).find((hook) => hook === name || hook.endsWith(`-${name}`));

/**
 * The role of a control plane in KubeStellar. The hooks take precedence, because the label is set only after a hook completes.
 * @returns undefined for a control plane that is not a space of KubeStellar
 */
export function roleOf(controlPlane: ControlPlane): SpaceRole | undefined {
  const label = controlPlane.metadata.labels?.[roleLabel];
  if (label === 'its' || label === 'wds') return label;
  const hooks = hooksOf(controlPlane);
  const isHookOf = (role: SpaceRole) => (name: string) => roleOfHook(name) === role;
  if (hooks.some(isHookOf('its'))) return 'its';
  return hooks.some(isHookOf('wds')) ? 'wds' : undefined;
}

function roleOfHook(name: string): SpaceRole | undefined {
  if (name === hookNames.hubInit || name === hookNames.statusAddon) return 'its';
  if (name === hookNames.controller || name.endsWith(hookNames.transport)) return 'wds';
  return olderHooks[name];
}

export const typeOf = ({ spec }: ControlPlane) => spec?.type ?? 'k8s';

/** The other WDSes on the API server of a WDS: all of type host have that of the hosting cluster. */
export function sharersOf(wds: ControlPlane, all: readonly ControlPlane[]): string[] {
  const isHost = (each: ControlPlane) => roleOf(each) === 'wds' && typeOf(each) === 'host';
  const others = all.filter(({ metadata }) => metadata.name !== wds.metadata.name);
  return isHost(wds) ? namesOf(others.filter(isHost)) : [];
}

/**
 * Lists the control planes of a hosting cluster by name, all or those of one role; none without KubeFlex.
 */
export async function listControlPlanes(
  hosting: Reader,
  role?: SpaceRole,
): Promise<ControlPlane[]> {
  const all = await hosting.list<ControlPlane>(resources.controlPlanes);
  // Often only the current context suggests a hosting cluster, and its user may not read definitions. What deletes lists them by proof.
  return inOrder(all === missing ? [] : all, role);
}

/** Control planes by name, all or those of one role. */
export const inOrder = (all: readonly ControlPlane[], role?: SpaceRole): ControlPlane[] =>
  all
    .filter((controlPlane) => role === undefined || roleOf(controlPlane) === role)
    .sort(by(({ metadata }) => metadata.name));

/** The ITS of a WDS: the one that it names, else the only one; undefined if ambiguous. */
export function itsOfWds(wds: string, all: readonly ControlPlane[]): ControlPlane | undefined {
  const named = itsNameOf(byName(all).get(wds));
  const itses = all.filter((controlPlane) => roleOf(controlPlane) === 'its');
  return named === undefined ? onlyOf(itses) : byName(itses).get(named);
}

/** The ITS that a WDS names. */
export function itsNameOf(wds: ControlPlane | undefined): string | undefined {
  const { globalVars, postCreateHookVars, postCreateHooks } = wds?.spec ?? {};
  const names = [
    ...(postCreateHooks ?? []).map(({ vars }) => vars?.ITSName),
    globalVars?.ITSName,
    postCreateHookVars?.ITSName,
  ];
  return names.find((name) => name !== undefined && name !== '');
}

/**
 * The API groups whose objects a WDS sends; empty means all. CustomResourceDefinitions are always watched (kubestellar pkg/util).
 */
export function apiGroupsOf({ spec }: ControlPlane): string[] {
  const all = (spec?.postCreateHooks ?? []).map(({ vars }) => vars?.APIGroups);
  return (all.find((groups) => groups !== undefined) ?? '')
    .split(',')
    .filter((group) => group !== '');
}

/** The hosting cluster's evidence for one space. */
export type SpaceEvidence = NonNullable<Awaited<ReturnType<typeof readSpace>>>;

/** @returns undefined if there is no such control plane */
export async function readSpace(hosting: Reader, name: string, role: SpaceRole) {
  const namespace = namespaceOf(name);
  const readable = partialReader(hosting);
  // What may not be read is noted; what every cluster serves is not taken for none.
  const seen = async <T extends KubeObject>(kind: Resource) => {
    const list = await readable.list<T>(kind, { namespace });
    if (list === missing && !readable.forbidden.has(kind.plural))
      throw notServed(hosting, kind.plural);
    return shownList(list);
  };
  const [controlPlane, jobs, deployments, statefulSets, pods] = await Promise.all([
    hosting.get<ControlPlane>(resources.controlPlanes, name),
    seen<Job>(resources.jobs),
    seen<Deployment>(resources.deployments),
    seen<StatefulSet>(resources.statefulSets),
    seen<Pod>(resources.pods),
  ]);
  if (controlPlane === undefined) return undefined;
  return {
    name,
    role,
    type: typeOf(controlPlane),
    /** The context of the hosting cluster. */
    hosting: hosting.cluster.context,
    controlPlane,
    jobs,
    deployments,
    statefulSets,
    pods,
    /** Plural names of the kinds in its namespace that the user may not read: they appear empty. */
    forbidden: readable.forbidden,
    /** KubeFlex's manager; read only while the space has no status from it. */
    manager: controlPlane.status?.conditions?.length ? undefined : await readManager(hosting),
    /** Of the hosting cluster's clock, milliseconds since the epoch. */
    now: hosting.now(),
  };
}

async function readManager(hosting: Reader) {
  const readable = partialReader(hosting);
  const namespace = systemNamespace;
  const [deployment, pods] = await Promise.all([
    readable.get<Deployment>(resources.deployments, managerName, { namespace }),
    readable.list<Pod>(resources.pods, { namespace }),
  ]);
  if (readable.forbidden.size > 0) return undefined;
  return {
    deployment,
    pods: shownList(pods).filter(({ metadata }) => metadata.name.startsWith(`${managerName}-`)),
  };
}
