import { StellarError } from '../../core/errors.ts';
import { advice, command, type NextStep, partial, run } from '../../core/next-step.ts';
import {
  type BlockedVerdict,
  failed,
  failedForGood,
  met,
  type Stage,
  unseen,
  type Verdict,
  type VerdictDetails,
} from '../../core/stages.ts';
import {
  changedAt,
  groupResourceOf,
  isLiving,
  type KubeObject,
  writtenAt,
} from '../../kube/client/objects.ts';
import type { Binding, Candidate } from '../../ocm/model/kubestellar-names.ts';
import { describeObject } from '../../ocm/model/object-ref.ts';
import {
  flagsOf,
  toSeeManager,
  toSeeTransport,
  toSeeWds,
  type Wds,
} from '../../spaces/choose/open-wds.ts';
import { labelsToSelect, type NotSelected, whyNotSelected } from '../selection/select-objects.ts';
import type { Delivery, DeliveryEvidence } from './delivery.ts';

/** How long KubeStellar's controllers may take, in milliseconds: 46 policies over 10 objects were observed to take a minute. */
export const controllerTimeMs = 60_000;

/** The stages in the WDS, up to the transport's observation of the Binding. */
export const stagesInWds: readonly Stage<Delivery>[] = [
  { id: 'exists', title: 'in the WDS', check: exists },
  { id: 'selected', title: 'selected', check: selected },
  { id: 'policy', title: 'policy without error', check: policyWithoutError },
  { id: 'binding', title: 'in the Binding, which the transport has read', check: inBinding },
];

function exists(delivery: Delivery): Verdict {
  const { of, evidence } = delivery;
  if (of.unread !== undefined) return unseen(of.unread);
  const kept = heldByGuard(delivery);
  if (kept !== undefined) return kept;
  if (of.object === undefined) {
    const { why, next } = noSuchObject(of, evidence.wds);
    return failedForGood(why, { code: 'object-missing', next });
  }
  const { deletionTimestamp } = of.object.metadata;
  if (deletionTimestamp === undefined) return met;
  const see = command`kubectl --context ${evidence.wds.context} ${inNamespace(of)} get ${groupResourceOf(of)} ${of.name} -o yaml`;
  const next = [run(see, 'See its finalizers and conditions')];
  const why = `${describeObject(of)} is being deleted in ${evidence.wds.name}`;
  return lateSince(evidence, Date.parse(deletionTimestamp), why, { code: 'object-deleting', next });
}

export function noSuchObject(
  of: Pick<Delivery['of'], 'kind' | 'resource' | 'namespace' | 'name'>,
  { name, context }: Wds,
): StellarError {
  const list = run(command`kubectl --context ${context} get ${of.resource} -A`, 'See what exists');
  return new StellarError('not-found', `${describeObject(of)} is not in ${name}.`, {
    next: [list],
  });
}

/** The guard keeps what KubeStellar would remove as the last objects of a Binding. */
function heldByGuard({
  of,
  bound,
  policyName = '',
  evidence: { held, wds },
}: Delivery): Verdict | undefined {
  if (bound === undefined || !held.has(policyName)) return undefined;
  const gone =
    of.object === undefined
      ? `it is no longer in ${wds.name}`
      : `${policyName} no longer selects it`;
  const prune = run(
    command`stellarctl policy prune ${policyName} ${flagsOf(wds)}`,
    'Remove it from its WECs',
  );
  const why = `${gone}, and the guard keeps it on the WECs that ${policyName} had`;
  return failedForGood(why, { code: 'binding-guarded', next: [prune] });
}

export const inNamespace = ({ namespace }: { namespace?: string | undefined }): string[] =>
  namespace === undefined ? [] : ['-n', namespace];

function selected(delivery: Delivery): Verdict {
  const { of, evidence } = delivery;
  const { object } = of;
  if (object === undefined) return unseen('there is no object');
  const { apiGroups, name: wds } = evidence.wds;
  if (
    apiGroups.length > 0 &&
    !apiGroups.includes(of.group) &&
    of.group !== 'apiextensions.k8s.io'
  ) {
    const unwatched = { code: 'group-not-watched', next: toSeeWds(evidence.wds, 'See the WDS') };
    return failedForGood(
      `${wds} was created to send objects of API groups ${apiGroups.join(', ')} only`,
      unwatched,
    );
  }
  if (delivery.policyName !== undefined) return met;
  const policies = evidence.policies.filter(isLiving).map(({ metadata, spec }) => {
    return { name: metadata.name, downsync: spec?.downsync ?? [] };
  });
  const candidate = { ...of, metadata: object.metadata };
  const why = whyNotSelected(policies, candidate, of.namespaces);
  const { words, next } = why
    ? explained(why, candidate, delivery)
    : { words: `no policy of ${wds} selects it`, next: [] };
  return failedForGood(words, {
    code: why?.why === 'never-sent' ? 'never-sent' : 'not-selected',
    next,
  });
}

