import { advice, command, type NextStep, onIts, partial, run } from '../../core/next-step.ts';
import {
  failed,
  failedForGood,
  met,
  type Stage,
  unseen,
  type Verdict,
  waiting,
} from '../../core/stages.ts';
import { ifSeen } from '../../kube/access.ts';
import { conditionOf, createdAt, groupResourceOf, writtenAt } from '../../kube/client/objects.ts';
import { toEndRefusal } from '../../ocm/hub/refusals.ts';
import type { Candidate } from '../../ocm/model/kubestellar-names.ts';
import { lacksRight, type ManifestStatus } from '../../ocm/model/manifest-works.ts';
import { addonNamespace, statusAgent } from '../../ocm/model/ocm-names.ts';
import { flagsOf, toSeeTransport } from '../../spaces/choose/open-wds.ts';
import { failingParts, labelsToSelect, namespaceCandidate } from '../selection/select-objects.ts';
import { failureIn, missingReplicas } from '../status/returned-status.ts';
import type { Delivery } from './delivery.ts';
import { isJob, toCreateOnly, toSelectWec } from './selection-warnings.ts';
import { controllerTimeMs, inNamespace, lateSince, overdue } from './stages-in-wds.ts';
import type { CustomTransform } from './transforms.ts';
import { appliedState, generationOf } from './works.ts';

/** The stages from the Binding to the WEC. */
export const wecStages: readonly Stage<Delivery>[] = [
  { id: 'wec', title: 'WEC selected and available', check: wecAvailable },
  { id: 'work', title: 'work in the mailbox', check: workInMailbox },
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
    const edit = command`kubectl --context ${evidence.wds.context} edit bindingpolicy ${policyName}`;
    next.push(run(edit, 'Change what the policy selects'));
    return failedForGood(`policy ${policyName} selects no WEC`, { code: 'no-wec-matches', next });
  }
  if (cluster.state !== 'seen') return unseen(cluster.why);
  const found = cluster.value;
  const fails = (code: string, state: string, step: string, lead: string) =>
    failed(`WEC ${wec} ${state}`, { code, next: [run(step, lead)] });
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
  const notNamed = `policy ${policyName} selects WEC ${wec}, and its Binding does not name it`;
  if (!isBound) return overdue(delivery, [policy, found], notNamed, 'wec-not-in-binding');
  if (found.spec?.hubAcceptsClient !== true)
    return fails(
      'wec-not-accepted',
      'is not accepted',
      command`stellarctl accept ${wec} ${at}`,
      'Accept it',
    );
  const state = conditionOf(found, 'ManagedClusterConditionAvailable');
  if (state?.status === 'True') return met;
  const why = state === undefined ? 'has not joined' : `is not available: ${state.reason}`;
  return fails('wec-unavailable', why, command`stellarctl wec get ${wec} ${at}`, 'See why');
}

function toSeeWecAgent(delivery: Delivery): NextStep[] {
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
  const { reason, message = reason, lastTransitionTime: since = '' } = state;
  const why = `the status agent of ${wec} is not available: ${message}`;
  return lateSince(
    evidence,
    Date.parse(since),
    why,
    { code: 'status-outdated', next, since },
    next,
  );
}

