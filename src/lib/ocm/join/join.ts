import { reportOf, StellarError } from '../../errors.ts';
import { resources } from '../../kube/resources.ts';
import { poll } from '../../poll.ts';
import type { Run } from '../../run.ts';
import { singletonAgentId } from '../accept.ts';
import { retireRequests } from '../approval.ts';
import type { ChosenEndpoint } from '../endpoint.ts';
import { RegistrationFollower, type WecResult } from '../follow.ts';
import type { HubAccess } from '../hub-access.ts';
import { bootstrapRequests, emptyEvidence, type HubEvidence, readHub } from '../hub-evidence.ts';
import { bootstrapSecret } from '../klusterlet/agent.ts';
import { installKlusterlet } from '../klusterlet/install.ts';
import { managedBy, managedByLabel } from '../klusterlet/operator.ts';
import { setLabels } from '../label.ts';
import { klusterletName } from '../names.ts';
import type { Klusterlet } from '../objects.ts';
import type { RegistrationStageId } from '../registration-stage-ids.ts';
import { readWec } from '../wec-evidence.ts';
import { finishDone, isDone } from './already-done.ts';
import { bootstrapNeed, firstTime } from './bootstrap-need.ts';
import { NewStart } from './new-start.ts';
import type { JoiningWec, JoinOptions } from './options.ts';
import { type JoinPlan, preflight } from './preflight.ts';
import { findSameClusters, sameWec } from './same-clusters.ts';

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
        return await joinOne(access, wec, options, result, announce, run);
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
  result: WecResult,
  announce: (endpoint: ChosenEndpoint) => void,
  run: Run,
): Promise<WecResult> {
  const started = Date.now();
  const plan = await preflight(access, wec, options, run);
  announce(plan.endpoint);
  for (const note of plan.notes) run.progress.note(note);
  if (isDone(access, plan, options)) return finishDone(access, plan, options, run);

  run.progress.waiting(wec.name, 'installing the klusterlet');
  const bootstrap = await install(access, plan, options, result, run);
  if (wec.kube.dryRun) return result;
  return follow(access, plan, options, { any: result.changed, bootstrap, started }, run);
}

/**
 * Installs what is missing, and notes in the result that something was written as soon as it was.
 * @returns whether the bootstrap secret was written, which makes the agent's earlier requests worthless
 */
async function install(
  access: HubAccess,
  plan: JoinPlan,
  options: JoinOptions,
  result: WecResult,
  run: Run,
): Promise<boolean> {
  const { name, kube, wecBefore, endpoint } = plan;
  const need = bootstrapNeed(wecBefore, endpoint, options);
  const present = wecBefore.klusterlet;
  const installation = {
    settings: plan.settings,
    installOperator: plan.installOperator,
    imagePullSecret: options.imagePullSecret,
    writeKlusterlet: present === undefined || present.metadata.labels?.[managedByLabel] === managedBy,
    bootstrap: need === undefined ? undefined : { hub: endpoint, token: await access.token() },
  };
  const counts = { created: 0, changed: 0, unchanged: 0 };
  try {
    await installKlusterlet(kube, installation, counts, run);
  } finally {
    result.changed = !kube.dryRun && counts.created + counts.changed > 0;
  }
  if (kube.dryRun) return false;
  if (need !== undefined && need !== firstTime) run.progress.changed(name, need);
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  run.progress.changed(name, `klusterlet applied (${parts.map(([change, count]) => `${count} ${change}`).join(', ')})`);
  return need !== undefined;
}

/** What the ITS shows of one agent: where it is known which one is meant, another one's requests say nothing about this WEC. */
function onlyOf(agent: string | undefined, evidence: HubEvidence | undefined): HubEvidence | undefined {
  if (agent === undefined || evidence === undefined) return evidence;
  return { ...evidence, requests: evidence.requests.filter((request) => request.agent === agent) };
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
  const newStart = new NewStart();
  const former = written.bootstrap && ownAgent !== undefined ? bootstrapRequests(hubBefore ?? emptyEvidence(name)) : [];
  const superseded = former.filter(({ agent }) => agent === ownAgent);
  if (hub !== undefined) await retireRequests(hub, superseded);
  const outdated = new Set(superseded.map((request) => request.name));
  const follower = new RegistrationFollower(name, hub, run, {
    until: goalOf(access, options),
    accept: options.accept,
    wait: true,
    agent: ownAgent,
    ownAgent,
    outdated,
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
      hub && readHub(hub, [name]).then((found) => onlyOf(ownAgent, found.get(name))),
    ]);
    if (!labelled && hub !== undefined && evidence?.managedCluster !== undefined) {
      if (await setLabels(hub, evidence.managedCluster, options.labels)) follower.wrote('labelled');
      labelled = true;
    }
    const registration = { name, hub: evidence, wec, now: hub?.now() ?? kube.now() };
    const reason = hub && newStart.reason(registration, hub);
    if (hub !== undefined && reason !== undefined) {
      newStart.done = true;
      for (const request of evidence?.requests ?? []) outdated.add(request.name);
      await kube.apply(bootstrapSecret(plan.endpoint, await access.anotherToken()));
      if (ownAgent !== undefined) await retireRequests(hub, evidence?.requests ?? []);
      follower.wrote(`${reason}: started anew`);
      follower.forgive();
      return undefined;
    }
    await follower.step(registration);
    return follower.finished || undefined;
  };
  await poll(look, run).catch((error: unknown) => {
    if (!(error instanceof StellarError)) throw error;
    follower.fail(error);
  });
  if (!follower.finished) follower.giveUp();
  return follower.result;
}