/** In words, and what makes a policy select it. */
function explained(
  why: NotSelected,
  candidate: Candidate,
  { of, evidence }: Delivery,
): { words: string; next: NextStep[] } {
  const { context, name } = evidence.wds;
  if (why.why === 'never-sent')
    return { words: `KubeStellar sends no ${of.resource} to WECs`, next: [] };
  if (why.why === 'no-clause') {
    const create = command`stellarctl policy create NAME --clusters SELECTOR --select ${groupResourceOf(of)} ${flagsOf(evidence.wds)}`;
    return {
      words: `no binding policy of ${name} selects any object`,
      next: [partial(create, 'Select it')],
    };
  }
  const { policy, clause, fails } = why.nearest;
  const wanted = fails.map((part) => `${part} ${JSON.stringify(clause[part])}`);
  const labels = labelsToSelect([clause], candidate, of.namespaces);
  const fix =
    labels === undefined
      ? command`kubectl --context ${context} edit bindingpolicy ${policy}`
      : command`kubectl --context ${context} ${inNamespace(of)} label ${groupResourceOf(of)} ${of.name} ${labels}`;
  const words = `no policy selects it; the nearest, ${policy}, asks for ${wanted.join(' and ')}`;
  return { words, next: [run(fix, `If ${policy} is to send it`)] };
}

/** A policy, and what KubeStellar has made of it. */
export type OfPolicy = Pick<Delivery, 'policyName' | 'policy' | 'binding' | 'evidence'>;

/**
 * status.errors of the policy, and of its Binding, for the generation that is there (kubestellar v0.30.0, pkg/binding/binding.go,
 * pkg/transport/generic).
 */
export function policyWithoutError(delivery: OfPolicy): Verdict {
  const { policyName, policy, binding, evidence } = delivery;
  if (policyName === undefined) return unseen('no policy selects it');
  if (policyName.length > 63) {
    const why = `the name of policy ${policyName} has more than 63 characters: no work can be made for it`;
    return failedForGood(why, {
      code: 'policy-name-too-long',
      next: [advice('Give the policy a shorter name')],
    });
  }
  if (policy === undefined) {
    const finish = command`stellarctl policy delete ${policyName} --keep-workloads ${flagsOf(evidence.wds)}`;
    const orphaned = { code: 'binding-orphaned', next: [run(finish, 'Finish the deletion')] };
    return failedForGood(
      `the Binding of ${policyName} no longer has a policy, and is not updated`,
      orphaned,
    );
  }
  const { deletionTimestamp } = policy.metadata;
  if (deletionTimestamp !== undefined) {
    const deleting = {
      code: 'policy-deleting',
      next: toSeeWds(evidence.wds, 'Do its controllers run?'),
    };
    return lateSince(
      evidence,
      Date.parse(deletionTimestamp),
      `policy ${policyName} is being deleted`,
      deleting,
    );
  }
  const [error] = binding?.status?.errors ?? [];
  if (error !== undefined)
    return failed(`policy ${policyName} sends nothing: ${error}`, {
      code: 'binding-error',
      next: [toExplain(delivery)],
    });
  const { generation = 0 } = policy.metadata;
  return (policy.status?.observedGeneration ?? 0) >= generation
    ? met
    : overdue(
        delivery,
        [policy],
        `KubeStellar has not observed policy ${policyName}`,
        'policy-unobserved',
      );
}

