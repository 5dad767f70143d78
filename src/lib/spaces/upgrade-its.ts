import { forName } from '../core/each-name.ts';
import { failureOf, StellarError } from '../core/errors.ts';
import { waitWhile } from '../core/follow.ts';
import { rerun } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { unreached } from '../core/stages.ts';
import { type Access, hidden, partialReader, seen, whyUnseen } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import {
  createdAt,
  type Deployment,
  isTrue,
  type Lease,
  namesOf,
  type Pod,
  resources,
} from '../kube/client/objects.ts';
import { imageVersion, versionOf } from '../kube/image.ts';
import {
  failureLog,
  firstPodFailure,
  isDeploymentReady,
  isRead,
  isScaledToNone,
  type PodFailure,
  podsOf,
  toSeePod,
} from '../kube/pods.ts';
import { scale, stop } from '../kube/scaling.ts';
import { listServed } from '../kube/served.ts';
import { judgeAdmission, testAdmission, tryHubWebhook } from '../ocm/hub/webhook.ts';
import { hookNames } from '../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../ocm/model/kubeflex-objects.ts';
import {
  clusterManagerName,
  hubNamespace,
  leaseName,
  operatorNamespace,
  registrationController,
  registrationLock,
  tagOf,
} from '../ocm/model/ocm-names.ts';
import type { ClusterManager, ManagedCluster } from '../ocm/model/ocm-objects.ts';
import {
  changeOperator,
  checkUpgrade,
  ensureRequirements,
  operatorImage,
  toVersion,
} from '../ocm/versions/ocm-upgrade.ts';
import { hubPrograms, products, readHookVersions } from '../ocm/versions/program-versions.ts';
import { runningVersions } from '../ocm/versions/running-versions.ts';
import { requireSpace } from './get-space.ts';
import type { SpaceTools } from './hosting/hosting.ts';
import { withHostingLease } from './hosting/hosting-lease.ts';
import { readHubPods } from './space/its-stages.ts';
import { openSpace, toSeeSpace } from './space/space-access.ts';
import { typeOf } from './space/spaces.ts';
import type { SpaceResult } from './space-work.ts';
import { rerunHook } from './wds-controllers.ts';

export interface ItsUpgradeOptions {
  /** The version of OCM, as `1.3.1`. */
  to: string;
  /** Undefined to keep that of the present images. */
  imageRegistry: string | undefined;
}

/** The hub of an ITS, and what its upgrade changes. */
type HubUpgrade = Awaited<ReturnType<typeof planHubUpgrade>>;

const hubImageFields = [
  ['registrationImagePullSpec', 'registration'],
  ['workImagePullSpec', 'work'],
  ['placementImagePullSpec', 'placement'],
  ['addOnManagerImagePullSpec', 'addon-manager'],
] as const;

/**
 * Upgrades OCM in an ITS, and then the status add-on to the version of the installed hooks. Registrations stay, and nothing else of
 * the ClusterManager is changed. The operator brings the definitions, rights and webhooks of its version.
 * @throws StellarError before any write: `usage`, `not-found`, `conflict`, `version-differs`, `forbidden`; afterwards the error is in
 *   the result
 * @returns also the names of its WECs
 */
export async function upgradeIts(
  name: string,
  options: ItsUpgradeOptions,
  tools: SpaceTools,
  run: Run,
): Promise<{ result: SpaceResult; wecs: string[] }> {
  checkUpgrade(name, undefined, options.to);
  const { controlPlane } = await requireSpace(name, 'its', tools.hosting);
  const opened = await openSpace(controlPlane, tools);
  const upgrade = await planHubUpgrade(controlPlane, options, opened, tools.hosting);
  const { its, to, from } = upgrade;
  const { context } = its.cluster;
  const result: SpaceResult = {
    name,
    type: typeOf(controlPlane),
    ...unreached,
    changed: false,
    context,
  };
  const done = await forName(result, run, () =>
    withHostingLease(tools.hosting, `its upgrade ${name}`, run, async () => {
      await wantOcm(controlPlane, to, tools.hosting);
      const isRaised = await upgradeHub(upgrade, run);
      result.changed = (await upgradeAddon(upgrade, run)) || isRaised;
      if (run.dryRun) return;
      const did = result.changed
        ? `upgraded${from === undefined || from === to ? '' : ` from OCM ${from}`}; `
        : '';
      run.progress.done(name, `${did}runs OCM ${to}${did === '' ? '; nothing to do' : ''}`, true);
    }),
  );
  return { result: done, wecs: upgrade.wecs };
}

