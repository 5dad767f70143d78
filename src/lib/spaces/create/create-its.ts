import { isDeepStrictEqual } from 'node:util';
import { command } from '../../engine/command-line.ts';
import { StellarError } from '../../engine/errors.ts';
import type { Run } from '../../engine/run.ts';
import { requireHosting } from '../../hosting/hosting.ts';
import { ifSeen } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { describeCluster } from '../../kube/client/errors.ts';
import { isCrdServed } from '../../kube/crds.ts';
import type { Secret } from '../../kube/objects.ts';
import { requirePermissions } from '../../kube/permissions.ts';
import { lenient } from '../../kube/permissive-reader.ts';
import { resources } from '../../kube/resources.ts';
import { managedClusterCrd } from '../../wecs/names.ts';
import { propertiesNamespace } from '../../workloads/names.ts';
import { hookNames, type ItsType, managerName, secretOf } from '../names.ts';
import type { ControlPlane } from '../objects.ts';
import type { SpaceResult } from '../space-result.ts';
import { itsNameOf, listControlPlanes, roleOf } from '../spaces.ts';
import { hasCredentials } from '../stages/evidence.ts';
import { askToLook } from '../stages/follow-space.ts';
import type { ItsInside } from '../stages/its-contents.ts';
import { type SpaceSeen, SpaceWatcher } from '../stages/space-watcher.ts';
import type { SpaceTools } from '../tools.ts';
import { bootstrapSecret, type ExternalCluster, prepareBootstrap } from './bootstrap.ts';
import { createSpace } from './create-space.ts';
import { checkSpaceName, findOrClear } from './find-existing.ts';
import { requireHooks } from './hooks.ts';
import { missingManagerBinding } from './manager-binding.ts';
import { bootstrapSecretOf, itsManifest } from './manifests.ts';
import { createPermissions } from './permissions.ts';
import { knownEntries, type SpaceEntries } from './space-context.ts';

export interface ItsInput {
  name: string;
  type: ItsType;
  /** False: OCM is there already, and is left as it is (install_clusteradm: false of the chart). */
  installOcm: boolean;
  /** For type external: the cluster that is to become the ITS. */
  external: (ExternalCluster & { isOwnContext: boolean }) | undefined;
}

/**
 * Creates an ITS, as KubeStellar's core chart would, and waits until WECs can join it. Everything that can be known to fail is found out
 * before anything is written.
 * @throws StellarError before the first write; afterwards the error is in the result
 */
export async function createIts(input: ItsInput, tools: SpaceTools, run: Run): Promise<SpaceResult> {
  const { name, type } = input;
  const { hosting } = tools;
  checkSpaceName(name);
  await requireHosting(hosting);
  const present = await findOrClear(hosting, name, { role: 'its', type }, run);
  const hooks = input.installOcm ? [hookNames.hubInit, hookNames.statusAddon] : [hookNames.statusAddon];
  if (present === undefined) await preflight(input, hooks, tools, run);
  const watcher = new SpaceWatcher(tools);
  return createSpace(
    {
      followed: {
        name,
        role: 'its',
        hosting,
        look: async () => forOwnOcm(input, await watcher.its(name, input.external?.context)),
        inside: () => watcher.clientOf(name),
        started: Date.now(),
      },
      type,
      exists: present !== undefined,
      write: await writing(input, hooks, present, tools),
      entries: () => entriesOf(name, input, tools),
      finish: async () => {
        const isClosed = await closeWayIn(input, hosting);
        return (await ensurePropertiesNamespace(watcher.clientOf(name))) || isClosed;
      },
    },
    tools,
    run,
  );
}

/** A new virtual cluster that is to get its OCM from somebody else is done when they can reach it. */
function forOwnOcm(
  { type, installOcm }: ItsInput,
  seen: SpaceSeen<ItsInside> | undefined,
): SpaceSeen<ItsInside> | undefined {
  if (seen === undefined || installOcm || type !== 'vcluster') return seen;
  const isHub = ifSeen(seen.space.look)?.hubServed;
  if (isHub) return seen;
  const last = seen.stages.findIndex(({ id }) => id === 'reachable');
  return { ...seen, stages: seen.stages.slice(0, last + 1) };
}

/** What is not there yet is written; the bootstrap Secret also for a control plane that still waits for a good one. */
async function writing(
  { name, type, external }: ItsInput,
  hooks: readonly string[],
  present: ControlPlane | undefined,
  { hosting }: SpaceTools,
): Promise<(() => Promise<string>) | undefined> {
  const secretName = secretOf[type]?.name ?? '';
  const needsBootstrap = external !== undefined && !(await hasCredentials(hosting, name, secretName));
  const bootstrap = needsBootstrap ? await prepareBootstrap(name, external, hosting.cluster.context) : undefined;
  const binding = await missingManagerBinding(hosting, type);
  if (present !== undefined && bootstrap === undefined && binding === undefined) return undefined;
  return async () => {
    if (binding !== undefined) await hosting.apply(binding);
    if (external !== undefined && bootstrap !== undefined)
      await hosting.apply(await bootstrapSecret(name, external.kube, bootstrap));
    if (present === undefined) {
      await hosting.apply(itsManifest(name, type, hooks));
      return `control plane created on ${hosting.cluster.context}`;
    }
    if (bootstrap !== undefined) await referToBootstrap(present, hosting);
    // KubeFlex tries again only after minutes what has not been good.
    await askToLook(hosting, name);
    return bootstrap === undefined ? `rights given to ${managerName}` : 'bootstrap Secret written anew';
  };
}

