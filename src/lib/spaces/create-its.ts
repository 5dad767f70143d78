import { isDeepStrictEqual } from 'node:util';
import { StellarError } from '../core/errors.ts';
import { advice, command, run as nextStep, partial, textOf } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { ifSeen } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { describeCluster } from '../kube/client/errors.ts';
import { type KubeObject, resources, type Secret } from '../kube/client/objects.ts';
import { isCrdServed } from '../kube/discovery.ts';
import { requirePermissions } from '../kube/permissions.ts';
import { deletePresent, ensureNamespace } from '../kube/writes.ts';
import {
  hookNames,
  type ItsType,
  managerName,
  namespaceOf,
  secretOf,
} from '../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../ocm/model/kubeflex-objects.ts';
import { propertiesNamespace } from '../ocm/model/kubestellar-names.ts';
import { managedClusterCrd } from '../ocm/model/ocm-names.ts';
import { safeOcm } from '../ocm/model/ocm-versions.ts';
import { checkUpgrade } from '../ocm/versions/ocm-upgrade.ts';
import { type ExternalCluster, externalBootstrapSecret, prepareBootstrap } from './bootstrap.ts';
import { requireHosting, type SpaceTools } from './hosting/hosting.ts';
import { triggerReconcile } from './space/follow-space.ts';
import { requireRoom, requireVclusterHost } from './space/hosting-fit.ts';
import type { ItsInside } from './space/its-stages.ts';
import { requireOcmImages, requireRegistry } from './space/space-images.ts';
import { bootstrapSecretOf, itsManifest, missingManagerBinding } from './space/space-manifests.ts';
import type { SpaceReading } from './space/space-watcher.ts';
import { itsNameOf, listControlPlanes, roleOf } from './space/spaces.ts';
import {
  checkSpaceName,
  createPermissions,
  findOrClear,
  requireHooks,
} from './space-requirements.ts';
import { makeSpace, type SpaceResult } from './space-work.ts';
import { raiseOcm, wantedOcm, withOcm } from './upgrade-its.ts';

export interface ItsInput {
  name: string;
  type: ItsType;
  /** False: OCM is already installed and is kept (install_clusteradm: false of the chart). */
  installOcm: boolean;
  /** For type external: the cluster that will become the ITS. */
  external: ExternalCluster | undefined;
  /** The registry that the hooks must name; undefined: the one that they name. */
  imageRegistry?: string | undefined;
  /** The version of OCM, or `chart` for that of the hooks; undefined: that of an ITS that exists, else the default. */
  ocmVersion?: string | undefined;
}

/** What follows once it works. @param raised the version of OCM that replaces that of the hooks @param result says whether anything was written */
async function completeIts(
  { name, type }: ItsInput,
  raised: string | undefined,
  { its, hosting, result }: { its: Kube | undefined; hosting: Kube; result: SpaceResult },
  run: Run,
) {
  const { name: secret, namespace } = bootstrapSecretOf(name);
  const steps = [
    // KubeFlex deletes it after its first access, but not one that a concurrent run writes at that moment, with cluster-admin rights.
    () => type === 'external' && deletePresent(hosting, resources.secrets, secret, namespace),
    // Users may set properties before there is a WDS, whose transport would create it.
    () => its !== undefined && ensureNamespace(its, propertiesNamespace),
    // Before its context is written, which is how people join.
    () => raised !== undefined && raiseOcm(name, its, hosting, run),
  ];
  for (const step of steps) if (await step()) result.changed = true;
}

/**
 * Creates an ITS, as KubeStellar's core chart does, and waits until WECs can join it. All foreseeable failures are checked before
 * the first write.
 * @throws StellarError before the first write; afterwards the error is in the result
 */
export async function createIts(
  input: ItsInput,
  tools: SpaceTools,
  run: Run,
): Promise<SpaceResult> {
  const { name, type, installOcm, external, ocmVersion = safeOcm } = input;
  const { hosting } = tools;
  // The version that replaces that of the hooks.
  const raised = installOcm && ocmVersion !== 'chart' ? ocmVersion : undefined;
  checkSpaceName(name);
  await requireHosting(hosting);
  const registry = await requireRegistry(hosting, input.imageRegistry);
  if (raised !== undefined) checkUpgrade(name, undefined, raised);
  const present = await findOrClear(hosting, name, { role: 'its', type }, run);
  const binding = await missingManagerBinding(hosting, type);
  if (present === undefined) await checkNew(input, { binding, registry, raised }, hosting, run);
  else if (input.ocmVersion !== undefined) refuseOtherOcm(present, input.ocmVersion, hosting);
  const bootstrap = external && (await missingBootstrap(name, external, hosting));

  return makeSpace(
    {
      name,
      role: 'its',
      type,
      exists: present !== undefined,
      async write() {
        if (binding !== undefined) await hosting.apply(binding);
        await bootstrap?.write();
        if (present === undefined) {
          const its = itsManifest(name, type, hooksOf(input));
          await hosting.apply(raised === undefined ? its : withOcm(its, raised));
          return `control plane created on ${hosting.cluster.context}`;
        }
        if (bootstrap === undefined && binding === undefined) return undefined;
        await bootstrap?.refer(present);
        // KubeFlex retries failures only after minutes.
        await triggerReconcile(hosting, name);
        return bootstrap?.done ?? `rights given to ${managerName}`;
      },
      ...(type === 'vcluster' && !installOcm && { limit: untilReachable }),
      external,
      complete: (its, result) => completeIts(input, raised, { its, hosting, result }, run),
    },
    tools,
    run,
  );
}

