import type { Reader } from '../../kube/client/client.ts';
import { byName, namesOf, resources } from '../../kube/client/objects.ts';
import {
  hookNames,
  olderHooks,
  roleLabel,
  type SpaceRole,
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
export const hookLike = (controlPlane: ControlPlane, name: string): string | undefined =>
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

export const typeOf = ({ spec }: ControlPlane): string => spec?.type ?? 'k8s';

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
  const all = (await hosting.list<ControlPlane>(resources.controlPlanes)) ?? [];
  return all
    .filter((controlPlane) => role === undefined || roleOf(controlPlane) === role)
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

/** The ITS of a WDS: the one that it names, else the only one; undefined if ambiguous. */
export function itsOfWds(wds: string, all: readonly ControlPlane[]): ControlPlane | undefined {
  const named = itsNameOf(byName(all).get(wds));
  const itses = all.filter((controlPlane) => roleOf(controlPlane) === 'its');
  if (named !== undefined) return byName(itses).get(named);
  return itses.length === 1 ? itses[0] : undefined;
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
