import type { LimitFunction } from 'p-limit';
import { once } from '../../core/concurrency.ts';
import type { JudgedReading } from '../../core/follow.ts';
import type { Run } from '../../core/run.ts';
import { blockingStage, isMet } from '../../core/stages.ts';
import type { Kube } from '../../kube/client/client.ts';
import { type KubeObject, textIn } from '../../kube/client/objects.ts';
import {
  readKlusterlet,
  singletonAgentId,
  type WecEvidence,
} from '../../ocm/agent/wec-evidence.ts';
import type { ChosenEndpoint } from '../../ocm/hub/endpoint.ts';
import type { HubAccess } from '../../ocm/hub/hub-access.ts';
import { bootstrapRequests, emptyEvidence, type HubEvidence } from '../../ocm/hub/hub-evidence.ts';
import type { WebhookProbe } from '../../ocm/hub/webhook.ts';
import type { RegistrationFollower, WecResult } from '../follow/follow-registration.ts';
import { OwnRequests, supersededRequests } from '../registration/own-requests.ts';
import type { Registration } from '../registration/registration-checks.ts';
import { judgeRegistration } from '../registration/registration-stages.ts';
import type { ForeseenJoin, JoiningWec } from './join-options.ts';
import type { JoinPlan } from './join-plan.ts';
import type { JoinProbes } from './join-requirements.ts';
import {
  RestartsDuringJoin,
  removeDeadLeases,
  reregister,
  restartAgents,
} from './restart-agent.ts';

/** What both sides show at a reading. */
export interface Moment {
  hub: Kube;
  evidence: HubEvidence;
  wec: WecEvidence;
  /** The id of the WEC's agent, if its mode makes it known. */
  agent: string | undefined;
}

/** What is asked for one WEC, and what the WECs of a command share. */
export interface AskedJoin {
  access: HubAccess;
  wec: JoiningWec;
  options: ForeseenJoin;
  probes: JoinProbes;
  webhook: WebhookProbe | undefined;
  announce: (endpoint: ChosenEndpoint) => void;
  /** A user is asked about one WEC at a time. */
  oneAtATime: LimitFunction;
  run: Run;
  result: WecResult;
}

/** The join of one WEC, once it is planned. */
export type PlannedJoin = ReturnType<typeof plannedJoin>;

/** @param plan the last one, which the user's answer covers */
export function plannedJoin(asked: AskedJoin, plan: JoinPlan) {
  const counts = { created: 0, changed: 0, unchanged: 0 };
  return {
    ...asked,
    plan,
    /** What `apply` has done. */
    counts,
    async apply(object: KubeObject) {
      const change = await plan.kube.apply(object);
      counts[change] += 1;
    },
    /** The token for its agent, requested once. */
    token: once(() => asked.access.token(plan.account)),
    /** The UIDs of the ManagedClusters on which that was recorded, or may not be: another one of that name gets it again. */
    recorded: { labels: new Set<string | undefined>(), identity: new Set<string | undefined>() },
  };
}

/** The same while it follows the registration. */
export type Joining = Awaited<ReturnType<typeof startedJoin>>;

/** Whether an existing agent registers again, which supersedes its earlier requests. */
export const reregisters = ({ reregister: cause }: JoinPlan) =>
  cause !== undefined && cause.code !== 'bootstrap-secret-missing';

/** Begins to follow the registration of what was installed. */
export async function startedJoin(planned: PlannedJoin) {
  const { plan, run } = planned;
  const { name, kube, wecBefore, hubBefore = emptyEvidence(name) } = plan;
  const klusterlet = await readKlusterlet(kube);
  // Both clusters were named together: the WEC's own agent is known, even if other agents send requests.
  const agent = (klusterlet && singletonAgentId(klusterlet)) ?? keptAgentId(plan);
  const ownRequests = new OwnRequests(agent, wecBefore);
  const superseded = supersededRequests(kube, ownRequests, run);
  const before = reregisters(plan) ? bootstrapRequests(hubBefore) : [];
  superseded.add(before.filter((request) => ownRequests.isProven(request)));
  return { ...planned, ownRequests, superseded, restarts: new RestartsDuringJoin() };
}

/** An agent that keeps its certificate, expired or not, keeps the id in it, whatever its mode (ocm pkg/common/options). */
function keptAgentId({ reregister: cause, wecBefore: { hubSecret } }: JoinPlan) {
  return (
    (cause?.code === 'certificate-expired' && hubSecret && textIn(hubSecret, 'agent-name')) ||
    undefined
  );
}

/** Reads which requests are the WEC's own, and deletes those for which its agent has lost the keys. */
export async function clearRequests(
  { ownRequests, superseded, options }: Joining,
  { hub, evidence, wec }: Moment,
): Promise<void> {
  const open = evidence.requests.filter(({ name }) => !superseded.names.has(name));
  ownRequests.see(wec, open);
  if (options.accept) ownRequests.requireRecords(hub, open);
  await superseded.clear(hub, evidence, wec);
}

/** Restarts an agent that makes no progress by itself, once for each cause. */
export async function actOnAgent(
  { access, plan, options: { accept }, superseded, restarts, run }: Joining,
  { follower }: { follower: RegistrationFollower },
  reading: JudgedReading<Registration>,
): Promise<'again' | undefined> {
  const { kube } = plan;
  const { hub, wec } = reading.snapshot;
  if (hub === undefined || wec === undefined) return undefined;
  await removeDeadLeases(kube, wec);
  const need = restarts.need(reading.snapshot, kube.now(), accept);
  // A joined WEC waits for nothing else; the next user who accepts it should not find superseded requests.
  if (need === undefined)
    return !accept && superseded.isOpen && !run.deadline.passed ? 'again' : undefined;
  if (need.by === 'pods') await restartAgents(kube);
  else await reregister(access, plan, need.by, wec);
  // One that keeps its certificate sends no other request.
  if (need.by !== 'pods' || wec.hubSecret === undefined) superseded.add(hub.requests);
  restarts.markDone(need);
  follower.wrote(`${need.why}: agent restarted`);
  reading.restartGracePeriod();
  return 'again';
}

/** What an ITS shows, without requests of other agents and superseded ones: they are no evidence. */
export function evidenceOfOwn(
  { ownRequests, superseded, options: { accept } }: Joining,
  evidence: HubEvidence,
): HubEvidence {
  const requests = evidence.requests.filter(
    (each) =>
      !superseded.names.has(each.name) &&
      (each.renewal || (accept ? ownRequests.mayApprove(each) : ownRequests.maybe(each))),
  );
  return { ...evidence, requests };
}

/** The answer of the hub's webhook, tried only while an agent that has sent a request does not announce itself. */
export async function webhookFor(
  { webhook }: PlannedJoin,
  hub: HubEvidence,
  now: number,
): Promise<Registration['webhook']> {
  const asked = bootstrapRequests(hub).at(-1)?.created;
  const isSlow = asked !== undefined && now - asked > announcementMs;
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
