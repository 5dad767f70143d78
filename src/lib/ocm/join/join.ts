import { formatAge } from '../../duration.ts';
import { reportOf, StellarError } from '../../errors.ts';
import { conditionOf } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';
import { poll } from '../../poll.ts';
import type { Run } from '../../run.ts';
import { isMet } from '../../stages.ts';
import { singletonAgentId } from '../accept.ts';
import type { ChosenEndpoint } from '../endpoint.ts';
import { RegistrationFollower, type WecResult } from '../follow.ts';
import type { HubAccess } from '../hub-access.ts';
import { bootstrapRequests, emptyEvidence, readHub } from '../hub-evidence.ts';
import { imageVersion } from '../image.ts';
import { type HubConnection, readHubKubeconfig } from '../klusterlet/agent.ts';
import { installKlusterlet } from '../klusterlet/install.ts';
import { managedBy, managedByLabel } from '../klusterlet/operator.ts';
import { setLabels } from '../label.ts';
import { klusterletName } from '../names.ts';
import type { Klusterlet } from '../objects.ts';
import { judgeRegistration, type RegistrationStageId } from '../registration-stages.ts';
import { tokenExpiry } from '../token.ts';
import { readWec, type WecEvidence } from '../wec-evidence.ts';
import type { JoiningWec, JoinOptions } from './options.ts';
import { clusterIdentity, type JoinPlan, preflight } from './preflight.ts';

/**
 * Joins WECs to an ITS side by side: checks, installs the klusterlet, and follows each registration until its request is there or,
 * with `accept`, until the WEC is available. What is there already is kept; what is half done is resumed. Every WEC is tried; an
 * error of one is in its result.
 */
export async function join(
  access: HubAccess,
  wecs: JoiningWec[],
  options: JoinOptions,
  run: Run,
): Promise<WecResult[]> {
  for (const { name } of wecs) run.progress.waiting(name, 'checking both clusters');
  const twice = await findSameClusters(wecs);
  const announce = announcer(access, run);
  return Promise.all(
    wecs.map(async (wec): Promise<WecResult> => {
      const result: WecResult = { name: wec.name, stage: null, changed: false };
      try {
        const twin = twice.get(wec.name);
        if (twin !== undefined) throw sameWec(wec, twin);
        return await joinOne(access, wec, options, announce, run);
      } catch (error) {
        if (!(error instanceof StellarError)) throw error;
        run.progress.failed(wec.name, reportOf(error).message);
        return { ...result, error };
      }
    }),
  );
}

/** Names the ITS and the address that agents will use: once, before the first write. */
function announcer({ its, outside, ocmVersion }: HubAccess, { progress }: Run): (endpoint: ChosenEndpoint) => void {
  let said = false;
  return ({ server, source }) => {
    if (said) return;
    said = true;
    const version = ocmVersion === undefined ? '' : ` · OCM ${ocmVersion}`;
    progress.note(`ITS ${its} (${outside.server})${version} · agents will use ${server} (${source})`);
  };
}

async function joinOne(
  access: HubAccess,
  wec: JoiningWec,
  options: JoinOptions,
  announce: (endpoint: ChosenEndpoint) => void,
  run: Run,
): Promise<WecResult> {
  const started = Date.now();
  const plan = await preflight(access, wec, options, run);
  announce(plan.endpoint);
  for (const note of plan.notes) run.progress.note(note);
  if (isDone(access, plan, options)) return finishDone(access, plan, options, run);

  const changed = await install(access, plan, options, run);
  if (wec.kube.dryRun) {
    run.progress.done(wec.name, 'dry run: nothing was written');
    return { name: wec.name, stage: null, changed: false };
  }
  return follow(access, plan, options, { ...changed, started }, run);
}

/** Whether everything that was asked for is so already, labels apart. */
function isDone(access: HubAccess, { name, wecBefore, hubBefore, endpoint }: JoinPlan, options: JoinOptions): boolean {
  if (wecBefore.klusterlet === undefined || bootstrapNeed(wecBefore, endpoint, options) !== undefined) return false;
  const now = access.kube?.now() ?? Date.now();
  const reports = judgeRegistration({ name, hub: hubBefore, wec: wecBefore, now });
  return isMet(reports, access.kube === undefined ? 'connected' : 'available');
}

