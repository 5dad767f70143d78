import pLimit, { type LimitFunction } from 'p-limit';
import { StellarError } from '../../core/errors.ts';
import { advice, command } from '../../core/next-step.ts';
import { readConfirmed } from '../../core/read-confirmed.ts';
import type { Run } from '../../core/run.ts';
import { compareVersions } from '../../core/text/version.ts';
import { resources } from '../../kube/client/objects.ts';
import { untilGone } from '../../kube/until-gone.ts';
import { clusterUid } from '../../ocm/hub/cluster-uid.ts';
import type { ChosenEndpoint } from '../../ocm/hub/endpoint.ts';
import type { HubAccess } from '../../ocm/hub/hub-access.ts';
import { WebhookProbe } from '../../ocm/hub/webhook.ts';
import { agentNamespace, isOcmVersion } from '../../ocm/model/ocm-names.ts';
import { newestOcm } from '../../ocm/model/ocm-versions.ts';
import { noteHoles } from '../../ocm/versions/hub-holes.ts';
import type { WecResult } from '../diagnose/follow-registration.ts';
import { makeAccount } from '../registration/own-requests.ts';
import {
  describeRemainingWorks,
  isStillConnected,
  pauseEviction,
  readRemainingWorks,
} from './evict-from-former-hub.ts';
import {
  finishDone,
  followJoins,
  isDone,
  type JoinSubject,
  joinSubject,
  removeOwnAccount,
} from './follow-join.ts';
import { installKlusterlet } from './install-klusterlet.ts';
import type { JoiningWec, JoinOptions, Moving } from './join-options.ts';
import { defaultRegistry, type JoinPlan, planJoin } from './join-plan.ts';
import { type JoinProbes, joinProbes } from './join-requirements.ts';
import { recordHubWrites } from './record-on-its.ts';
import { dropCertificate, retryStuckPods } from './restart-agent.ts';

/**
 * Joins WECs to an ITS in parallel: checks, installs the klusterlet, and follows each registration until its request exists or,
 * with `accept`, until the WEC is available. It keeps what exists and resumes what is incomplete. It tries every WEC; the error of
 * one is in its result.
 */
export async function join(
  access: HubAccess,
  wecs: JoiningWec[],
  options: JoinOptions,
  run: Run,
): Promise<WecResult[]> {
  const hub = access.kube;
  const names = wecs.map(({ name }) => name);
  for (const name of names) run.progress.waiting(name, 'checking both clusters');
  if (hub !== undefined) await noteHoles(hub, access.ocmVersion, names, run);
  const twice = await findSameClusters(wecs);
  const shared: Shared = {
    announce: announcer(access, options, run),
    webhook: hub && new WebhookProbe(hub, run),
    checks: {
      ...joinProbes(access, wecs, run),
      isStillConnected: (kube, klusterlet) => isStillConnected(kube, klusterlet, run),
    },
    oneAtATime: pLimit(1),
  };
  const joined = wecs.map((wec): JoinSubject => {
    const wecOptions = { ...options, ...wec.options };
    const joined = joinSubject(access, wec, wecOptions, run);
    const begin = async () => {
      const duplicate = twice.get(wec.name);
      if (duplicate !== undefined) throw sameWec(wec, duplicate);
      return beginJoin(access, wec, wecOptions, joined, shared, run);
    };
    return { ...joined, begin };
  });
  return followJoins(access, joined, run);
}

/** Shows the ITS and the address that agents will use, once, before the first write. */
function announcer(
  { its, external, ocmVersion, imageRegistry }: HubAccess,
  asked: JoinOptions,
  { progress }: Run,
): (endpoint: ChosenEndpoint) => void {
  let isNoted = false;
  return ({ server, source }) => {
    if (isNoted) return;
    isNoted = true;
    const isNewer =
      isOcmVersion(ocmVersion ?? '') && compareVersions(ocmVersion ?? '', newestOcm) > 0;
    const known = isNewer ? `, newer than was tried (${newestOcm})` : '';
    const version = ocmVersion === undefined ? '' : ` · OCM ${ocmVersion}${known}`;
    // The images run with far-reaching rights on the WEC: a registry that the user has not named is announced.
    const isNamed =
      imageRegistry === undefined ||
      imageRegistry === defaultRegistry ||
      asked.imageRegistry !== undefined;
    const images = isNamed
      ? ''
      : ` · images from ${imageRegistry}, as the ITS says; another one: --image-registry`;
    progress.note(
      `ITS ${its} (${external.server})${version} · agents will use ${server} (${source})${images}`,
    );
  };
}

