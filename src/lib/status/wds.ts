import { ifSeen } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import type { KubeObject } from '../kube/objects.ts';
import { resources } from '../kube/resources.ts';
import type { ControlPlane } from '../spaces/objects.ts';
import { wdsVersions } from '../spaces/space-versions.ts';
import { itsOfWds } from '../spaces/spaces.ts';
import type { HookVersions } from '../versions/hooks.ts';
import { keyOf } from '../workloads/object-ref.ts';
import { type Binding, objectsOf } from '../workloads/policies/policy.ts';
import { describePart, lookInto, type Part } from './parts.ts';
import type { StatusTools } from './tools.ts';
import type { WdsStatus } from './view.ts';

type WdsSeen = Pick<WdsStatus, 'bindingPolicies' | 'objects'>;

const nothingSeen: WdsSeen = { bindingPolicies: null, objects: null };

export async function lookAtWds(
  part: Part,
  all: readonly ControlPlane[],
  tools: StatusTools,
  hooks: Promise<HookVersions>,
): Promise<WdsStatus | undefined> {
  const looking = lookInto(part, tools, readWds);
  const [space, hookVersions] = await Promise.all([describePart(part, looking, all, tools), hooks]);
  const look = await looking;
  const its = itsOfWds(part.controlPlane.metadata.name, all)?.metadata.name ?? null;
  if (space === undefined) return undefined;
  const versions = wdsVersions(space.evidence, hookVersions);
  return { ...space.status, its, versions, ...(ifSeen(look)?.inside ?? nothingSeen) };
}

/** Kinds that are not served yet count as not seen: the stages tell why. */
async function readWds(wds: Kube): Promise<WdsSeen> {
  const [policies, bindings] = await Promise.all([
    wds.list<KubeObject>(resources.bindingPolicies),
    wds.list<Binding>(resources.bindings),
  ]);
  return { bindingPolicies: policies?.length ?? null, objects: bindings === undefined ? null : countObjects(bindings) };
}

/** Objects may be selected by several policies. */
export function countObjects(bindings: readonly Binding[]): number {
  return new Set(bindings.flatMap(objectsOf).map(keyOf)).size;
}