function workInMailbox(delivery: Delivery): Verdict {
  const { wec, isBound, binding, bound, sent, stoppedAt, of, evidence } = delivery;
  if (wec === undefined || binding === undefined) return unseen('no WEC is selected');
  if (sent.state !== 'seen') return unseen(sent.why);
  const { observedGeneration = 0, errors = [] } = binding.status ?? {};
  const isRead = observedGeneration >= (binding.metadata.generation ?? 0);
  // The transport has read a Binding long before it has sent 200 objects: it writes one or two works a second (0.30.0).
  const newest = ifSeen(evidence.works)?.newest.get(binding.metadata.name) ?? 0;
  const transport = toSeeTransport(evidence.wds, evidence.its);
  const problem = evidence.controllers.transport;
  if (sent.value === undefined) {
    if (errors.length > 0) return unseen('the policy sends nothing');
    if (bound === undefined || !isBound) return unseen('the Binding does not send it there');
    const why = `mailbox ${wec} has no work for it`;
    if (!isRead || evidence.now - newest <= controllerTimeMs)
      return waiting(why, { code: 'work-missing' });
    if (stoppedAt === undefined)
      return failed(problem ? `${why}: ${problem.why}` : why, {
        code: 'work-missing',
        next: problem?.next ?? transport,
      });
    const stops = `the transport stops at WEC ${stoppedAt}, which has not been accepted and has no mailbox`;
    const accept = run(command`stellarctl accept ${stoppedAt} ${onIts(evidence.its)}`, 'Accept it');
    return failed(`${why}: ${stops}`, { code: 'transport-stopped', next: [accept] });
  }
  const { deletionTimestamp: since } = sent.value.work.metadata;
  if (since !== undefined) {
    const details = { code: 'work-deleting', next: toSeeWecAgent(delivery), since };
    return lateSince(
      evidence,
      Date.parse(since),
      `its work in mailbox ${wec} is being deleted`,
      details,
    );
  }
  const work = `its work in mailbox ${wec}`;
  if (generationOf(sent.value.work) < observedGeneration) {
    const why = `${work} was written for an earlier generation of the Binding of ${binding.metadata.name}`;
    const since = Math.max(writtenAt(binding), newest);
    return lateSince(evidence, since, why, { code: 'work-behind', next: transport }, [], problem);
  }
  if (evidence.transforms.state !== 'seen') return unseen(evidence.transforms.why);
  // KubeStellar rewrites no work for a transform. A Binding that the transport has yet to read makes it rewrite the work.
  const written = writtenAt(sent.value.work);
  const isOf = ({ spec }: CustomTransform) =>
    spec?.resource === of.resource && (spec.apiGroup ?? '') === of.group;
  const later = evidence.transforms.value.find((each) => isOf(each) && writtenAt(each) > written);
  if (later === undefined || !isRead) return met;
  const refresh = command`stellarctl policy refresh ${binding.metadata.name} ${flagsOf(evidence.wds)}`;
  const why = `${work} is outdated: CustomTransform ${later.metadata.name} has changed since it was written`;
  return failed(why, { code: 'work-stale', next: [run(refresh, 'Have the transport rewrite it')] });
}

const condition = (manifest: ManifestStatus | undefined, type: string) =>
  conditionOf({ status: manifest }, type);

function applied(delivery: Delivery): Verdict {
  const { wec, sent } = delivery;
  if (sent.state !== 'seen') return unseen(sent.why);
  if (sent.value === undefined) return unseen('there is no work');
  const { work, manifest } = sent.value;
  if (work.metadata.deletionTimestamp !== undefined) return unseen('its work is being deleted');
  const state = appliedState(work, manifest);
  if (state?.status === 'True') return met;
  const silent = { code: 'agent-silent', next: toSeeWecAgent(delivery) };
  if (state === undefined)
    return lateSince(
      delivery.evidence,
      writtenAt(work),
      `the agent of ${wec} has not answered`,
      silent,
    );
  const since = state.lastTransitionTime;
  return failed(state.message ?? 'not applied', { ...refusalOf(delivery, manifest), since });
}

/** The context of the WEC: the proven one, else, as in commands, that of its name, if the kubeconfig has one. */
const wecContextOf = ({ context, wec = '', evidence }: Delivery): string | undefined =>
  context ?? (evidence.wds.contexts?.has(wec) ? wec : undefined);

