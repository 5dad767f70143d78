import { command } from '../../engine/command-line.ts';
import { type Followed, followOne, type Reading } from '../../engine/follow.ts';
import type { Run } from '../../engine/run.ts';
import type { Kube } from '../../kube/client/client.ts';
import { resources } from '../../kube/resources.ts';
import type { HubAccess } from '../hub/hub-access.ts';
import { bootstrapSecret } from '../klusterlet/agent.ts';
import { klusterletName } from '../names.ts';
import type { Klusterlet } from '../objects.ts';
import type { Registration } from '../registration/checks.ts';
import { RegistrationFollower, type WecResult } from '../registration/follow.ts';
import { bootstrapRequests, emptyEvidence, type HubEvidence, readOne } from '../registration/hub-evidence.ts';
import type { WebhookProbe } from '../registration/hub-webhook.ts';
import type { RegistrationRequest } from '../registration/requests.ts';
import type { RegistrationStageId } from '../registration/stage-ids.ts';
import { seen } from '../registration/stages.ts';
import { readWec, singletonAgentId, type WecEvidence } from '../registration/wec-evidence.ts';
import { HubRecords } from './hub-records.ts';
import type { JoinOptions } from './options.ts';
import { OwnRequests, SupersededRequests } from './own-requests.ts';
import type { JoinPlan } from './preflight.ts';
import {
  dropCertificate,
  Reregistration,
  type ReregistrationNeed,
  releaseDeadLeases,
  restartAgents,
} from './renew-agent.ts';

/** The state when a join begins to follow its registration. */
interface StartedJoin {
  /** Whether anything has been written. */
  changed: boolean;
  /** Whether an existing agent has a new bootstrap secret, which supersedes its earlier requests. */
  renewed: boolean;
  webhook: WebhookProbe | undefined;
}

/** The ITS's side of a join, if it can be read. */
interface HubSide {
  kube: Kube;
  superseded: SupersededRequests;
  records: HubRecords;
  reregistration: Reregistration;
  webhook: WebhookProbe | undefined;
}

/** How far to follow: as far as it is visible, and until another user must act. */
function goalOf(access: HubAccess, { accept }: JoinOptions): RegistrationStageId {
  if (access.kube === undefined) return 'hub-reachable';
  return accept ? 'available' : 'request';
}

/**
 * Follows a registration to the goal of the join; along the way it does what the agent needs to continue, and what the user asked
 * for.
 */
export async function followJoin(
  access: HubAccess,
  plan: JoinPlan,
  options: JoinOptions,
  { changed, renewed, webhook }: StartedJoin,
  run: Run,
): Promise<WecResult> {
  const { name, kube } = plan;
  const klusterlet = await kube.get<Klusterlet>(resources.klusterlets, klusterletName);
  // Both clusters were named together: the WEC's own agent is known, even if other agents send requests.
  const known = (klusterlet && singletonAgentId(klusterlet)) ?? keptAgentId(plan);
  const own = new OwnRequests(known, plan.wecBefore);
  const side = access.kube && hubSideOf(access.kube, plan, options, own, webhook, run);
  const before = renewed ? bootstrapRequests(plan.hubBefore ?? emptyEvidence(name)) : [];
  side?.superseded.add(before.filter((request) => own.isProven(request)));
  const follower = new RegistrationFollower(name, access.kube, run, {
    until: goalOf(access, options),
    accept: options.accept,
    wait: true,
    // In mode Default the agent is known only after it has sent a request.
    get agent() {
      return own.agent;
    },
    get ownAgent() {
      return own.agent;
    },
    outdated: side?.superseded.names ?? new Set(),
    checkCommand:
      side === undefined
        ? command`kubectl --context ${kube.cluster.context} describe klusterlet ${klusterletName}`
        : command`stellarctl wec get ${`${name}=${kube.cluster.context}`} --its ${access.its}`,
  });
  follower.result.changed = changed;
  const joining: Followed<Registration, WecResult> = {
    until: follower.until,
    late: (last) => follower.late(last),
    broken: (error) => follower.broken(error),
    async act(reading) {
      const { hub, wec } = reading.snapshot;
      const need = side?.reregistration.need(reading.snapshot, side.kube, kube.now(), options.accept);
      // A joined WEC waits for nothing else; the next user who accepts it should not find superseded requests.
      if (need === undefined && !options.accept && side?.superseded.isOpen && !run.deadline.passed) return undefined;
      if (side === undefined || need === undefined) return follower.act(reading);
      await reregister(access, plan, need, wec);
      side.superseded.add(hub?.requests ?? []);
      side.reregistration.markDone(need);
      follower.wrote(`${need.why}: agent restarted`);
      reading.restartGracePeriod();
      return undefined;
    },
  };
  return followOne(joining, () => readBothClusters(plan, side, own, follower, options), run);
}

