import { StellarError } from '../core/errors.ts';
import { advice, command, run } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import type { Kube, Permission } from '../kube/client/client.ts';
import { describeCluster } from '../kube/client/errors.ts';
import { byName, type KubeObject, resourceOf, resources } from '../kube/client/objects.ts';
import { may } from '../kube/permissions.ts';
import { listIfDefined } from '../kube/served.ts';
import { untilGone } from '../kube/until-gone.ts';
import {
  isSpaceName,
  longestName,
  namespaceOf,
  type SpaceRole,
} from '../ocm/model/kubeflex-names.ts';
import type { ControlPlane, PostCreateHook } from '../ocm/model/kubeflex-objects.ts';
import { roleOf, typeOf } from './space/spaces.ts';

/** @throws StellarError `usage` for an invalid name of a control plane */
export function checkSpaceName(name: string): void {
  if (isSpaceName(name)) return;
  throw new StellarError(
    'usage',
    `"${name}" cannot be the name of a space: lower-case letters, digits and "-", beginning with a letter, at most ${longestName} characters.`,
  );
}

/**
 * Finds the existing control plane of a space, and waits for one that is being deleted.
 * @throws StellarError `name-taken` if it has another role or type, or if its namespace already exists
 */
export async function findOrClear(
  hosting: Kube,
  name: string,
  wanted: { role: SpaceRole; type: string },
  run: Run,
): Promise<ControlPlane | undefined> {
  const controlPlane = await hosting.get<ControlPlane>(resources.controlPlanes, name);
  const isDeleted = controlPlane?.metadata.deletionTimestamp !== undefined;
  if (controlPlane !== undefined && !isDeleted) {
    refuseOther(controlPlane, wanted);
    return controlPlane;
  }
  // A run without --dry-run would wait for it.
  if (hosting.dryRun && isDeleted) return undefined;
  const why = 'an earlier control plane of this name is still being deleted';
  const meanwhile = { ...run, name, why };
  if (controlPlane !== undefined)
    await untilGone(hosting, resources.controlPlanes, controlPlane, meanwhile);
  const namespace = await hosting.get(resources.namespaces, namespaceOf(name));
  if (namespace === undefined) return undefined;
  refuseForeign(name, namespace);
  await untilGone(hosting, resources.namespaces, namespace, meanwhile);
  return undefined;
}

function refuseOther(present: ControlPlane, { role, type }: { role: SpaceRole; type: string }) {
  const { name } = present.metadata;
  const presentRole = roleOf(present);
  const presentType = typeOf(present);
  if (presentRole === role && presentType === type) return;
  const what = presentRole === undefined ? 'control plane' : presentRole.toUpperCase();
  throw new StellarError(
    'name-taken',
    `${name} already exists: ${what} of type ${presentType}.`,
    ...(presentRole === role
      ? [advice(command`Resume it: --type ${presentType}`), advice('Or choose another name')]
      : [advice('Choose another name for the new one')]),
  );
}

function refuseForeign(name: string, namespace: KubeObject) {
  const { deletionTimestamp, ownerReferences = [] } = namespace.metadata;
  if (
    deletionTimestamp !== undefined ||
    ownerReferences.some(({ kind }) => kind === 'ControlPlane')
  )
    return;
  const what = `The namespace ${namespace.metadata.name}, which ${name} needs,`;
  throw new StellarError(
    'name-taken',
    `${what} already exists and belongs to no control plane.`,
    advice('Choose another name, or delete the namespace if it is not needed'),
  );
}

/**
 * Ensures that the hooks of a control plane exist: KubeFlex does not report a missing hook, and the control plane never becomes
 * ready (facts/live/controlplane-missing-hook.json).
 * @returns the hooks, by name
 * @throws StellarError `hook-missing`, with the hooks that there are
 */
export async function requireHooks(
  hosting: Kube,
  names: readonly string[],
): Promise<ReadonlyMap<string, PostCreateHook>> {
  const present = (await listIfDefined<PostCreateHook>(hosting, resources.postCreateHooks)) ?? [];
  const named = byName(present);
  const missing = names.filter((name) => !named.has(name));
  if (missing.length === 0) return named;
  const { context } = hosting.cluster;
  const why =
    named.size === 0
      ? 'it has none: KubeFlex is installed, KubeStellar is not'
      : `it has ${[...named.keys()].join(', ')}`;
  throw new StellarError(
    'hook-missing',
    `${describeCluster(hosting.cluster)} has no post-create hook ${missing.join(' and no ')}: ${why}.`,
    run(command`stellarctl init --hosting-context ${context}`, 'Install them'),
  );
}

const imageHolders = ['pods', 'deployments', 'statefulSets'] as const;

/**
 * The permissions on the hosting cluster to create and follow a space.
 * @param others objects to create in addition to the control plane
 * @param correctsImages whether its images are taken from another registry than those of KubeFlex
 */
export function createPermissions(
  name: string,
  others: readonly KubeObject[],
  correctsImages: boolean,
): Permission[] {
  const inSpace = { namespace: namespaceOf(name) };
  return [
    ...others.flatMap((object) => {
      const { name: ofOther, namespace } = object.metadata;
      const place = namespace === undefined ? {} : { namespace };
      return [
        may('create', resourceOf(object), place),
        may('patch', resourceOf(object), { name: ofOther, ...place }),
      ];
    }),
    may('create', resources.controlPlanes),
    may('patch', resources.controlPlanes, { name }),
    may('get', resources.secrets, inSpace),
    ...(['pods', 'jobs', 'deployments', 'statefulSets'] as const).map((kind) =>
      may('list', resources[kind], inSpace),
    ),
    ...(correctsImages
      ? [
          ...imageHolders.map((kind) => may('patch', resources[kind], inSpace)),
          may('delete', resources.pods, inSpace),
        ]
      : []),
  ];
}