async function finishDone(
  access: HubAccess,
  { name, wecBefore, hubBefore }: JoinPlan,
  options: JoinOptions,
  run: Run,
): Promise<WecResult> {
  const labelled =
    access.kube !== undefined &&
    hubBefore?.managedCluster !== undefined &&
    (await setLabels(access.kube, hubBefore.managedCluster, options.labels));
  const state = access.kube === undefined ? 'connected' : 'available';
  run.progress.done(
    name,
    `is registered with ${access.its} and ${state}${labelled ? '; labelled' : '; nothing to do'}.${versionNote(access, wecBefore.klusterlet)}${ignoredNote(options)}`,
  );
  return { name, stage: state, changed: labelled };
}

function versionNote({ ocmVersion }: HubAccess, klusterlet: Klusterlet | undefined): string {
  const { deployOption, imagePullSpec, registrationImagePullSpec } = klusterlet?.spec ?? {};
  const agent = imageVersion(deployOption?.mode === 'Default' ? registrationImagePullSpec : imagePullSpec);
  return agent === undefined || ocmVersion === undefined || agent === ocmVersion
    ? ''
    : ` Its agent is ${agent}, the hub ${ocmVersion}.`;
}

function ignoredNote({ ocmVersion, imageRegistry, imagePullSecret }: JoinOptions): string {
  const asked = [
    ocmVersion && '--ocm-version',
    imageRegistry && '--image-registry',
    imagePullSecret && '--image-pull-secret',
  ].filter(Boolean);
  return asked.length === 0 ? '' : ` A join does not change an agent that works: ${asked.join(', ')} had no effect.`;
}

/** Installs what is missing. @returns whether anything was written, and whether that made the agent's earlier requests worthless */
async function install(
  access: HubAccess,
  plan: JoinPlan,
  options: JoinOptions,
  run: Run,
): Promise<{ any: boolean; bootstrap: boolean }> {
  const { name, kube, wecBefore, endpoint } = plan;
  const need = bootstrapNeed(wecBefore, endpoint, options);
  const present = wecBefore.klusterlet;
  const counts = await installKlusterlet(
    kube,
    {
      settings: plan.settings,
      installOperator: plan.installOperator,
      imagePullSecret: options.imagePullSecret,
      writeKlusterlet: present === undefined || present.metadata.labels?.[managedByLabel] === managedBy,
      bootstrap: need === undefined ? undefined : { hub: endpoint, token: await access.token() },
    },
    run,
  );
  if (kube.dryRun) return { any: false, bootstrap: false };
  if (need !== undefined && need !== firstTime) run.progress.changed(name, need);
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  run.progress.changed(name, `klusterlet applied (${parts.map(([change, count]) => `${count} ${change}`).join(', ')})`);
  return { any: counts.created + counts.changed > 0, bootstrap: need !== undefined };
}

const firstTime = 'bootstrap secret written';
/** A token that is about to expire would leave a request that cannot be picked up any more. */
const tokenMarginMs = 5 * 60_000;

/**
 * Why the bootstrap secret has to be written; undefined to keep it, because writing it makes the agent start anew. An agent that
 * works needs none, unless the user asks for another address.
 */
