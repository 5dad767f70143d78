import { formatAge } from '../../core/deadline.ts';
import { advice, command, flagsOf, helpOf, run } from '../../core/next-step.ts';
import {
  blockingStage,
  judge,
  met,
  type Stage,
  stageViews,
  standingOf,
  unseen,
  type Verdict,
  waiting,
} from '../../core/stages.ts';
import { ifSeen } from '../../kube/access.ts';
import { destinationsOf, returnedStatusLabels } from '../../ocm/model/kubestellar-names.ts';
import { keyOf } from '../../ocm/model/object-ref.ts';
import { returnedByOne, toCreateCollector } from '../status/returned-status.ts';
import type { Delivery } from './delivery.ts';
import { correctingSteps, correctionMs, differenceWords, isLasting } from './difference.ts';
import {
  blocked,
  byRules,
  inNamespace,
  lateSince,
  latest,
  overdue,
  stagesInWds,
  toTouch,
} from './stages-in-wds.ts';
import { outdatedStatus, toSeeStatusAgent, wecStages } from './stages-on-wec.ts';

/** The delivery of an object by one policy to one WEC. The fields are an interface: docs/output.md. */
export type DeliveryView = ReturnType<typeof viewOfDelivery>;

export function viewOfDelivery(delivery: Delivery) {
  const last = [
    wantsStatus(delivery) ? statusStage : [],
    delivery.difference === undefined ? [] : equalStage,
  ].flat();
  const reports = judge([...stagesInWds, ...wecStages, ...last], delivery);
  const blocking = blockingStage(reports);
  const { policyName: policy = null, wec = null, modulation } = delivery;
  const done = reports.every(({ verdict }) => verdict.state === 'met');
  return {
    /** Null if delivery stops before a policy is chosen. */
    policy,
    wec,
    /** Whether the last stage is reached, and no known problem remains. */
    done,
    /** The policy asks for `createOnly`: a WEC that has the object keeps its version. */
    createOnly: modulation.createOnly === true,
    ...standingOf(reports),
    /** Stable name of the problem. */
    code: blocking?.verdict.code ?? null,
    ...helpOf(blocking?.verdict.next ?? []),
    stages: stageViews(reports),
  };
}

/** The stage of an object that was compared with its work. */
const equalStage: Stage<Delivery> = { id: 'equal', title: 'equal to its work', check: equal };

/** Whether the WEC has what its work says: OCM's condition Applied tells only that the agent has sent it. */
function equal({ of, wec, difference, sent, context, evidence }: Delivery): Verdict {
  if (difference === undefined || difference.state === 'unseen')
    return unseen(difference?.why ?? 'it was not compared');
  const { state, createOnly } = difference;
  if (state === 'equal' || createOnly) return met;
  const why = differenceWords(difference);
  const on = [...inNamespace(of), '--wec', `${wec}=${context}`, ...flagsOf(evidence.wds)];
  const see = run(
    command`stellarctl workload diff ${`${of.resource}/${of.name}`} ${on}`,
    'See each field, and who wrote it',
  );
  if (isLasting(difference, ifSeen(sent)?.work, evidence.now))
    return blocked('differs-on-wec', why, ...correctingSteps(difference), see);
  return waiting(`${why}; its agent writes it again within ${formatAge(correctionMs)}`, {
    code: 'differs-on-wec',
    next: [see],
  });
}

/** The last stage, for an object whose status is requested. */
const statusStage: Stage<Delivery> = {
  id: 'status',
  title: 'status returned',
  check: (delivery) =>
    byRules([fromOneWec, byCollectors, returned, combined, writtenToWds], delivery) ?? met,
};

