import { StellarError } from '../../core/errors.ts';
import type { Followed, Reading } from '../../core/follow.ts';
import { command } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import { blockingStage, isMet } from '../../core/stages.ts';
import type { Kube } from '../../kube/client/client.ts';
import { resources, textIn } from '../../kube/client/objects.ts';
import { readWec, singletonAgentId, type WecEvidence } from '../../ocm/agent/wec-evidence.ts';
import type { HubAccess } from '../../ocm/hub/hub-access.ts';
import { bootstrapRequests, emptyEvidence, type HubEvidence } from '../../ocm/hub/hub-evidence.ts';
import type { RegistrationRequest } from '../../ocm/hub/registration-requests.ts';
import type { WebhookProbe } from '../../ocm/hub/webhook.ts';
import { klusterletName } from '../../ocm/model/ocm-names.ts';
import type { Klusterlet } from '../../ocm/model/ocm-objects.ts';
import { beingDeregistered } from '../diagnose/deletion.ts';
import {
  followOnHub,
  RegistrationFollower,
  type WecResult,
} from '../diagnose/follow-registration.ts';
import {
  OwnRequests,
  removeAccount,
  type SupersededRequests,
  supersededRequests,
} from '../registration/own-requests.ts';
import type { Registration } from '../registration/registration-checks.ts';
import type { RegistrationStageId } from '../registration/registration-stage-ids.ts';
import { judgeRegistration, readingOf } from '../registration/registration-stages.ts';
import type { JoiningWec, JoinOptions } from './join-options.ts';
import type { JoinPlan } from './join-plan.ts';
import { type HubRecords, hubRecords } from './record-on-its.ts';
import {
  RestartsDuringJoin,
  removeDeadLeases,
  reregister,
  restartAgents,
} from './restart-agent.ts';

/** The state when a join begins to follow its registration. */
interface StartedJoin {
  /** Whether an existing agent re-registers, which supersedes its earlier requests. */
  reregisters: boolean;
  webhook: WebhookProbe | undefined;
}

/** What a join knows once it follows the registration. */
interface Joining {
  plan: JoinPlan;
  ownRequests: OwnRequests;
  /** The ITS's side, if it can be read. */
  side: HubSide | undefined;
}

/** The ITS's side of a join. */
interface HubSide {
  kube: Kube;
  superseded: SupersededRequests;
  records: HubRecords;
  restarts: RestartsDuringJoin;
  webhook: WebhookProbe | undefined;
}

/** How far to follow: as far as it is visible, and until another user must act. */
function goalOf(access: HubAccess, accept: boolean): RegistrationStageId {
  if (access.kube === undefined) return 'hub-reachable';
  return accept ? 'available' : 'request';
}

/**
 * The registration of one WEC, followed to the goal of its join; along the way it does what the agent needs to continue, and what
 * the user asked for.
 */
export interface JoinSubject extends Followed<Registration, WecResult> {
  readonly name: string;
  readonly result: WecResult;
  /** Called before the first reading. @param options those of the join, with the labels that the user has chosen */
  start(plan: JoinPlan, options: JoinOptions, started: StartedJoin): Promise<void>;
  /** Reads the WEC, and writes each pending change as soon as possible. @param hub undefined on the WEC's side alone */
  read(hub: HubEvidence | undefined): Promise<Reading<Registration>>;
}