/** The version of OCM that an ITS is to have, which may be newer than that of its hook. */
const ocmAnnotation = 'stellarctl.kubestellar.io/ocm-version';

export const wantedOcm = ({ metadata }: ControlPlane) => metadata.annotations?.[ocmAnnotation];

/** Notes the version before it is written: the hook may run again. */
async function wantOcm(its: ControlPlane, version: string, hosting: Kube) {
  if (wantedOcm(its) === version) return;
  const { metadata } = its;
  const annotations = { [ocmAnnotation]: version };
  await hosting.merge(resources.controlPlanes, metadata.name, {
    metadata: { uid: metadata.uid, annotations },
  });
}

/** A new ITS that is to have a version of OCM. */
export const withOcm = (its: ControlPlane, version: string): ControlPlane => ({
  ...its,
  metadata: {
    ...its.metadata,
    annotations: { ...its.metadata.annotations, [ocmAnnotation]: version },
  },
});

/**
 * Brings OCM in an ITS to the version that it is to have, if that of its hook is older.
 * @param its its client; undefined if this user cannot open one
 * @returns whether anything was changed
 */
export async function raiseOcm(
  name: string,
  its: Kube | undefined,
  hosting: Kube,
  run: Run,
): Promise<boolean> {
  const { controlPlane } = await requireSpace(name, 'its', hosting);
  const to = wantedOcm(controlPlane);
  if (to === undefined) return false;
  try {
    const opened = its === undefined ? hidden('this user may not read how') : seen(its);
    const options = { to, imageRegistry: undefined };
    const upgrade = await planHubUpgrade(controlPlane, options, opened, hosting);
    return await upgradeHub(upgrade, run);
  } catch (error) {
    // It is newer by now, or its images are named otherwise than by versions.
    if (['version-differs', 'usage'].includes(failureOf(error).code)) return false;
    throw error;
  }
}

async function planHubUpgrade(
  controlPlane: ControlPlane,
  { to, imageRegistry }: ItsUpgradeOptions,
  opened: Access<Kube>,
  hosting: Kube,
) {
  const { name } = controlPlane.metadata;
  const refuse = (why: string) =>
    new StellarError(
      'conflict',
      `OCM in ${name} cannot be upgraded: ${why}. Nothing was written.`,
      toSeeSpace('its', name, hosting.cluster.context),
    );
  if (opened.state !== 'seen') throw refuse(`it cannot be reached: ${whyUnseen(opened)}`);
  const its = opened.value;
  const [manager, operator, hooks] = await Promise.all([
    its.get<ClusterManager>(resources.clusterManagers, clusterManagerName),
    operatorOf(its),
    readHookVersions(hosting),
  ]);
  if (manager === undefined || operator === undefined)
    throw refuse('it has no ClusterManager, or no operator of one');
  const mode = manager.spec?.deployOption?.mode ?? 'Default';
  if (mode !== 'Default') throw refuse(`its controllers run in another cluster (mode ${mode})`);
  const renamed = toVersion(to, imageRegistry);
  // By the fields of its ClusterManager.
  const images: Record<string, string> = {};
  for (const [field, repository] of hubImageFields)
    images[field] = renamed(manager.spec?.[field], repository);
  const from = imageVersion(manager.spec?.registrationImagePullSpec);
  for (const version of [from, imageVersion(operatorImage(operator))])
    checkUpgrade(`${name} has`, version, to);
  const newOperatorImage = renamed(operatorImage(operator), 'registration-operator');
  const wecs = namesOf(await listServed(its, resources.managedClusters, { metadataOnly: true }));
  return { wecs, name, its, hosting, to, from, operator, newOperatorImage, manager, images, hooks };
}

