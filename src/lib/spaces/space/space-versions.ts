import type { Access } from '../../kube/access.ts';
import type { Pod } from '../../kube/client/objects.ts';
import { hookNames } from '../../ocm/model/kubeflex-names.ts';
import {
  apiServerPrograms,
  type HookVersions,
  hubPrograms,
  wdsPrograms,
} from '../../ocm/versions/program-versions.ts';
import {
  type RunningVersion,
  runningVersions,
  whyPodsHidden,
} from '../../ocm/versions/running-versions.ts';
import type { ItsInside } from './its-stages.ts';
import type { SpaceEvidence } from './space-evidence.ts';
import type { Space } from './space-stages.ts';
import { hooksOf } from './spaces.ts';
import type { WdsInside } from './wds-stages.ts';

/** The pods of OCM in an ITS, and whether this user may see them all. */
export interface HubPods {
  hubPods: readonly Pod[];
  forbidden: ReadonlySet<string>;
}

/** The hooks that install OCM. Without them, another program manages OCM, and any version may be correct. */
const ocmHooks: readonly string[] = [hookNames.hubInit, 'its-with-clusteradm'];

/**
 * The running versions of an ITS: its API server on the hosting cluster, OCM and the status add-on inside it. The pods of a
 * vcluster also exist on the hosting cluster, under names with the same prefix, and are read there if the ITS does not answer.
 */
export function itsVersions(
  evidence: Pick<SpaceEvidence, 'type' | 'pods' | 'forbidden'> & Partial<SpaceEvidence>,
  access: Access<HubPods>,
  hooks: HookVersions,
): RunningVersion[] {
  const { type, pods, controlPlane } = evidence;
  const bringsOcm =
    controlPlane !== undefined && hooksOf(controlPlane).some((hook) => ocmHooks.includes(hook));
  const inside = access.state === 'seen' ? access.value.hubPods : [];
  const notVisible = access.state === 'seen' ? whyPodsHidden(access.value) : access.why;
  return [
    ...runningVersions(
      hubPrograms(bringsOcm ? hooks : { ...hooks, ocm: undefined }),
      [...inside, ...pods],
      notVisible,
    ),
    ...runningVersions(apiServerPrograms(type), pods, whyPodsHidden(evidence)),
  ];
}

/** The running versions of a space. */
export const spaceVersions = (
  space: Space<ItsInside | WdsInside>,
  hooks: HookVersions,
): RunningVersion[] =>
  space.role === 'its'
    ? itsVersions(space, space.inside as Access<ItsInside>, hooks)
    : wdsVersions(space, hooks);

/** The running versions of a WDS, all on the hosting cluster: KubeStellar's controllers, and its API server. */
export function wdsVersions(evidence: SpaceEvidence, hooks: HookVersions): RunningVersion[] {
  const programs = [...wdsPrograms(hooks), ...apiServerPrograms(evidence.type)];
  return runningVersions(programs, evidence.pods, whyPodsHidden(evidence));
}