export function joinSubject(
  access: HubAccess,
  { name, kube }: JoiningWec,
  { accept }: Pick<JoinOptions, 'accept'>,
  run: Run,
): JoinSubject {
  let joining: Joining | undefined;
  // In mode Default the agent is known only after it has sent a request.
  const agent = () => joining?.ownRequests.agent;
  const follower = new RegistrationFollower({ name, kube }, access.kube, run, {
    until: goalOf(access, accept),
    accept,
    wait: true,
    agent,
    ownAgent: agent,
    checkCommand:
      access.kube === undefined
        ? command`kubectl --context ${kube.cluster.context} describe klusterlet ${klusterletName}`
        : command`stellarctl wec get ${`${name}=${kube.cluster.context}`} --its ${access.its}`,
  });
  return {
    name,
    result: follower.result,
    until: follower.until,
    async start(plan, options, started) {
      joining = await joiningOf(access.kube, plan, options, started, run);
    },
    async read(hub) {
      const { side, ownRequests } = joining as Joining;
      const wec = await readWec(kube);
      const known = { name, its: access.its, wec };
      if (side === undefined || hub === undefined)
        return readingOf({ ...known, hub: undefined, now: kube.now() });
      await removeDeadLeases(kube, wec);
      const ofOwn = await cleanedUp(hub, wec, { ownRequests, side }, accept, (text) =>
        follower.wrote(text),
      );
      return readingOf({
        ...known,
        hub: ofOwn,
        webhook: await webhookFor(ofOwn, side),
        now: side.kube.now(),
      });
    },
    async act(reading) {
      const { plan, side } = joining as Joining;
      const { hub, wec } = reading.snapshot;
      const need = side?.restarts.need(reading.snapshot, kube.now(), accept);
      // A joined WEC waits for nothing else; the next user who accepts it should not find superseded requests.
      const isOpen = need === undefined && !accept && side?.superseded.isOpen === true;
      if (isOpen && !run.deadline.passed) return undefined;
      if (side === undefined || need === undefined) {
        const result = await follower.act(reading);
        if (result?.stage === 'available') await removeOwnAccount(access, plan);
        return result;
      }
      if (need.by === 'pods') await restartAgents(plan.kube);
      else await reregister(access, plan, need.by, wec);
      // One that keeps its certificate sends no other request.
      if (need.by !== 'pods' || wec?.hubSecret === undefined)
        side.superseded.add(hub?.requests ?? []);
      side.restarts.markDone(need);
      follower.wrote(`${need.why}: agent restarted`);
      reading.restartGracePeriod();
      return undefined;
    },
    late: (last) => follower.late(last),
    broken: (error) => follower.broken(error),
  };
}

async function joiningOf(
  hub: Kube | undefined,
  plan: JoinPlan,
  options: JoinOptions,
  started: StartedJoin,
  run: Run,
) {
  const { name, kube, wecBefore, hubBefore = emptyEvidence(name) } = plan;
  const klusterlet = await kube.get<Klusterlet>(resources.klusterlets, klusterletName);
  // Both clusters were named together: the WEC's own agent is known, even if other agents send requests.
  const agent = (klusterlet && singletonAgentId(klusterlet)) ?? keptAgentId(plan);
  const ownRequests = new OwnRequests(agent, wecBefore);
  if (hub === undefined) return { plan, ownRequests, side: undefined };
  const superseded = supersededRequests(hub, kube, ownRequests, run);
  const before = started.reregisters ? bootstrapRequests(hubBefore) : [];
  superseded.add(before.filter((request) => ownRequests.isProven(request)));
  const records = hubRecords(hub, plan, options, run);
  const { webhook } = started;
  return {
    plan,
    ownRequests,
    side: { kube: hub, superseded, records, restarts: new RestartsDuringJoin(), webhook },
  };
}

/** Writes what is pending on the ITS. @returns what it shows, without requests of other agents and superseded ones: they are no evidence */
async function cleanedUp(
  hub: HubEvidence,
  wec: WecEvidence,
  { ownRequests, side }: { ownRequests: OwnRequests; side: HubSide },
  accept: boolean,
  wrote: (text: string) => void,
): Promise<HubEvidence> {
  const { names } = side.superseded;
  const open = hub.requests.filter((request) => !names.has(request.name));
  ownRequests.see(wec, open);
  if (accept) ownRequests.requireRecords(side.kube, open);
  await side.superseded.clear(hub, wec);
  for (const text of await side.records.write(hub, wec, ownRequests.agent)) wrote(text);
  const isOwn = (request: RegistrationRequest) =>
    accept ? ownRequests.mayApprove(request) : ownRequests.maybe(request);
  const requests = hub.requests.filter(
    (each) => (each.renewal || isOwn(each)) && !names.has(each.name),
  );
  return { ...hub, requests };
}

