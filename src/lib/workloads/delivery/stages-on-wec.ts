import {
  advice,
  command,
  flagsOf,
  type NextStep,
  onIts,
  partial,
  run,
} from '../../core/next-step.ts';
import {
  failed,
  met,
  type Stage,
  unseen,
  type Verdict,
  type VerdictDetails,
  waiting,
} from '../../core/stages.ts';
import { ifSeen } from '../../kube/access.ts';
import { conditionOf, createdAt, groupResourceOf, writtenAt } from '../../kube/client/objects.ts';
import { isRead } from '../../kube/pods.ts';
import { toEndRefusal } from '../../ocm/hub/refusals.ts';
import { isTransformOf } from '../../ocm/model/customization.ts';
import type { Candidate } from '../../ocm/model/kubestellar-names.ts';
import { lacksRight, type ManifestStatus } from '../../ocm/model/manifest-works.ts';
import { addonNamespace, statusAgent } from '../../ocm/model/ocm-names.ts';
import { inWds, toSeeTransport } from '../../spaces/choose/open-wds.ts';
import { failingParts, labelsToSelect, namespaceCandidate } from '../selection/select-objects.ts';
import { failureIn, missingReplicas } from '../status/returned-status.ts';
import type { Delivery } from './delivery.ts';
import { isJob, toCreateOnly, toSelectWec } from './selection-warnings.ts';
import { blocked, byRules, inNamespace, lateSince, latest, overdue } from './stages-in-wds.ts';
import { appliedState, generationOf } from './works.ts';

/** The stages from the Binding to the WEC. */
export const wecStages: readonly Stage<Delivery>[] = [
  { id: 'wec', title: 'WEC selected and available', check: wecAvailable },
  {
    id: 'work',
    title: 'work in the mailbox',
    check: (delivery) => byRules([inMailbox, transformed], delivery) ?? met,
  },
  { id: 'applied', title: 'applied', check: applied },
  { id: 'available', title: 'available', check: availableOnWec },
];

function wecAvailable(delivery: Delivery): Verdict {
  const { wec, isBound, policy, binding, cluster, evidence } = delivery;
  const at = onIts(evidence.its);
  if (binding === undefined) return unseen('there is no Binding');
  const policyName = binding.metadata.name;
  if (wec === undefined) {
    const next = toSelectWec(
      policy?.spec ?? {},
      [...(ifSeen(evidence.inventory)?.values() ?? [])],
      evidence.its,
    );
    return blocked(
      'no-wec-matches',
      `policy ${policyName} selects no WEC`,
      ...next,
      run(
        inWds(
          evidence.wds,
          command`kubectl --context ${evidence.wds.context} edit bindingpolicy ${policyName}`,
        ),
        'Change what the policy selects',
      ),
    );
  }
  if (cluster.state !== 'seen') return unseen(cluster.why);
  const found = cluster.value;
  const fails = (code: string, state: string, step: string, lead: string) =>
    blocked(code, `WEC ${wec} ${state}`, run(step, lead));
  if (found === undefined)
    return fails(
      'wec-missing',
      'is no longer registered',
      command`stellarctl wec list ${at}`,
      'See what exists',
    );
  if (found.metadata.deletionTimestamp !== undefined)
    return fails(
      'wec-deleting',
      'is being deregistered',
      command`stellarctl deregister ${wec} ${at}`,
      'Finish that',
    );
  if (!isBound)
    return overdue(delivery, {
      code: 'wec-not-in-binding',
      why: `policy ${policyName} selects WEC ${wec}, and its Binding does not name it`,
      since: [policy, found],
    });
  if (found.spec?.hubAcceptsClient !== true)
    return fails(
      'wec-not-accepted',
      'is not accepted',
      command`stellarctl accept ${wec} ${at}`,
      'Accept it',
    );
  const state = conditionOf(found, 'ManagedClusterConditionAvailable');
  if (state?.status === 'True') return met;
  return fails(
    'wec-unavailable',
    state === undefined ? 'has not joined' : `is not available: ${state.reason}`,
    command`stellarctl wec get ${wec} ${at}`,
    'See why',
  );
}

function toSeeWecAgent(delivery: Delivery) {
  const { wec = 'NAME', evidence } = delivery;
  const context = wecContextOf(delivery);
  const target = context === undefined ? wec : `${wec}=${context}`;
  return [run(command`stellarctl wec get ${target} ${onIts(evidence.its)}`, 'Does its agent run?')];
}