/** What the WECs of one command share. */
interface Shared {
  announce: (endpoint: ChosenEndpoint) => void;
  webhook: WebhookProbe | undefined;
  checks: JoinProbes;
  /** A user is asked about one WEC at a time. */
  oneAtATime: LimitFunction;
}

/** Plans the join; plans it once more if the user was asked, or if it had to wait: the clusters may have changed meanwhile. */
async function confirmedPlan(
  access: HubAccess,
  wec: JoiningWec,
  options: JoinOptions,
  shared: Shared,
  run: Run,
): Promise<JoinPlan> {
  const { replaceHub } = options;
  const { plan } = await readConfirmed({
    async read() {
      const plan = await planJoin(access, wec, options, shared.checks);
      return { plan, moving: await movingOf(plan, access.its) };
    },
    effects({ moving }) {
      if (moving === undefined) return [];
      const { evicted = [], orphaned = [] } = moving.works ?? {};
      const lost = [`${moving.klusterlet} at ${moving.from}`, ...evicted, ...orphaned];
      return lost.map((object) => ({ object, wec: wec.name }));
    },
    async confirm({ plan, moving }, more) {
      const isAsked =
        moving && replaceHub && (await shared.oneAtATime(() => replaceHub(moving, more)));
      if (more.length > 0) return isAsked === true;
      shared.announce(plan.endpoint);
      for (const note of plan.notes) run.progress.note(note);
      const hasWaited = [
        await untilNamespaceGone(plan, run),
        needsWebhook(plan, options) && (await shared.webhook?.untilAnswering(wec.name)),
      ];
      return isAsked === true || hasWaited.includes(true);
    },
  });
  return plan;
}

/** Undefined unless it moves from another hub. */
async function movingOf(
  { name, kube, former, wecBefore }: JoinPlan,
  its: string,
): Promise<Moving | undefined> {
  if (former === undefined) return undefined;
  const klusterlet = wecBefore.klusterlet?.metadata.uid ?? '';
  const works = await readRemainingWorks(kube, wecBefore);
  return { name, cluster: kube.cluster, klusterlet, from: former.server, its, works };
}

/** Plans a join and installs the klusterlet. @returns a result if there is no registration to follow */
async function beginJoin(
  access: HubAccess,
  wec: JoiningWec,
  options: JoinOptions,
  joined: JoinSubject,
  shared: Shared,
  run: Run,
): Promise<WecResult | undefined> {
  const { result } = joined;
  const plan = await confirmedPlan(access, wec, options, shared, run);
  if (isDone(access, plan)) {
    const done = await finishDone(access, plan, options, run);
    await removeOwnAccount(access, plan);
    return done;
  }
  await noteWhatIsLost(access, plan, options, run);
  for (const kept of plan.versions.kept) run.progress.note(`${wec.name}: ${kept}`);
  run.progress.waiting(wec.name, 'installing the klusterlet');
  if (options.holdWorks) await hold(plan, result, run);
  const reregisters = await installAgent(access, plan, options, result, run);
  const retried = await retryStuckPods(wec.kube, plan.wecBefore, plan.versions.installOperator);
  result.changed ||= retried && !wec.kube.dryRun;
  if (plan.reregister?.by === 'certificate') await dropCertificate(wec.kube, plan.wecBefore);
  if (wec.kube.dryRun) {
    await recordHubWrites(access, plan, options);
    return result;
  }
  await joined.start(plan, options, { reregisters, webhook: shared.webhook });
  return undefined;
}

/** Before its agent meets a hub that does not know its works. */
async function hold(
  { name, kube, reregister, wecBefore: { klusterlet } }: JoinPlan,
  result: WecResult,
  run: Run,
) {
  if (
    reregister === undefined ||
    klusterlet === undefined ||
    !(await pauseEviction(kube, klusterlet)) ||
    kube.dryRun
  )
    return;
  result.changed = true;
  run.progress.changed(name, 'its agent deletes no work until the grace period is put back');
}

