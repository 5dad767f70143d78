import { once } from '../../core/concurrency.ts';
import { blockingStage, isMet } from '../../core/stages.ts';
import type { Change } from '../../kube/client/client.ts';
import { resources, textIn } from '../../kube/client/objects.ts';
import { singletonAgentId } from '../../ocm/agent/wec-evidence.ts';
import type { HubAccess } from '../../ocm/hub/hub-access.ts';
import { bootstrapRequests, emptyEvidence, type HubEvidence } from '../../ocm/hub/hub-evidence.ts';
import type { WebhookProbe } from '../../ocm/hub/webhook.ts';
import { klusterletName } from '../../ocm/model/ocm-names.ts';
import type { Klusterlet } from '../../ocm/model/ocm-objects.ts';
import type { WecResult } from '../diagnose/follow-registration.ts';
import {
  OwnRequests,
  type SupersededRequests,
  supersededRequests,
} from '../registration/own-requests.ts';
import type { Registration } from '../registration/registration-checks.ts';
import { judgeRegistration } from '../registration/registration-stages.ts';
import type { Apply } from './install-klusterlet.ts';
import type { JoinOptions } from './join-options.ts';
import type { JoinPlan } from './join-plan.ts';
import type { Moment, Recording } from './record-on-its.ts';
import { RestartsDuringJoin } from './restart-agent.ts';

/** The join of one WEC, once it is planned. */
export interface PlannedJoin extends Recording {
  access: HubAccess;
  options: JoinOptions;
  webhook: WebhookProbe | undefined;
  result: WecResult;
  /** The token for its agent, requested once. */
  token: () => Promise<string>;
  apply: Apply;
  /** What `apply` has done. */
  counts: Record<Change, number>;
}

/** The same while it follows the registration. */
export interface Joining extends PlannedJoin {
  ownRequests: OwnRequests;
  superseded: SupersededRequests;
  restarts: RestartsDuringJoin;
}

/** @param plan the last one, which the user's answer covers */
export function plannedJoin(
  given: Pick<PlannedJoin, 'access' | 'plan' | 'options' | 'webhook' | 'run' | 'result'>,
): PlannedJoin {
  const counts = { created: 0, changed: 0, unchanged: 0 };
  const apply: Apply = async (object) => {
    const change = await given.plan.kube.apply(object);
    counts[change] += 1;
    given.result.changed ||= change !== 'unchanged';
  };
  const recorded = { labels: new Set<string>(), identity: new Set<string>() };
  const token = once(() => given.access.token(given.plan.account));
  return { ...given, token, apply, counts, recorded };
}

/** Whether an existing agent registers again, which supersedes its earlier requests. */
export const reregisters = ({ reregister: cause }: JoinPlan): boolean =>
  cause !== undefined && cause.code !== 'bootstrap-secret-missing';

/** Begins to follow the registration of what was installed. */
export async function startedJoin(planned: PlannedJoin): Promise<Joining> {
  const { plan, run } = planned;
  const { name, kube, wecBefore, hubBefore = emptyEvidence(name) } = plan;
  const klusterlet = await kube.get<Klusterlet>(resources.klusterlets, klusterletName);
  // Both clusters were named together: the WEC's own agent is known, even if other agents send requests.
  const agent = (klusterlet && singletonAgentId(klusterlet)) ?? keptAgentId(plan);
  const ownRequests = new OwnRequests(agent, wecBefore);
  const superseded = supersededRequests(kube, ownRequests, run);
  const before = reregisters(plan) ? bootstrapRequests(hubBefore) : [];
  superseded.add(before.filter((request) => ownRequests.isProven(request)));
  return { ...planned, ownRequests, superseded, restarts: new RestartsDuringJoin() };
}

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