/** Shows why no status comes back: its agent is not the one that applies works. */
export function toSeeStatusAgent(delivery: Delivery): NextStep {
  const log = (at: string) =>
    command`kubectl --context ${at} -n ${addonNamespace} logs deployment/${statusAgent}`;
  return stepOnWec(delivery, log, 'See what its status agent says');
}

/** OCM may take this long until it first knows that a new add-on is available; seen: 77 s, while it worked. */
const addonProbeMs = 150_000;

/** Why a returned status may be old, or does not come; undefined if nothing shows it. OCM learns within minutes that its agent does not run. */
export function outdatedStatus(delivery: Delivery) {
  const { wec = '', workStatus, generation = 0, evidence } = delivery;
  const next = [toSeeStatusAgent(delivery)];
  const { observedGeneration = generation } = ifSeen(workStatus)?.status ?? {};
  if (observedGeneration < generation)
    return waiting(`the status that ${wec} has returned is of an earlier version`, {
      code: 'status-outdated',
      next,
    });
  const addon = evidence.statusAgents.get(wec);
  const state = conditionOf(addon, 'Available');
  if (
    addon === undefined ||
    state?.status !== 'False' ||
    evidence.now - createdAt(addon) < addonProbeMs
  )
    return undefined;
  const { reason, message = reason, lastTransitionTime = '' } = state;
  return lateSince(evidence, {
    code: 'status-outdated',
    why: `the status agent of ${wec} is not available: ${message}`,
    since: Date.parse(lastTransitionTime),
    next,
  });
}

/** Whether a mailbox has a work for the object, of the present Binding, that stays. */
function inMailbox(delivery: Delivery): Verdict | undefined {
  const { wec, isBound, binding, bound, sent, stoppedAt, evidence } = delivery;
  if (wec === undefined || binding === undefined) return unseen('no WEC is selected');
  if (sent.state !== 'seen') return unseen(sent.why);
  const { name } = binding.metadata;
  // The transport has read a Binding long before it has sent 200 objects: it writes one or two works a second (0.30.0).
  const newest = ifSeen(evidence.works)?.newest.get(name) ?? 0;
  const notSent = (code: string, why: string) =>
    lateSince(evidence, {
      code,
      why,
      since: Math.max(writtenAt(binding), newest),
      next: toSeeTransport(evidence.wds, evidence.its),
      problem: evidence.controllers.transport,
    });
  const { observedGeneration = 0, errors = [] } = binding.status ?? {};
  if (sent.value === undefined) {
    if (errors.length > 0) return unseen('the policy sends nothing');
    if (bound === undefined || !isBound) return unseen('the Binding does not send it there');
    const why = `mailbox ${wec} has no work for it`;
    return stoppedAt === undefined
      ? notSent('work-missing', why)
      : blocked(
          'transport-stopped',
          `${why}: the transport stops at WEC ${stoppedAt}, which has not been accepted and has no mailbox`,
          run(command`stellarctl accept ${stoppedAt} ${onIts(evidence.its)}`, 'Accept it'),
        );
  }
  const { work } = sent.value;
  const { deletionTimestamp } = work.metadata;
  const text = `its work in mailbox ${wec}`;
  if (deletionTimestamp !== undefined)
    return lateSince(evidence, {
      code: 'work-deleting',
      why: `${text} is being deleted`,
      since: Date.parse(deletionTimestamp),
      next: toSeeWecAgent(delivery),
    });
  return generationOf(work) < observedGeneration
    ? notSent(
        'work-behind',
        `${text} was written for an earlier generation of the Binding of ${name}`,
      )
    : undefined;
}

/** KubeStellar rewrites no work for a transform. A Binding that the transport has yet to read makes it rewrite the work. */
function transformed({ of, wec, binding, sent, evidence }: Delivery): Verdict | undefined {
  const { transforms, wds } = evidence;
  if (transforms.state !== 'seen') return unseen(transforms.why);
  const written = latest(ifSeen(sent)?.work);
  const later = transforms.value
    .filter(isTransformOf(of))
    .find((each) => writtenAt(each) > written);
  if (later === undefined || binding === undefined || !isRead(binding)) return undefined;
  return blocked(
    'work-stale',
    `its work in mailbox ${wec} is outdated: CustomTransform ${later.metadata.name} has changed since it was written`,
    run(
      command`stellarctl policy refresh ${binding.metadata.name} ${flagsOf(wds)}`,
      'Have the transport rewrite it',
    ),
  );
}

