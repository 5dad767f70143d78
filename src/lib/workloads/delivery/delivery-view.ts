import { advice, command, type Help, helpOf, run } from '../../core/next-step.ts';
import {
  blockingStage,
  failed,
  failedForGood,
  judge,
  met,
  type Stage,
  type StageReport,
  type StageView,
  type Standing,
  stageViews,
  standingOf,
  unseen,
  type Verdict,
  waiting,
} from '../../core/stages.ts';
import { ifSeen } from '../../kube/access.ts';
import { writtenAt } from '../../kube/client/objects.ts';
import { destinationsOf, returnedStatusLabels } from '../../ocm/model/kubestellar-names.ts';
import { keyOf } from '../../ocm/model/object-ref.ts';
import { flagsOf } from '../../spaces/choose/open-wds.ts';
import { returnedByOne, toCreateCollector } from '../status/returned-status.ts';
import type { Delivery } from './delivery.ts';
import { lateSince, overdue, stagesInWds, toTouch } from './stages-in-wds.ts';
import { outdatedStatus, toSeeStatusAgent, wecStages } from './stages-on-wec.ts';

/** The delivery of an object by one policy to one WEC. The fields are an interface: docs/output.md. */
export interface DeliveryView extends Standing, Help {
  /** Null if delivery stops before a policy is chosen. */
  policy: string | null;
  wec: string | null;
  /** Whether the last stage is reached, and no known problem remains. */
  done: boolean;
  /** The policy asks for `createOnly`: a WEC that has the object keeps its version. */
  createOnly: boolean;
  /** Stable name of the problem. */
  code: string | null;
  stages: StageView[];
}

export function viewOfDelivery(delivery: Delivery): DeliveryView {
  const reports = judgeDelivery(delivery);
  const blocking = blockingStage(reports);
  const { policyName: policy = null, wec = null, modulation } = delivery;
  const done = reports.every(({ verdict }) => verdict.state === 'met');
  return {
    policy,
    wec,
    done,
    createOnly: modulation.createOnly === true,
    ...standingOf(reports),
    code: blocking?.verdict.code ?? null,
    ...helpOf(blocking?.verdict.next ?? []),
    stages: stageViews(reports),
  };
}

/** Judges the stages of an object's delivery to a WEC and of its returned status, in order. None settles another. */
const judgeDelivery = (delivery: Delivery): StageReport[] =>
  judge([...stagesInWds, ...wecStages, ...(wantsStatus(delivery) ? [statusStage] : [])], delivery);

/** The last stage, for an object whose status is requested. */
const statusStage: Stage<Delivery> = { id: 'status', title: 'status returned', check: returned };

function wantsStatus(delivery: Delivery): boolean {
  const { of, modulation } = delivery;
  if (withoutStatus.has(of.resource)) return false;
  if (modulation.statusCollectors?.length) return true;
  if (ownedByWds.has(of.resource)) return false;
  return (
    modulation.wantSingletonReportedState === true ||
    (modulation.wantMultiWECReportedState === true &&
      (hasRelevantStatus(delivery) || !isNeverCombined(delivery)))
  );
}

