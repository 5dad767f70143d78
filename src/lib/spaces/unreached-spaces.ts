import { command } from '../core/command-line.ts';
import { advice, type NextStep, run } from '../core/next-step.ts';
import { hidden, seen } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { resources } from '../kube/client/resources.ts';
import { partialReader } from '../kube/partial-reader.ts';
import { hookNames, type SpaceRole } from '../ocm/kubeflex-names.ts';
import type { ControlPlane, PostCreateHook } from '../ocm/kubeflex-objects.ts';
import { products, versionsOfHooks } from '../ocm/program-versions.ts';
import type { RunningVersion } from '../ocm/running-versions.ts';
import { missingVariables } from './hooks.ts';
import { readHubPods } from './its-contents.ts';
import { startsTransport } from './its-name-defect.ts';
import { readSpace } from './space-evidence.ts';
import { itsVersions, wdsVersions } from './space-versions.ts';
import { hookLike, listControlPlanes, roleOf } from './spaces.ts';

/** A space that an upgrade does not change. */
export interface UnreachedSpace {
  name: string;
  role: SpaceRole;
  /** The versions that it runs, compared with those that the hooks install now. */
  versions: RunningVersion[];
  /** How the user upgrades it to the installed version. */
  next: NextStep[];
}

/**
 * Finds the spaces that newer hooks do not reach: KubeFlex skips every hook that a control plane's status lists as done (kubeflex
 * v0.9.3, pkg/reconcilers/shared/postcreate_hook.go). It reads only the hosting cluster, which shows the versions of all spaces
 * except external ITSes.
 * @param isPlanned the hooks are still the old ones, and every space that has run them counts
 */
export async function unreachedSpaces(kube: Kube, isPlanned: boolean): Promise<UnreachedSpace[]> {
  const [hooks = [], all = []] = await Promise.all([
    kube.list<PostCreateHook>(resources.postCreateHooks),
    listControlPlanes(kube),
  ]);
  const spaces = await Promise.all(
    all.filter(isThrough).map((controlPlane) => readReachability(kube, controlPlane, hooks)),
  );
  return spaces.filter(
    (space) =>
      space !== undefined && (isPlanned || space.versions.some(({ differs, running }) => differs || running === null)),
  ) as UnreachedSpace[];
}

const isThrough = ({ status }: ControlPlane): boolean => Object.keys(status?.postCreateHooks ?? {}).length > 0;

async function readReachability(
  kube: Kube,
  controlPlane: ControlPlane,
  hooks: readonly PostCreateHook[],
): Promise<UnreachedSpace | undefined> {
  const { name } = controlPlane.metadata;
  const role = roleOf(controlPlane);
  const evidence = role && (await readSpace(kube, name, role));
  if (role === undefined || evidence === undefined) return undefined;
  if (role === 'wds') {
    const versions = wdsVersions(evidence, versionsOfHooks(hooks));
    return { name, role, versions, next: recreateControllers(kube, controlPlane, hooks) };
  }
  const reader = partialReader(kube);
  const inside =
    evidence.type === 'host'
      ? seen({ hubPods: await readHubPods(reader), forbidden: reader.forbidden })
      : hidden('it runs in another cluster');
  const versions = itsVersions(evidence, inside, versionsOfHooks(hooks));
  const isApart = (of: string) => versions.some(({ product, differs }) => product === of && differs);
  const isBehind = isApart(products.ocm) || isApart(products.statusAddon);
  const upgrade = command`stellarctl its upgrade ${name} --hosting-context ${kube.cluster.context}`;
  const next = isBehind ? [run(upgrade, 'Upgrade OCM and the status add-on')] : [];
  return { name, role: 'its', versions, next };
}

/** Restarts of controllers lose workloads unless the transport waits: a command does both. */
function recreateControllers(kube: Kube, controlPlane: ControlPlane, hooks: readonly PostCreateHook[]): NextStep[] {
  const { name } = controlPlane.metadata;
  const wantedHooks = [hookNames.controller, hookNames.transport].map((hook) => hookLike(controlPlane, hook));
  const definitions = wantedHooks.flatMap((hook) => hooks.find(({ metadata }) => metadata.name === hook) ?? []);
  if (definitions.length < wantedHooks.length)
    return [advice(`${name} was made by hooks that are no longer installed: create another one in its place`)];
  const { unknown } = missingVariables(controlPlane, definitions);
  if (unknown.length > 0)
    return [advice(`The hooks need ${unknown.join(', ')}, which spec.globalVars of ControlPlane ${name} lacks`)];
  const verb = startsTransport(controlPlane, definitions) ? 'upgrade' : 'repair';
  const recreate = command`stellarctl wds ${verb} ${name} --hosting-context ${kube.cluster.context}`;
  return [run(recreate, 'Recreate its controllers')];
}