function applied(delivery: Delivery): Verdict {
  const { wec, sent } = delivery;
  if (sent.state !== 'seen') return unseen(sent.why);
  if (sent.value === undefined) return unseen('there is no work');
  const { work, manifest } = sent.value;
  if (work.metadata.deletionTimestamp !== undefined) return unseen('its work is being deleted');
  const state = appliedState(sent.value);
  if (state?.status === 'True') return met;
  if (state === undefined)
    return lateSince(delivery.evidence, {
      code: 'agent-silent',
      why: `the agent of ${wec} has not answered`,
      since: writtenAt(work),
      next: toSeeWecAgent(delivery),
    });
  const { message = '', lastTransitionTime: since } = state;
  const refused = { ...delivery, wec: delivery.wec ?? 'NAME', manifest, message };
  return failed(message || 'not applied', {
    ...(byRules(refusals, refused) ?? notApplied(refused)),
    since,
  });
}

/** The context of the WEC: the proven one, else, as in commands, that of its name, if the kubeconfig has one. */
const wecContextOf = ({ context, wec = '', evidence }: Delivery) =>
  context ?? (evidence.wds.contexts?.has(wec) ? wec : undefined);

/** A step on the WEC itself. */
function stepOnWec(delivery: Delivery, commandWith: (context: string) => string, lead: string) {
  const context = wecContextOf(delivery);
  return context === undefined
    ? { ...partial(commandWith('CONTEXT'), lead), note: `CONTEXT: that of ${delivery.wec}` }
    : run(commandWith(context), lead);
}

/** An agent waits twice as long before each further try, up to 1000 s (client-go, DefaultControllerRateLimiter). */
const retried = advice('Once that is resolved, the agent retries by itself within 17 minutes');

/** The words of validation: of most kinds, of PersistentVolumeClaims, and of StatefulSets (kubernetes pkg/apis). */
const isImmutable =
  /field is immutable|is immutable after creation|updates to \w+ spec for fields other than/;

/** An object that a WEC has refused. Only the agent's message shows why. */
interface Refused extends Delivery {
  wec: string;
  manifest: ManifestStatus | undefined;
  message: string;
}

type Refusal = Required<Pick<VerdictDetails, 'code' | 'next'>>;

/** Why a WEC may refuse an object, in this order. */
const refusals: readonly ((refused: Refused) => Refusal | undefined)[] = [
  (refused) => {
    if (refused.manifest?.resourceMeta?.resource !== '') return undefined;
    return {
      code: 'kind-unknown-on-wec',
      next: [
        toSend(
          refused,
          definitionOf(refused.of),
          'Send its definition as well, or install it on the WEC',
        ),
      ],
    };
  },
  (refused) => {
    const { manifest, wec, evidence } = refused;
    if (manifest === undefined || !lacksRight(manifest)) return undefined;
    const grant = (at: string) =>
      command`stellarctl wec grant ${`${wec}=${at}`} --from-errors ${onIts(evidence.its)}`;
    const next = [stepOnWec(refused, grant, `Grant the rights to the work agent of ${wec}`)];
    return { code: 'forbidden-on-wec', next };
  },
  withoutNamespace,
  (refused) => {
    const { message, wec, evidence } = refused;
    const ended = toEndRefusal(message, wec, wecContextOf(refused), evidence.its);
    return ended && { ...ended, next: [...ended.next, retried] };
  },
  ({ message, wec }) => {
    if (!message.includes(' is forbidden: ')) return undefined;
    return {
      code: 'denied-on-wec',
      next: [
        advice(
          `No right of the agent is missing. Change the object, or ask who manages ${wec} to remove the cause`,
        ),
        retried,
      ],
    };
  },
  (refused) => (isImmutable.test(refused.message) ? unchangeable(refused) : undefined),
];

function withoutNamespace(refused: Refused): Refusal | undefined {
  const { of, message, policy, evidence } = refused;
  const { namespace = '', namespaces } = of;
  if (!message.endsWith(`namespaces "${namespace}" not found`)) return undefined;
  const needed = namespaceCandidate(namespace, namespaces);
  const isSelected = policy?.spec?.downsync?.some(
    (clause) => failingParts(clause, needed, namespaces).length === 0,
  );
  const see = command`stellarctl workload get ${`namespace/${namespace}`} ${flagsOf(evidence.wds)}`;
  const next = isSelected
    ? run(see, 'It is sent as well. See why it is not there')
    : toSend(refused, needed, 'Select it as well');
  return { code: 'namespace-missing-on-wec', next: [next] };
}