/** @returns whether anything was changed, by this run or by one that was interrupted */
async function upgradeHub(upgrade: HubUpgrade, run: Run) {
  const { name, its, to, operator, manager, images, wecs } = upgrade;
  const alive = await leaseRenewals(its);
  const isBrought = await ensureRequirements(its, 'hub', to);
  const isOperator =
    operatorImage(operator) !== upgrade.newOperatorImage || isScaledToNone(operator);
  const isManager = hubImageFields.some(([field]) => manager.spec?.[field] !== images[field]);
  const isChanged = isBrought || isOperator || isManager;
  const change = () => changeOperator(its, operator, upgrade.newOperatorImage);
  const isStopped = isChanged && wecs.length === 0;
  if (isStopped) await stopHub(upgrade, run);
  else if (isOperator) await change();
  const patch = { metadata: { uid: manager.metadata.uid }, spec: images };
  if (isManager) await its.merge(resources.clusterManagers, clusterManagerName, patch);
  if (isStopped) await change();
  if (run.dryRun) return isChanged;
  if (isChanged) run.progress.changed(name, `OCM ${to} is written`);
  const unmet = (why: string) => upgradeLate(upgrade, why);
  const wasDone = await waitWhile(() => hubBlocker(upgrade), run, unmet, name);
  if (isChanged) {
    const began = await leaseRenewals(its);
    const blocker = async () => {
      const now = await leaseRenewals(its);
      const silent = [...alive.keys()].find(
        (wec) => began.has(wec) && now.get(wec) === began.get(wec),
      );
      return silent && `the agent of ${silent} has not renewed its Lease since`;
    };
    await waitWhile(blocker, run, unmet, name);
  }
  return isChanged || !wasDone;
}

/**
 * Ends the controllers of a hub that no WEC depends on yet, its operator first, which would start the others: new ones hold the locks at
 * once, and no old one approves anything meanwhile. (Beside old ones they wait for half a minute to a minute: seen with OCM 1.0 to 1.3.)
 */
async function stopHub(upgrade: HubUpgrade, run: Run) {
  const { its, name } = upgrade;
  if (run.dryRun) return;
  const controllers = await listServed<Deployment>(its, resources.deployments, inHub);
  const names = namesOf(controllers).filter((each) => each.endsWith('-controller'));
  const wait = { late: (why: string) => upgradeLate(upgrade, why), subject: name };
  const end = (namespace: string, each: string) => stop({ kube: its, namespace }, each, wait, run);
  await end(operatorNamespace, clusterManagerName);
  for (const each of names) await scale({ kube: its, namespace: hubNamespace }, each, 0);
  for (const each of names) await end(hubNamespace, each);
}

const inHub = { namespace: hubNamespace };

const operatorOf = (its: Kube): Promise<Deployment | undefined> =>
  its.get(resources.deployments, clusterManagerName, { namespace: operatorNamespace });