function inBinding(delivery: Delivery): Verdict {
  const { of, policyName, policy, binding, bound, evidence } = delivery;
  if (policyName === undefined) return unseen('no policy selects it');
  const paused = pausedBy(evidence);
  if (paused !== undefined) return paused;
  if (binding === undefined)
    return overdue(delivery, [policy], `policy ${policyName} has no Binding`, 'binding-missing');
  if (bound === undefined) {
    const isUnnoticed = policy?.spec?.downsync?.some(
      ({ namespaceSelectors = [] }) => namespaceSelectors.length > 0,
    );
    const unwatched = isUnnoticed ? ': KubeStellar does not watch the labels of Namespaces' : '';
    const why = `it is not in the Binding of ${policyName}${unwatched}`;
    const helps = isUnnoticed ? [toTouch(delivery)] : [];
    return overdue(delivery, [of.object, policy], why, 'object-not-in-binding', helps);
  }
  const read = bindingRead(delivery, binding);
  if (read.state !== 'met') return read;
  if (
    bound.resourceVersion === undefined ||
    bound.resourceVersion === of.object?.metadata.resourceVersion
  )
    return met;
  // Fields that change continuously, such as returned status, are sent a moment later.
  const [changed, written] =
    of.object === undefined ? [0, 0] : [changedAt(of.object), writtenAt(of.object)];
  const behind = `the Binding of ${policyName} ${changed > written ? 'has yet to follow its new status' : 'has an earlier version of it'}`;
  const details = { code: 'binding-behind', next: toSeeManager(evidence.wds) };
  return lateSince(evidence, changed, behind, details, [], evidence.controllers.manager);
}

/** A restart that is not done keeps the transport from sending, whatever has been sent. */
export const pausedBy = ({ controllers: { transport } }: Pick<DeliveryEvidence, 'controllers'>) =>
  transport?.code === 'transport-paused' ? transport : undefined;

/** Whether the transport has read a Binding as it is. */
export function bindingRead(of: OfPolicy, binding: Binding): Verdict {
  const { name, generation = 0 } = binding.metadata;
  if ((binding.status?.observedGeneration ?? 0) >= generation) return met;
  const { wds, controllers } = of.evidence;
  const details = {
    code: 'transport-behind',
    next: [toExplain(of), ...toSeeTransport(wds, undefined)],
  };
  const why = `the transport has not read the Binding of ${name}`;
  return lateSince(
    of.evidence,
    writtenAt(binding),
    why,
    details,
    [toExplain(of)],
    controllers.transport,
  );
}

/**
 * Distinguishes what KubeStellar's controller manager has not done yet from what it will no longer do.
 * @param since the change that they must observe
 */
export function overdue(
  delivery: OfPolicy,
  since: readonly (KubeObject | undefined)[],
  why: string,
  code: string,
  helps: readonly NextStep[] = [],
): Verdict {
  const written = Math.max(
    ...since.map((object) => (object === undefined ? 0 : writtenAt(object))),
  );
  const { wds, controllers } = delivery.evidence;
  const details = { code, next: [...helps, ...toSeeManager(wds)] };
  return lateSince(
    delivery.evidence,
    written,
    why,
    details,
    [toExplain(delivery)],
    controllers.manager,
  );
}

/**
 * Distinguishes what is not done yet from what takes too long.
 * @param since when it could begin, in milliseconds since the epoch; 0 if that is unknown
 * @param meanwhile the next steps before it takes too long
 * @param problem why what is to do it does not run: then it is not a matter of time
 */
export const lateSince = (
  { now }: Pick<DeliveryEvidence, 'now'>,
  since: number,
  why: string,
  details?: VerdictDetails,
  meanwhile: readonly NextStep[] = [],
  problem?: BlockedVerdict,
): BlockedVerdict => {
  if (problem !== undefined)
    return {
      ...problem,
      ...details,
      why: `${why}: ${problem.why}`,
      next: problem.next ?? meanwhile,
    };
  return since === 0 || now - since <= controllerTimeMs
    ? { state: 'waiting', why, ...details, next: meanwhile }
    : {
        state: 'failed',
        why: `${why}, for longer than expected`,
        since: new Date(since).toISOString(),
        ...details,
      };
};

/** Changes the object itself, which makes KubeStellar evaluate it again. */
export function toTouch({ of, evidence }: Delivery): NextStep {
  const note = `stellarctl/changed=${of.object?.metadata.resourceVersion ?? ''}`;
  const annotate = command`kubectl --context ${evidence.wds.context} ${inNamespace(of)} annotate --overwrite ${groupResourceOf(of)} ${of.name} ${note}`;
  return run(annotate, 'Change it, so that KubeStellar evaluates it again');
}

const toExplain = ({ policyName = '', evidence }: OfPolicy): NextStep =>
  run(command`stellarctl policy explain ${policyName} ${flagsOf(evidence.wds)}`, 'See why');