function returned(delivery: Delivery): Verdict {
  const { of, workStatus, modulation, policy, policyName, binding, wec, evidence } = delivery;
  const { collectors, combined } = evidence;
  const { statusCollectors: asked = [] } = modulation;
  const wecs = destinationsOf(binding).length;
  if (wec === undefined) return unseen('no WEC is selected');
  const { wantSingletonReportedState: singleton, wantMultiWECReportedState: multi } = modulation;
  const severalWecs = `its status is requested from a single WEC, but it is sent to ${wecs}`;
  if (singleton && !multi && wecs !== 1)
    return failed(severalWecs, { code: 'singleton-needs-one-wec', next: [returnedByOne] });
  const flags = flagsOf(evidence.wds);
  if (isNeverCombined(delivery) && hasRelevantStatus(delivery))
    return failedForGood(
      'its status does not come back: the statuses of several WECs are combined for Deployments, ReplicaSets and DaemonSets only',
      { code: 'kind-not-combined', next: [advice('Ask for a StatusCollector instead')] },
    );
  if (collectors.state !== 'seen') return unseen(collectors.why);
  for (const name of asked) {
    const collector = collectors.value.get(name);
    if (collector === undefined) {
      const missing = { code: 'status-collector-missing', next: [toCreateCollector(name, flags)] };
      return failed(`there is no StatusCollector ${name}`, missing);
    }
    const [error] = collector.status?.errors ?? [];
    if (error === undefined) continue;
    const see = run(command`stellarctl collector get ${name} ${flags}`, 'See its expressions');
    const broken = { code: 'status-collector-broken', next: [see] };
    return failed(`StatusCollector ${name}: ${error.split('\n')[0]}`, broken);
  }
  if (workStatus.state !== 'seen') return unseen(workStatus.why);
  const sent = ifSeen(delivery.sent)?.work;
  const none = `${wec} has returned no status for it`;
  const outdated = outdatedStatus(delivery);
  if (workStatus.value === undefined) {
    const since =
      sent === undefined
        ? 0
        : Math.max(writtenAt(sent), policy === undefined ? 0 : writtenAt(policy));
    const details = { code: 'status-missing', next: [toSeeStatusAgent(delivery)] };
    return lateSince(evidence, since, none, details, [], outdated);
  }
  // Something on the WEC must write one first.
  if (workStatus.value.status === undefined) return waiting(none, { code: 'status-missing' });
  if (outdated !== undefined) return outdated;
  if (asked.length > 0) {
    if (combined.state !== 'seen') return unseen(combined.why);
    if (!combined.value.has(`${keyOf(of)} ${policyName}`))
      return overdue(
        delivery,
        [policy, sent],
        'its statuses have not been combined',
        'status-not-combined',
      );
  }
  // The status of one WEC is returned as a singleton, whatever the policy requests.
  const labels =
    multi && wecs > 1 ? [returnedStatusLabels.multi] : Object.values(returnedStatusLabels);
  const isInWds = labels.some((label) => of.object?.metadata.labels?.[label] === 'true');
  const isWritten =
    !ownedByWds.has(of.resource) && (singleton || (multi && !isNeverCombined(delivery)));
  // `kubectl replace` drops the label, and KubeStellar (0.30.0) sets it again only when the object changes once more.
  const why = `its status is not in ${evidence.wds.name}: it lacks KubeStellar's label ${labels.join(' or ')}`;
  if (isWritten && !isInWds)
    return overdue(delivery, [policy, sent], why, 'status-not-returned', [toTouch(delivery)]);
  return met;
}

/** Kinds without a status: no WorkStatus is created for them. */
const withoutStatus = new Set([
  'configmaps',
  'secrets',
  'serviceaccounts',
  'roles',
  'rolebindings',
  'clusterroles',
  'clusterrolebindings',
  'limitranges',
  'priorityclasses',
  'storageclasses',
  'ingressclasses',
  'runtimeclasses',
]);

/** Kinds whose status in the WDS KubeStellar never replaces (kubestellar v0.30.0, pkg/util, WEC2WDSExceptions). */
const ownedByWds = new Set(['namespaces', 'customresourcedefinitions']);

/** Kinds whose statuses KubeStellar combines from several WECs (kubestellar v0.30.0, pkg/status/aggregation). */
const combinedKinds = new Set(['deployments', 'replicasets', 'daemonsets']);

/** Whether the status of an object on several WECs is requested but not combined for its kind. It is never returned. */
const isNeverCombined = ({ of, modulation, binding }: Delivery): boolean =>
  modulation.wantMultiWECReportedState === true &&
  destinationsOf(binding).length > 1 &&
  !(of.group === 'apps' && combinedKinds.has(of.resource));

/**
 * Whether the status of a kind matters. Namespaces and similar kinds have a status that no one reads: a policy that requests the
 * status of all its objects is about its workloads.
 */
const hasRelevantStatus = ({ of }: Delivery): boolean => of.group !== '';