/** What a hub that has been upgraded does not do yet. */
async function hubBlocker(upgrade: HubUpgrade) {
  const { its, to } = upgrade;
  const manager = await its.get<ClusterManager>(resources.clusterManagers, clusterManagerName);
  if (!isRead(manager)) return 'its operator has not read its ClusterManager';
  const operator = await operatorOf(its);
  const controllers = await listServed<Deployment>(its, resources.deployments, inHub);
  const ofHub = controllers.filter(({ metadata }) => metadata.name.startsWith(clusterManagerName));
  const version = versionOf(tagOf(to));
  const open = [...(operator ? [operator] : []), ...ofHub].find(
    (each) => imageVersion(operatorImage(each)) !== version || !isDeploymentReady(each),
  );
  const namespace = open?.metadata.namespace ?? hubNamespace;
  const pods = await listServed<Pod>(its, resources.pods, { namespace });
  if (open !== undefined) {
    const failure = firstPodFailure(pods);
    if (failure?.kind === 'crash') throw await crashed(failure, upgrade);
    return failure?.why ?? `${open.metadata.name} does not run ${to} yet`;
  }
  const lock = await its.get<Lease>(resources.leases, registrationLock, inHub);
  if (!podsOf(registrationController, pods).some((pod) => holdsLock(pod, lock)))
    return `its registration controller ${to} does not hold its lock yet`;
  const webhook = await tryHubWebhook(its);
  if (webhook.state === 'silent') return webhook.why;
  const trial = { namespace: 'default', spec: { workload: { manifests: [] } } };
  const refusal = await testAdmission(its, resources.manifestWorks, trial);
  if (refusal !== undefined && judgeAdmission(refusal) === undefined)
    return `its webhook for works does not answer: ${refusal.words}`;
  return undefined;
}

async function crashed(failure: PodFailure, { name, its, to }: HubUpgrade) {
  return new StellarError(
    'space-failed',
    `OCM ${to} does not run in ${name}: ${failure.why}.`,
    ...toSeePod(its.cluster.context, failure),
    rerun,
  ).with({ details: await failureLog(its, failure) });
}

/**
 * Whether a pod holds a lock: its holder begins with the name of its host, which is that of the pod, or else has acquired it after the pod
 * was created (client-go tools/leaderelection; library-go pkg/controller/controllercmd).
 */
function holdsLock(pod: Pod, lock: Lease | undefined) {
  const { holderIdentity = '', acquireTime = '' } = lock?.spec ?? {};
  const isSince = holderIdentity !== '' && Date.parse(acquireTime) >= createdAt(pod);
  return isSince || holderIdentity.startsWith(`${pod.metadata.name}_`);
}

/** When the agents of the WECs that are available have renewed their Leases. */
async function leaseRenewals(its: Kube): Promise<Map<string, string>> {
  const [clusters, leases] = await Promise.all([
    listServed<ManagedCluster>(its, resources.managedClusters),
    listServed<Lease>(its, resources.leases),
  ]);
  const available = namesOf(
    clusters.filter((each) => isTrue(each, 'ManagedClusterConditionAvailable')),
  );
  const leasesOfAgents = leases.filter(
    ({ metadata }) => metadata.name === leaseName && available.includes(metadata.namespace ?? ''),
  );
  return new Map(
    leasesOfAgents.map(({ metadata, spec }) => [metadata.namespace ?? '', spec?.renewTime ?? '']),
  );
}

/** Has KubeFlex run the hook of the status add-on again, if that runs another version. @returns whether it does */
async function upgradeAddon(upgrade: HubUpgrade, run: Run) {
  const { name, its, hosting, hooks } = upgrade;
  const blocker = async () => {
    const pods = await readHubPods(partialReader(its));
    return runningVersions(hubPrograms(hooks), pods, undefined).some(
      ({ product, differs }) => product === products.statusAddon && differs,
    )
      ? `the status add-on is not ${hooks.statusAddon?.version} yet`
      : undefined;
  };
  if ((await blocker()) === undefined) return false;
  await rerunHook({ name, hosting }, hookNames.statusAddon, hosting.now());
  await waitWhile(blocker, run, (why) => upgradeLate(upgrade, why), name);
  return true;
}

const upgradeLate = ({ name, hosting, to }: HubUpgrade, why: string) =>
  new StellarError(
    'timeout',
    `The upgrade of ${name} to OCM ${to} is not done in time: ${why}.`,
    toSeeSpace('its', name, hosting.cluster.context),
    rerun,
  );