/** A control plane that somebody else has made may look for its kubeconfig elsewhere, or nowhere. */
async function referToBootstrap({ metadata, spec }: ControlPlane, hosting: Kube): Promise<void> {
  const wanted = bootstrapSecretOf(metadata.name);
  if (isDeepStrictEqual(spec?.bootstrapSecretRef, wanted)) return;
  await hosting.merge(resources.controlPlanes, metadata.name, { spec: { bootstrapSecretRef: wanted } });
}

async function preflight(
  { name, type, installOcm, external }: ItsInput,
  hooks: readonly string[],
  { hosting }: SpaceTools,
  run: Run,
): Promise<void> {
  if (type === 'external' && external === undefined) {
    throw new StellarError('usage', `${name} of type external needs the cluster that it is to be.`, {
      hint: 'Give it: --bootstrap-context CONTEXT, or --bootstrap-kubeconfig FILE',
    });
  }
  await requireHooks(hosting, hooks);
  const { name: secretName, namespace } = bootstrapSecretOf(name);
  const { apiVersion, kind } = resources.secrets;
  const bootstrap = { apiVersion, kind, metadata: { name: secretName, namespace } };
  const others = [await missingManagerBinding(hosting, type), external && bootstrap];
  await requirePermissions(
    hosting,
    createPermissions(
      name,
      others.filter((other) => other !== undefined),
    ),
  );
  const cluster = type === 'host' ? hosting : external?.kube;
  if (cluster !== undefined) await checkHub(cluster, installOcm);
  await noteOthers(name, hosting, run);
}

/** OCM's installation over one that is there would change its version under the clusters that are registered with it. */
async function checkHub(cluster: Kube, installOcm: boolean): Promise<void> {
  const isHub = await isCrdServed(cluster, managedClusterCrd);
  if (isHub === !installOcm) return;
  throw isHub
    ? new StellarError('name-taken', `${describeCluster(cluster.cluster)} is an OCM hub already.`, {
        hint: 'Use it as it is: --no-ocm',
      })
    : new StellarError('not-a-hub', `${describeCluster(cluster.cluster)} is no OCM hub, and --no-ocm leaves it so.`, {
        hint: 'Without --no-ocm OCM is installed there',
      });
}

/** A WDS that names no ITS takes the only one: with two, its controllers do not start again. */
async function noteOthers(name: string, hosting: Kube, run: Run): Promise<void> {
  const all = (await listControlPlanes(hosting)) ?? [];
  const hasOther = all.some((other) => roleOf(other) === 'its' && other.metadata.name !== name);
  if (!hasOther) return;
  const unnamed = all.filter((other) => roleOf(other) === 'wds' && itsNameOf(other) === undefined);
  for (const { metadata } of unnamed) {
    run.progress.note(
      command`${metadata.name} names no ITS: with more than one, its controllers stop at their next start. Then: stellarctl wds repair ${metadata.name} --its-name ITS`,
    );
  }
}

async function entriesOf(
  name: string,
  { type, external }: ItsInput,
  tools: SpaceTools,
): Promise<SpaceEntries | undefined> {
  if (external === undefined) return knownEntries(name, type, tools);
  return external.isOwnContext ? { sameAs: external.context.name } : { entries: external.context };
}

/**
 * KubeFlex deletes the bootstrap Secret when it has been in. One that was written in that very moment, by a second run, would stay, with
 * all rights.
 */
async function closeWayIn({ name, type }: ItsInput, hosting: Kube): Promise<boolean> {
  if (type !== 'external') return false;
  const { name: secret, namespace } = bootstrapSecretOf(name);
  const left = await lenient(hosting).get<Secret>(resources.secrets, secret, { namespace });
  return left !== undefined && hosting.delete(resources.secrets, secret, { namespace, uid: left.metadata.uid });
}

/** What the documentation takes for a sign of readiness; a WDS would make it, and properties can be set before there is one. */
async function ensurePropertiesNamespace(its: Kube | undefined): Promise<boolean> {
  if (its === undefined) return false;
  const { apiVersion, kind } = resources.namespaces;
  if ((await its.get(resources.namespaces, propertiesNamespace)) !== undefined) return false;
  await its.apply({ apiVersion, kind, metadata: { name: propertiesNamespace } });
  return true;
}