/** Reads both clusters, and writes each pending change as soon as possible. */
async function readBothClusters(
  { name, kube }: JoinPlan,
  side: HubSide | undefined,
  own: OwnRequests,
  follower: RegistrationFollower,
  { accept }: JoinOptions,
): Promise<Reading<Registration>> {
  const [wec, hub] = await Promise.all([readWec(kube), side && readOne(side.kube, name)]);
  if (side === undefined || hub === undefined) return seen({ name, hub: undefined, wec, now: kube.now() });
  await releaseDeadLeases(kube, wec);
  const { names } = side.superseded;
  const open = hub.requests.filter((request) => !names.has(request.name));
  own.see(wec, open);
  if (accept) own.requireRecords(side.kube, open);
  await side.superseded.clear(hub, wec);
  for (const text of await side.records.write(hub, wec, own.agent)) follower.wrote(text);
  const isOwn = (request: RegistrationRequest) => (accept ? own.mayApprove(request) : own.maybe(request));
  const requests = hub.requests.filter((request) => (request.renewal || isOwn(request)) && !names.has(request.name));
  // Requests of other agents, and superseded ones, are no evidence about this WEC.
  const ofOwn = { ...hub, requests };
  return seen({ name, hub: ofOwn, wec, webhook: await webhookFor(ofOwn, side), now: side.kube.now() });
}

/** An agent that keeps its certificate, expired or not, keeps the id in it, whatever its mode (ocm pkg/common/options). */
function keptAgentId({ lost, wecBefore: { hubSecret } }: JoinPlan): string | undefined {
  const id = lost?.by === 'token' ? hubSecret?.data?.['agent-name'] : undefined;
  return id === undefined ? undefined : Buffer.from(id, 'base64').toString('utf8');
}

function hubSideOf(
  hub: Kube,
  plan: JoinPlan,
  options: JoinOptions,
  own: OwnRequests,
  webhook: WebhookProbe | undefined,
  run: Run,
): HubSide {
  return {
    kube: hub,
    superseded: new SupersededRequests(hub, plan.kube, own, run),
    records: new HubRecords(hub, plan, options, run),
    reregistration: new Reregistration(),
    webhook,
  };
}

/** Tried only while an agent that has sent a request does not announce itself. */
async function webhookFor(hub: HubEvidence, { webhook, kube }: HubSide): Promise<Registration['webhook']> {
  const asked = bootstrapRequests(hub).at(-1)?.created;
  const isSlow = asked !== undefined && kube.now() - asked > announcementMs;
  return hub.managedCluster === undefined && isSlow ? webhook?.now() : undefined;
}

/** An agent announces itself within a second of its request. */
const announcementMs = 2000;

async function reregister(
  access: HubAccess,
  { kube, endpoint, account }: JoinPlan,
  { by }: ReregistrationNeed,
  wec: WecEvidence | undefined,
): Promise<void> {
  if (by === 'pods') return restartAgents(kube);
  await kube.apply(bootstrapSecret(endpoint, await access.token(account), kube.now(), access.kube !== undefined));
  if (by === 'certificate' && wec !== undefined) await dropCertificate(kube, wec);
}