function wantsStatus(delivery: Delivery) {
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

/** Of what several WECs have, only some kinds of status come back. */
function fromOneWec(delivery: Delivery): Verdict | undefined {
  const { modulation, binding, wec } = delivery;
  if (wec === undefined) return unseen('no WEC is selected');
  const { length } = destinationsOf(binding);
  if (
    modulation.wantSingletonReportedState &&
    !modulation.wantMultiWECReportedState &&
    length !== 1
  )
    return blocked(
      'singleton-needs-one-wec',
      `its status is requested from a single WEC, but it is sent to ${length}`,
      returnedByOne,
    );
  return isNeverCombined(delivery) && hasRelevantStatus(delivery)
    ? blocked(
        'kind-not-combined',
        'its status does not come back: the statuses of several WECs are combined for Deployments, ReplicaSets and DaemonSets only',
        advice('Ask for a StatusCollector instead'),
      )
    : undefined;
}

/** The first StatusCollector that is missing or broken. */
function byCollectors({ modulation, evidence }: Delivery): Verdict | undefined {
  const { collectors, wds } = evidence;
  if (collectors.state !== 'seen') return unseen(collectors.why);
  const flags = flagsOf(wds);
  for (const name of modulation.statusCollectors ?? []) {
    const collector = collectors.value.get(name);
    if (collector === undefined)
      return blocked(
        'status-collector-missing',
        `there is no StatusCollector ${name}`,
        toCreateCollector(name, flags),
      );
    const [error] = collector.status?.errors ?? [];
    if (error === undefined) continue;
    return blocked(
      'status-collector-broken',
      `StatusCollector ${name}: ${error.split('\n')[0]}`,
      run(command`stellarctl collector get ${name} ${flags}`, 'See its expressions'),
    );
  }
  return undefined;
}

/** Whether the WEC has returned a status, and it is the present one. */
function returned(delivery: Delivery): Verdict | undefined {
  const { workStatus, policy, wec, evidence } = delivery;
  if (workStatus.state !== 'seen') return unseen(workStatus.why);
  const outdated = outdatedStatus(delivery);
  if (workStatus.value?.status !== undefined) return outdated;
  const sent = ifSeen(delivery.sent)?.work;
  // For a WorkStatus without a status, something on the WEC must write one first.
  return lateSince(evidence, {
    code: 'status-missing',
    why: `${wec} has returned no status for it`,
    since: workStatus.value !== undefined || sent === undefined ? 0 : latest(sent, policy),
    next: [toSeeStatusAgent(delivery)],
    problem: outdated,
  });
}

/** Whether the statuses that its collectors ask for are combined. */
function combined(delivery: Delivery): Verdict | undefined {
  const { of, modulation, policy, policyName, sent, evidence } = delivery;
  if (!modulation.statusCollectors?.length) return undefined;
  if (evidence.combined.state !== 'seen') return unseen(evidence.combined.why);
  return evidence.combined.value.has(`${keyOf(of)} ${policyName}`)
    ? undefined
    : overdue(delivery, {
        code: 'status-not-combined',
        why: 'its statuses have not been combined',
        since: [policy, ifSeen(sent)?.work],
      });
}

/** Whether a status that is requested for the object itself is in the WDS. */
function writtenToWds(delivery: Delivery): Verdict | undefined {
  const { of, modulation, policy, binding, sent, evidence } = delivery;
  const { wantSingletonReportedState: singleton, wantMultiWECReportedState: multi } = modulation;
  if (ownedByWds.has(of.resource) || !(singleton || (multi && !isNeverCombined(delivery))))
    return undefined;
  // The status of one WEC is returned as a singleton, whatever the policy requests.
  const labels =
    multi && destinationsOf(binding).length > 1
      ? [returnedStatusLabels.multi]
      : Object.values(returnedStatusLabels);
  if (labels.some((label) => of.object?.metadata.labels?.[label] === 'true')) return undefined;
  // `kubectl replace` drops the label, and KubeStellar (0.30.0) sets it again only when the object changes once more.
  return overdue(delivery, {
    code: 'status-not-returned',
    why: `its status is not in ${evidence.wds.name}: it lacks KubeStellar's label ${labels.join(' or ')}`,
    since: [policy, ifSeen(sent)?.work],
    helps: [toTouch(delivery)],
  });
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
const isNeverCombined = ({ of, modulation, binding }: Delivery) =>
  modulation.wantMultiWECReportedState === true &&
  destinationsOf(binding).length > 1 &&
  !(of.group === 'apps' && combinedKinds.has(of.resource));

/**
 * Whether the status of a kind matters. Namespaces and similar kinds have a status that no one reads: a policy that requests the
 * status of all its objects is about its workloads.
 */
const hasRelevantStatus = ({ of }: Delivery) => of.group !== '';