function bootstrapNeed(
  { klusterlet, bootstrapSecret, hubSecret }: WecEvidence,
  endpoint: HubConnection,
  options: JoinOptions,
): string | undefined {
  const present = readHubKubeconfig(bootstrapSecret);
  if (present?.token === undefined) return firstTime;
  const differs =
    present.server !== endpoint.server ||
    present.certificateAuthority?.trim() !== endpoint.certificateAuthority?.trim() ||
    present.proxyUrl !== endpoint.proxyUrl;
  const asked = [
    options.hubApiserver,
    options.forceInternalEndpointLookup,
    options.certificateAuthority,
    options.proxyUrl,
  ];
  if (differs && asked.some((option) => option !== undefined))
    return 'bootstrap secret written with the address that was asked for';

  const condition = conditionOf(klusterlet, 'HubConnectionDegraded');
  if (condition?.status === 'False' && hubSecret !== undefined) return undefined;
  const reasons = condition?.reason ?? '';
  const works = reasons.startsWith('BootstrapSecretFunctional');
  const expiry = tokenExpiry(present.token);
  const left = expiry === undefined ? Number.POSITIVE_INFINITY : expiry.getTime() - Date.now();
  if (left <= 0) return `the bootstrap token had expired ${formatAge(-left)} ago: renewed`;
  if (left < tokenMarginMs) return `the bootstrap token was to expire in ${formatAge(left)}: renewed`;
  if (differs && !works) return 'the address or certificate authority of the ITS has changed: bootstrap secret renewed';
  if (reasons.startsWith('BootstrapSecretError') && condition?.message?.includes('Unauthorized'))
    return 'the ITS did not accept the bootstrap token: renewed';
  return undefined;
}

/** How far to follow: as far as is visible, and no further than somebody else has to act. */
function goalOf(access: HubAccess, { accept }: JoinOptions): RegistrationStageId {
  if (access.kube === undefined) return 'hub-reachable';
  return accept ? 'available' : 'request';
}

async function follow(
  access: HubAccess,
  plan: JoinPlan,
  options: JoinOptions,
  written: { any: boolean; bootstrap: boolean; started: number },
  run: Run,
): Promise<WecResult> {
  const { name, kube, hubBefore } = plan;
  const hub = access.kube;
  const klusterlet = await kube.get<Klusterlet>(resources.klusterlets, klusterletName);
  // Both clusters were named together, so that in Singleton mode it is known which agent is meant, whoever else may ask.
  const ownAgent = klusterlet && singletonAgentId(klusterlet);
  const former = written.bootstrap && ownAgent !== undefined ? bootstrapRequests(hubBefore ?? emptyEvidence(name)) : [];
  const follower = new RegistrationFollower(name, hub, run, {
    until: goalOf(access, options),
    accept: options.accept,
    wait: true,
    agent: ownAgent,
    ownAgent,
    outdated: new Set(former.filter(({ agent }) => agent === ownAgent).map((request) => request.name)),
    started: written.started,
    lookAgain:
      hub === undefined
        ? `kubectl --context ${kube.cluster.context} describe klusterlet ${klusterletName}`
        : `stellarctl wec list --its ${access.its}`,
  });
  follower.result.changed = written.any;
  let labelled = Object.keys(options.labels).length === 0;
  const look = async () => {
    const [wec, evidence] = await Promise.all([
      readWec(kube),
      hub && readHub(hub, [name]).then((found) => found.get(name)),
    ]);
    if (!labelled && hub !== undefined && evidence?.managedCluster !== undefined) {
      if (await setLabels(hub, evidence.managedCluster, options.labels)) follower.wrote('labelled');
      labelled = true;
    }
    await follower.step({ name, hub: evidence, wec, now: hub?.now() ?? kube.now() });
    return follower.finished || undefined;
  };
  await poll(look, run).catch((error: unknown) => {
    if (!(error instanceof StellarError)) throw error;
    follower.fail(error);
  });
  if (!follower.finished) follower.giveUp();
  return follower.result;
}

/** Names that turn out to be the same cluster, each with the other name. Clusters that cannot be told apart are not compared. */
async function findSameClusters(wecs: JoiningWec[]): Promise<Map<string, string>> {
  const same = new Map<string, string>();
  if (wecs.length < 2) return same;
  const identities = await Promise.all(wecs.map(({ kube }) => clusterIdentity(kube).catch(() => undefined)));
  for (const [index, identity] of identities.entries()) {
    const twin = wecs.find((_, other) => other !== index && identity !== undefined && identities[other] === identity);
    if (twin !== undefined) same.set((wecs[index] as JoiningWec).name, twin.name);
  }
  return same;
}

function sameWec({ name }: JoiningWec, twin: string): StellarError {
  return new StellarError('same-cluster', `${name} and ${twin} are the same cluster; neither was joined.`, {
    hint: 'Give every name the context of its own cluster: NAME=CONTEXT',
  });
}