/** @throws StellarError `conflict` if an ITS that exists was not created to have this version of OCM */
function refuseOtherOcm(present: ControlPlane, asked: string, hosting: Kube) {
  const { name } = present.metadata;
  if ((wantedOcm(present) ?? 'chart') === asked) return;
  throw new StellarError(
    'conflict',
    `${name} exists, and was not created with --ocm-version ${asked}.`,
    asked === 'chart'
      ? advice('To keep its version, leave the option out')
      : nextStep(
          command`stellarctl its upgrade ${name} --to ${asked} --hosting-context ${hosting.cluster.context}`,
          'Change it',
        ),
  );
}

const hooksOf = ({ installOcm }: ItsInput) => [
  ...(installOcm ? [hookNames.hubInit] : []),
  hookNames.statusAddon,
];

/** Checks the prerequisites of a new ITS. */
async function checkNew(
  input: ItsInput,
  {
    binding,
    registry,
    raised,
  }: { binding: KubeObject | undefined } & Record<'registry' | 'raised', string | undefined>,
  hosting: Kube,
  run: Run,
) {
  const { name, type, installOcm, external } = input;
  if (registry !== undefined && raised !== undefined) await requireOcmImages(registry, raised);
  if (type === 'external' && external === undefined)
    throw new StellarError(
      'usage',
      `${name} of type external needs an existing cluster.`,
      advice('Give it: --bootstrap-context CONTEXT, or --bootstrap-kubeconfig FILE'),
    );
  await requireHooks(hosting, hooksOf(input));
  const bootstrap = external && {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: bootstrapSecretOf(name),
  };
  const missing = [binding, bootstrap].filter((other) => other !== undefined);
  await requirePermissions(hosting, createPermissions(name, missing, registry !== undefined));
  const cluster = type === 'host' ? hosting : external?.kube;
  if (cluster !== undefined) await checkExternalHub(cluster, installOcm);
  if (type === 'vcluster') await requireVclusterHost(hosting);
  await requireRoom(hosting, type, run);
  await noteOthers(name, hosting, run);
}

/** Reinstalling OCM over an existing hub would change its version under the registered clusters. */
async function checkExternalHub(cluster: Kube, installOcm: boolean) {
  const isHub = await isCrdServed(cluster, managedClusterCrd);
  if (isHub === !installOcm) return;
  const what = describeCluster(cluster.cluster);
  const use = advice('Use it as it is: --no-ocm');
  if (isHub) throw new StellarError('name-taken', `${what} is already an OCM hub.`, use);
  throw new StellarError(
    'not-a-hub',
    `${what} is not an OCM hub, and --no-ocm does not install OCM.`,
    advice('Without --no-ocm OCM is installed there'),
  );
}

/** A WDS that names no ITS uses the only one: with two, its controllers fail at their next start. */
async function noteOthers(name: string, hosting: Kube, run: Run) {
  const all = await listControlPlanes(hosting);
  const hasOther = all.some((other) => roleOf(other) === 'its' && other.metadata.name !== name);
  if (!hasOther) return;
  const unnamed = all.filter((other) => roleOf(other) === 'wds' && itsNameOf(other) === undefined);
  for (const { metadata } of unnamed) {
    const why = `${metadata.name} names no ITS: with more than one, its controllers stop at their next start. Then`;
    run.progress.note(
      textOf(partial(command`stellarctl wds repair ${metadata.name} --its ITS`, why)),
    );
  }
}

/** A new vcluster whose OCM is installed separately is complete once it is reachable. */
function untilReachable(reading: SpaceReading): SpaceReading {
  if ((ifSeen(reading.space.inside) as ItsInside | undefined)?.hubServed) return reading;
  const last = reading.stages.findIndex(({ id }) => id === 'reachable');
  return { ...reading, stages: reading.stages.slice(0, last + 1) };
}

/** The cluster for KubeFlex's initial access. @returns undefined if KubeFlex already has its own credentials */
async function missingBootstrap(name: string, external: ExternalCluster, hosting: Kube) {
  const credentials = secretOf.external?.name ?? '';
  const namespace = namespaceOf(name);
  if ((await hosting.get<Secret>(resources.secrets, credentials, { namespace })) !== undefined)
    return undefined;
  const cluster = await prepareBootstrap(external, hosting.cluster.context);
  return {
    done: 'bootstrap Secret rewritten',
    write: async () => hosting.apply(await externalBootstrapSecret(name, external.kube, cluster)),
    /** A control plane that another program created may refer to another kubeconfig, or to none. */
    async refer({ spec }: ControlPlane) {
      const wanted = bootstrapSecretOf(name);
      if (isDeepStrictEqual(spec?.bootstrapSecretRef, wanted)) return;
      await hosting.merge(resources.controlPlanes, name, { spec: { bootstrapSecretRef: wanted } });
    },
  };
}