/** A step on the WEC itself. */
function stepOnWec(
  delivery: Delivery,
  commandWith: (context: string) => string,
  lead: string,
): NextStep {
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

/** Only the agent's message shows why the WEC refused an object. The manifest's metadata identifies the object. */
function refusalOf(
  delivery: Delivery,
  manifest: ManifestStatus | undefined,
): { code: string; next: NextStep[] } {
  const { of, wec = 'NAME', evidence } = delivery;
  const message = condition(manifest, 'Applied')?.message ?? '';
  if (manifest?.resourceMeta?.resource === '') {
    const lead = 'Send its definition as well, or install it on the WEC';
    return { code: 'kind-unknown-on-wec', next: [toSend(delivery, definitionOf(of), lead)] };
  }
  if (manifest !== undefined && lacksRight(manifest)) {
    const grant = (at: string) =>
      command`stellarctl wec grant ${`${wec}=${at}`} --from-errors ${onIts(evidence.its)}`;
    const next = [stepOnWec(delivery, grant, `Grant the rights to the work agent of ${wec}`)];
    return { code: 'forbidden-on-wec', next };
  }
  if (of.namespace !== undefined && message.endsWith(`namespaces "${of.namespace}" not found`)) {
    const needed = namespaceCandidate(of.namespace, of.namespaces);
    const clauses = delivery.policy?.spec?.downsync ?? [];
    const isSelected = clauses.some(
      (clause) => failingParts(clause, needed, of.namespaces).length === 0,
    );
    const see = command`stellarctl workload get ${`namespace/${of.namespace}`} ${flagsOf(evidence.wds)}`;
    const next = isSelected
      ? run(see, 'It is sent as well. See why it is not there')
      : toSend(delivery, needed, 'Select it as well');
    return { code: 'namespace-missing-on-wec', next: [next] };
  }
  const ended = toEndRefusal(message, wec, wecContextOf(delivery), evidence.its);
  if (ended !== undefined) return { ...ended, next: [...ended.next, retried] };
  const change = `No right of the agent is missing. Change the object, or ask who manages ${wec} to remove the cause`;
  if (message.includes(' is forbidden: '))
    return { code: 'denied-on-wec', next: [advice(change), retried] };
  if (isImmutable.test(message)) return unchangeable(delivery);
  const work = ifSeen(delivery.sent)?.work.metadata.name ?? '';
  const see = command`kubectl --context ${evidence.its ?? 'ITS'} -n ${wec} get manifestwork ${work} -o yaml`;
  const step = evidence.its === undefined ? partial(see) : run(see, 'See what the agent says');
  return { code: 'not-applied', next: [step, retried] };
}

/** A field that cannot change. What is deleted is created again, with what that does to a Job, to data and to pods. */
function unchangeable(delivery: Delivery): { code: string; next: NextStep[] } {
  const { of, evidence, policyName = '', policy } = delivery;
  if (isJob(of)) {
    const policyOf = { name: policyName, downsync: policy?.spec?.downsync };
    const next = [
      toCreateOnly(
        { ...of, metadata: of.object?.metadata ?? { name: of.name } },
        policyOf,
        of.namespaces,
        evidence.wds.context,
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
function toSend(
  { of, policy, policyName, evidence }: Delivery,
  needed: Candidate,
  lead: string,
): NextStep {
  const words = labelsToSelect(policy?.spec?.downsync ?? [], needed, of.namespaces);
  const { context } = evidence.wds;
  const kind = needed.kind.toLowerCase();
  return words === undefined
    ? run(command`kubectl --context ${context} edit bindingpolicy ${policyName ?? ''}`, lead)
    : run(
        command`kubectl --context ${context} label ${kind} ${needed.metadata.name} ${words}`,
        lead,
      );
}

function availableOnWec(delivery: Delivery): Verdict {
  const { of, sent, wec, workStatus } = delivery;
  if (sent.state !== 'seen') return unseen(sent.why);
  // What runs may be its earlier version.
  if (sent.value && appliedState(sent.value.work, sent.value.manifest)?.status !== 'True')
    return unseen('its present version is not applied');
  const state = condition(sent.value?.manifest, 'Available');
  if (state === undefined) return unseen('the agent has not reported on it');
  const status = ifSeen(workStatus)?.status;
  const outdated = status && outdatedStatus(delivery);
  if (outdated !== undefined) return outdated;
  const missing = status && missingReplicas(of.resource, status, sent.value?.replicas);
  const failure = status && failureIn(status);
  const describe = (context: string) =>
    command`kubectl --context ${context} ${inNamespace(of)} describe ${of.resource} ${of.name}`;
  const next = [stepOnWec(delivery, describe, `See why on ${wec}`)];
  if (failure !== undefined) {
    const { type, message, reason, lastTransitionTime: since } = failure;
    return failed(`${wec} reports ${type}: ${message ?? reason}`, {
      code: 'failing-on-wec',
      next,
      since,
    });
  }
  if (state.status === 'True' && missing === undefined) return met;
  if (state.status === 'True')
    return waiting(`${missing} on ${wec}`, { code: 'replicas-missing', next });
  const details = { code: 'not-available', next, since: state.lastTransitionTime };
  return waiting(`not available on ${wec}: ${state.message ?? state.reason}`, details);
}