export const followJoins = (
  access: HubAccess,
  wecs: readonly JoinSubject[],
  run: Run,
): Promise<WecResult[]> => followOnHub(access.kube, wecs, (wec, ofHub) => wec.read(ofHub), run);

/** An agent that keeps its certificate, expired or not, keeps the id in it, whatever its mode (ocm pkg/common/options). */
function keptAgentId({
  reregister: cause,
  wecBefore: { hubSecret },
}: JoinPlan): string | undefined {
  return (
    (cause?.code === 'certificate-expired' && hubSecret && textIn(hubSecret, 'agent-name')) ||
    undefined
  );
}

/** A WEC that has joined no longer needs its own service account. */
export async function removeOwnAccount(
  { kube }: HubAccess,
  { name, settings }: JoinPlan,
): Promise<void> {
  if (kube !== undefined && settings.mode === 'Default') await removeAccount(kube, name);
}

/** Tried only while an agent that has sent a request does not announce itself. */
async function webhookFor(
  hub: HubEvidence,
  { webhook, kube }: HubSide,
): Promise<Registration['webhook']> {
  const asked = bootstrapRequests(hub).at(-1)?.created;
  const isSlow = asked !== undefined && kube.now() - asked > announcementMs;
  return hub.managedCluster === undefined && isSlow ? webhook?.now() : undefined;
}

/** An agent announces itself within a second of its request. */
const announcementMs = 2000;

/** Whether everything that was requested is already in place, except labels. */
export function isDone(access: HubAccess, plan: JoinPlan): boolean {
  const { name, hubBefore: hub, wecBefore: wec } = plan;
  if (wec.klusterlet === undefined || plan.reregister !== undefined) return false;
  const reports = judgeRegistration({ name, hub, wec, now: (access.kube ?? plan.kube).now() });
  // The Lease of an agent that no longer runs stays fresh for minutes.
  return (
    blockingStage(reports) === undefined &&
    (isMet(reports, 'available') || access.kube === undefined)
  );
}

/**
 * Sets missing labels, records the identity of the cluster, and reports that nothing else was necessary.
 * @throws StellarError `conflict` during a deregistration, before the first write
 */
export async function finishDone(
  access: HubAccess,
  plan: JoinPlan,
  options: JoinOptions,
  run: Run,
): Promise<WecResult> {
  const { name, wecBefore, hubBefore } = plan;
  const leaving = beingDeregistered({ hub: hubBefore, name, its: access.its });
  if (leaving !== undefined)
    throw new StellarError('conflict', leaving.message, { next: leaving.next });
  const records = access.kube && hubRecords(access.kube, plan, options, run);
  const written = (hubBefore && (await records?.write(hubBefore, wecBefore, undefined))) ?? [];
  const state = access.kube === undefined ? 'connected' : 'available';
  const done = written.join(', ') || 'nothing to do';
  run.progress.done(
    name,
    `is registered with ${access.its} and ${state}; ${done}.${ignoredNote(options)}`,
  );
  const changed = written.length > 0 && access.kube?.dryRun !== true;
  return { name, stage: state, blockedAt: null, changed };
}

function ignoredNote({ imagePullSecret, ocmVersion, imageRegistry }: JoinOptions): string {
  const given = {
    '--image-pull-secret': imagePullSecret,
    '--ocm-version': ocmVersion,
    '--image-registry': imageRegistry,
  };
  const ignored = Object.entries(given).flatMap(([option, value]) =>
    value === undefined ? [] : [option],
  );
  if (ignored.length === 0) return '';
  return ` A join does not change an agent that works, as wec upgrade does: ${ignored.join(', ')} had no effect.`;
}