function notApplied({ wec, sent, evidence: { its } }: Refused): Refusal {
  const work = ifSeen(sent)?.work.metadata.name ?? '';
  const see = command`kubectl --context ${its ?? 'ITS'} -n ${wec} get manifestwork ${work} -o yaml`;
  const step = its === undefined ? partial(see) : run(see, 'See what the agent says');
  return { code: 'not-applied', next: [step, retried] };
}

/** A field that cannot change. What is deleted is created again, with what that does to a Job, to data and to pods. */
function unchangeable(delivery: Delivery): Refusal {
  const { of, evidence, policyName = '', policy } = delivery;
  if (isJob(of)) {
    const policyOf = { name: policyName, downsync: policy?.spec?.downsync };
    const next = [
      toCreateOnly(
        { ...of, metadata: of.object?.metadata ?? { name: of.name } },
        policyOf,
        of.namespaces,
        evidence.wds,
      ),
    ];
    return { code: 'job-needs-create-only', next };
  }
  const there = (verb: string, lead: string, ...more: string[]) =>
    stepOnWec(
      delivery,
      (at) =>
        command`kubectl --context ${at} ${inNamespace(of)} ${verb} ${groupResourceOf(of)} ${of.name} ${more}`,
      lead,
    );
  const keepsData = advice(
    'Change the object back, or send it by another name: a deletion would take its data',
  );
  // Its pods, and so their claims, stay until its successor takes them over.
  const orphaned = of.resource === 'statefulsets' ? ['--cascade=orphan'] : [];
  const next = [
    there('get', 'See what is there', '-o', 'yaml'),
    of.resource === 'persistentvolumeclaims'
      ? keepsData
      : there(
          'delete',
          'If it may be replaced, delete it there: the agent creates it again',
          ...orphaned,
        ),
    retried,
  ];
  return { code: 'immutable-on-wec', next };
}

const definitionOf = ({ group, resource }: Delivery['of']): Candidate => ({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${resource}.${group}` },
});

/** Makes the policy also send an object that another object needs. */
function toSend({ of, policy, policyName, evidence }: Delivery, needed: Candidate, lead: string) {
  const words = labelsToSelect(policy?.spec?.downsync ?? [], needed, of.namespaces);
  const { context } = evidence.wds;
  const kind = needed.kind.toLowerCase();
  const line =
    words === undefined
      ? command`kubectl --context ${context} edit bindingpolicy ${policyName ?? ''}`
      : command`kubectl --context ${context} label ${kind} ${needed.metadata.name} ${words}`;
  return run(inWds(evidence.wds, line), lead);
}

function availableOnWec(delivery: Delivery): Verdict {
  const { of, sent, wec, workStatus } = delivery;
  if (sent.state !== 'seen') return unseen(sent.why);
  // What runs may be its earlier version.
  if (sent.value && appliedState(sent.value)?.status !== 'True')
    return unseen('its present version is not applied');
  const state = conditionOf({ status: sent.value?.manifest }, 'Available');
  if (state === undefined) return unseen('the agent has not reported on it');
  const status = ifSeen(workStatus)?.status;
  const outdated = status && outdatedStatus(delivery);
  if (outdated !== undefined) return outdated;
  const missing = status && missingReplicas(of.resource, status, sent.value?.object.replicas);
  const failure = status && failureIn(status);
  const describe = (context: string) =>
    command`kubectl --context ${context} ${inNamespace(of)} describe ${of.resource} ${of.name}`;
  const next = [stepOnWec(delivery, describe, `See why on ${wec}`)];
  if (failure !== undefined) {
    const { type, message, reason, lastTransitionTime: since } = failure;
    return failed(`it reports ${type}: ${message ?? reason}`, {
      code: 'failing-on-wec',
      next,
      since,
    });
  }
  if (state.status === 'True')
    return missing === undefined ? met : waiting(missing, { code: 'replicas-missing', next });
  const details = { code: 'not-available', next, since: state.lastTransitionTime };
  return waiting(`not available: ${state.message ?? state.reason}`, details);
}