/** The works, labels and annotations of a registration that was lost are not on the ITS: reported before the first write. */
async function noteWhatIsLost(
  { its }: HubAccess,
  { name, kube, wecBefore, former, reregister, hubBefore }: JoinPlan,
  { labels, annotations = {} }: JoinOptions,
  { progress }: Run,
) {
  if (
    reregister?.by !== 'certificate' ||
    former !== undefined ||
    hubBefore?.managedCluster !== undefined
  )
    return;
  const works = await readRemainingWorks(kube, wecBefore);
  const workloadEffects = works && describeRemainingWorks(works, its);
  if (workloadEffects !== undefined) progress.note(`${name}: ${workloadEffects}`);
  if (Object.keys({ ...labels, ...annotations }).length === 0)
    progress.note(
      `${name}: the labels and annotations of its ManagedCluster were lost with it. To set labels: ${command`stellarctl label ${name} KEY=VALUE --its ${its}`}`,
    );
}

/**
 * The agent's namespace is deleted with its Klusterlet and ends some seconds later: earlier writes there are lost.
 * @returns whether it waited
 */
async function untilNamespaceGone({ name, kube, wecBefore }: JoinPlan, run: Run): Promise<boolean> {
  if (wecBefore.klusterlet !== undefined || run.dryRun) return false;
  const namespace = await kube.get(resources.namespaces, agentNamespace);
  if (namespace?.metadata.deletionTimestamp === undefined) return false;
  run.progress.waiting(name, `namespace ${agentNamespace} is being deleted`);
  await untilGone(kube, resources.namespaces, namespace, run);
  return true;
}

/** A cluster that the ITS has accepted no longer needs its admission. */
const needsWebhook = ({ hubBefore }: JoinPlan, { accept }: JoinOptions): boolean =>
  hubBefore?.managedCluster === undefined ||
  (accept && hubBefore.managedCluster.spec?.hubAcceptsClient !== true);

/**
 * Installs what is missing, and records in the result at once that something was written.
 * @returns whether the bootstrap secret of an existing agent was written
 */
async function installAgent(
  access: HubAccess,
  plan: JoinPlan,
  options: JoinOptions,
  result: WecResult,
  run: Run,
): Promise<boolean> {
  const { name, kube, endpoint, reregister: cause, account, versions } = plan;
  // A cluster that has never joined has no agent that registers again.
  const reregisters = cause !== undefined && cause.code !== 'bootstrap-secret-missing';
  if (cause !== undefined && account !== undefined && access.kube !== undefined)
    await makeAccount(access.kube, name);
  const isOwn = access.kube !== undefined;
  const installation = {
    settings: plan.settings,
    ...versions,
    imagePullSecret: options.imagePullSecret,
    bootstrap:
      cause === undefined
        ? undefined
        : { hub: endpoint, token: await access.token(account), isOwn },
  };
  const counts = { created: 0, changed: 0, unchanged: 0 };
  try {
    await installKlusterlet(kube, installation, counts, run);
  } finally {
    result.changed ||= !kube.dryRun && counts.created + counts.changed > 0;
  }
  if (kube.dryRun) return false;
  if (reregisters) run.progress.changed(name, `${cause.why}: it re-registers`);
  for (const replaced of versions.replaced) run.progress.changed(name, replaced);
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  run.progress.changed(
    name,
    `klusterlet applied (${parts.map(([change, count]) => `${count} ${change}`).join(', ')})`,
  );
  return reregisters;
}

/** Names that refer to the same cluster, each with the other name. Clusters that cannot be distinguished are not compared. */
async function findSameClusters(wecs: JoiningWec[]): Promise<Map<string, string>> {
  if (wecs.length < 2) return new Map();
  const uids = await Promise.all(wecs.map(({ kube }) => clusterUid(kube).catch(() => undefined)));
  const otherOf = (index: number) =>
    wecs.find((_, other) => other !== index && uids[other] === uids[index])?.name;
  return new Map(
    wecs.flatMap(({ name }, index) => {
      const other = uids[index] === undefined ? undefined : otherOf(index);
      return other === undefined ? [] : [[name, other] as const];
    }),
  );
}

function sameWec({ name }: JoiningWec, duplicate: string): StellarError {
  return new StellarError(
    'same-cluster',
    `${name} and ${duplicate} are the same cluster; neither was joined.`,
    { next: [advice('Give every name the context of its own cluster: NAME=CONTEXT')] },
  );
}
