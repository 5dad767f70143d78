import { rfc3339 } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { advice, command, flagsOf, type NextStep, partial, run } from '../../core/next-step.ts';
import {
  type BlockedVerdict,
  failed,
  met,
  type Stage,
  unseen,
  type Verdict,
  waiting,
} from '../../core/stages.ts';
import {
  changedAt,
  groupResourceOf,
  isLiving,
  type KubeObject,
  writtenAt,
} from '../../kube/client/objects.ts';
import { isRead } from '../../kube/pods.ts';
import { type Binding, isExcludedKind } from '../../ocm/model/kubestellar-names.ts';
import { describeObject } from '../../ocm/model/object-ref.ts';
import {
  inWds,
  toSeeManager,
  toSeeTransport,
  toSeeWds,
  type Wds,
} from '../../spaces/choose/open-wds.ts';
import { labelsToSelect, nearestClause } from '../selection/select-objects.ts';
import { isWatched } from '../selection/wds-contents.ts';
import type { Delivery, DeliveryEvidence } from './delivery.ts';

/** How long KubeStellar's controllers may take, in milliseconds: 46 policies over 10 objects were observed to take a minute. */
const controllerTimeMs = 60_000;

/** What the first rule says that says anything. */
export function byRules<Subject, Said>(
  rules: readonly ((subject: Subject) => Said | undefined)[],
  subject: Subject,
): Said | undefined {
  for (const rule of rules) {
    const said = rule(subject);
    if (said !== undefined) return said;
  }
  return undefined;
}

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
    return blocked('object-missing', why, ...next);
  }
  const { deletionTimestamp } = of.object.metadata;
  if (deletionTimestamp === undefined) return met;
  return lateSince(evidence, {
    code: 'object-deleting',
    why: `${describeObject(of)} is being deleted in ${evidence.wds.name}`,
    since: Date.parse(deletionTimestamp),
    next: [
      run(
        inWds(
          evidence.wds,
          command`kubectl --context ${evidence.wds.context} ${inNamespace(of)} get ${groupResourceOf(of)} ${of.name} -o yaml`,
        ),
        'See its finalizers and conditions',
      ),
    ],
  });
}

export function noSuchObject(
  of: Pick<Delivery['of'], 'kind' | 'resource' | 'namespace' | 'name'>,
  wds: Wds,
): StellarError {
  return new StellarError(
    'not-found',
    `${describeObject(of)} is not in ${wds.name}.`,
    run(
      inWds(wds, command`kubectl --context ${wds.context} get ${of.resource} -A`),
      'See what exists',
    ),
  );
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
  return blocked(
    'binding-guarded',
    `${gone}, and the guard keeps it on the WECs that ${policyName} had`,
    run(command`stellarctl policy prune ${policyName} ${flagsOf(wds)}`, 'Remove it from its WECs'),
  );
}

export const inNamespace = ({ namespace }: { namespace?: string | undefined }) =>
  namespace === undefined ? [] : ['-n', namespace];

function selected(delivery: Delivery): Verdict {
  const { of, evidence } = delivery;
  const { object } = of;
  if (object === undefined) return unseen('there is no object');
  const { apiGroups, name: wds, context } = evidence.wds;
  if (!isWatched(of, apiGroups))
    return blocked(
      'group-not-watched',
      `${wds} was created to send objects of API groups ${apiGroups.join(', ')} only`,
      ...toSeeWds(evidence.wds, 'See the WDS'),
    );
  if (delivery.policyName !== undefined) return met;
  if (isExcludedKind(of))
    return blocked('never-sent', `KubeStellar sends no ${of.resource} to WECs`);
  const policies = evidence.policies.filter(isLiving).map(({ metadata, spec }) => {
    return { name: metadata.name, downsync: spec?.downsync ?? [] };
  });
  const candidate = { ...of, metadata: object.metadata };
  const nearest = nearestClause(policies, candidate, of.namespaces);
  if (nearest === undefined) {
    return blocked(
      'not-selected',
      `no binding policy of ${wds} selects any object`,
      partial(
        command`stellarctl policy create NAME --clusters SELECTOR --select ${groupResourceOf(of)} ${flagsOf(evidence.wds)}`,
        'Select it',
      ),
    );
  }
  const { policy, clause, fails } = nearest;
  const wanted = fails.map((part) => `${part} ${JSON.stringify(clause[part])}`);
  const labels = labelsToSelect([clause], candidate, of.namespaces);
  const fix =
    labels === undefined
      ? command`kubectl --context ${context} edit bindingpolicy ${policy}`
      : command`kubectl --context ${context} ${inNamespace(of)} label ${groupResourceOf(of)} ${of.name} ${labels}`;
  return blocked(
    'not-selected',
    `no policy selects it; the nearest, ${policy}, asks for ${wanted.join(' and ')}`,
    run(inWds(evidence.wds, fix), `If ${policy} is to send it`),
  );
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
  if (policyName.length > 63)
    return blocked(
      'policy-name-too-long',
      `the name of policy ${policyName} has more than 63 characters: no work can be made for it`,
      advice('Give the policy a shorter name'),
    );
  if (policy === undefined) {
    return blocked(
      'binding-orphaned',
      `the Binding of ${policyName} no longer has a policy, and is not updated`,
      run(
        command`stellarctl policy delete ${policyName} --keep-workloads ${flagsOf(evidence.wds)}`,
        'Finish the deletion',
      ),
    );
  }
  const { deletionTimestamp } = policy.metadata;
  if (deletionTimestamp !== undefined)
    return lateSince(evidence, {
      code: 'policy-deleting',
      why: `policy ${policyName} is being deleted`,
      since: Date.parse(deletionTimestamp),
      next: toSeeWds(evidence.wds, 'Do its controllers run?'),
    });
  const stop = evidence.stops.get(policyName);
  if (stop !== undefined) return stop;
  const [error] = binding?.status?.errors ?? [];
  if (error !== undefined) {
    return blocked(
      'binding-error',
      `policy ${policyName} sends nothing: ${error}`,
      toExplain(policyName, evidence),
    );
  }
  return isRead(policy)
    ? met
    : overdue(delivery, {
        code: 'policy-unobserved',
        why: `KubeStellar has not observed policy ${policyName}`,
        since: [policy],
      });
}

function inBinding(delivery: Delivery): Verdict {
  const { of, policyName, policy, binding, bound, evidence } = delivery;
  if (policyName === undefined) return unseen('no policy selects it');
  const paused = pausedBy(evidence);
  if (paused !== undefined) return paused;
  if (binding === undefined)
    return overdue(delivery, {
      code: 'binding-missing',
      why: `policy ${policyName} has no Binding`,
      since: [policy],
    });
  if (bound === undefined) {
    const isUnnoticed = policy?.spec?.downsync?.some(
      ({ namespaceSelectors = [] }) => namespaceSelectors.length > 0,
    );
    const unwatched = isUnnoticed ? ': KubeStellar does not watch the labels of Namespaces' : '';
    return overdue(delivery, {
      code: 'object-not-in-binding',
      why: `it is not in the Binding of ${policyName}${unwatched}`,
      since: [of.object, policy],
      helps: isUnnoticed ? [toTouch(delivery)] : [],
    });
  }
  const read = bindingRead(evidence, binding);
  if (read.state !== 'met') return read;
  if (of.unread !== undefined) return unseen(of.unread);
  if (
    bound.resourceVersion === undefined ||
    bound.resourceVersion === of.object?.metadata.resourceVersion
  )
    return met;
  // Fields that change continuously, such as returned status, are sent a moment later.
  const [changed, written] =
    of.object === undefined ? [0, 0] : [changedAt(of.object), writtenAt(of.object)];
  const behind =
    changed > written ? 'has yet to follow its new status' : 'has an earlier version of it';
  return lateSince(evidence, {
    code: 'binding-behind',
    why: `the Binding of ${policyName} ${behind}`,
    since: changed,
    next: toSeeManager(evidence.wds),
    problem: evidence.controllers.manager,
  });
}

/** A restart that is not done keeps the transport from sending, whatever has been sent. */
export const pausedBy = ({ controllers: { transport } }: Pick<DeliveryEvidence, 'controllers'>) =>
  transport?.code === 'transport-paused' ? transport : undefined;

export function bindingRead(evidence: DeliveryEvidence, binding: Binding): Verdict {
  if (isRead(binding)) return met;
  const { name } = binding.metadata;
  const meanwhile = [toExplain(name, evidence)];
  return lateSince(evidence, {
    code: 'transport-behind',
    why: `the transport has not read the Binding of ${name}`,
    since: writtenAt(binding),
    meanwhile,
    next: [...meanwhile, ...toSeeTransport(evidence.wds, undefined)],
    problem: evidence.controllers.transport,
  });
}

/** A failure by its code, and what helps. */
export const blocked = (code: string, why: string, ...next: NextStep[]): BlockedVerdict =>
  failed(why, { code, next });

interface Overdue extends Pick<Pending, 'code' | 'why'> {
  /** What they must observe. */
  since: readonly (KubeObject | undefined)[];
  /** What helps before their logs do. */
  helps?: readonly NextStep[];
}

/** Distinguishes what KubeStellar's controller manager has not done yet from what it will no longer do. */
export const overdue = (
  { policyName = '', evidence }: OfPolicy,
  { since, helps = [], ...pending }: Overdue,
): BlockedVerdict =>
  lateSince(evidence, {
    ...pending,
    since: latest(...since),
    meanwhile: [toExplain(policyName, evidence)],
    next: [...helps, ...toSeeManager(evidence.wds)],
    problem: evidence.controllers.manager,
  });

/** When one of some objects was last written; 0 if there is none. */
export const latest = (...objects: readonly (KubeObject | undefined)[]) =>
  Math.max(0, ...objects.map((object) => (object === undefined ? 0 : writtenAt(object))));

/** What is not done yet. */
interface Pending {
  code: string;
  why: string;
  /** When it could begin, in milliseconds since the epoch; 0 if that is unknown. */
  since: number;
  /** What helps before it takes too long. */
  meanwhile?: readonly NextStep[];
  /** What helps if it takes too long. */
  next: readonly NextStep[];
  /** Why what is to do it does not run: then it is not a matter of time. */
  problem?: BlockedVerdict | undefined;
}

/** Distinguishes what is not done yet from what takes too long. */
export const lateSince = (
  { now }: Pick<DeliveryEvidence, 'now'>,
  { code, why, since, meanwhile = [], next, problem }: Pending,
): BlockedVerdict => {
  if (problem !== undefined) return { ...problem, code, why: `${why}: ${problem.why}` };
  return since === 0 || now - since <= controllerTimeMs
    ? waiting(why, { code, next: meanwhile })
    : failed(`${why}, for longer than expected`, { code, next, since: rfc3339(since) });
};

/** Changes the object itself, which makes KubeStellar evaluate it again. */
export function toTouch({ of, evidence }: Delivery): NextStep {
  const note = `stellarctl/changed=${of.object?.metadata.resourceVersion ?? ''}`;
  return run(
    inWds(
      evidence.wds,
      command`kubectl --context ${evidence.wds.context} ${inNamespace(of)} annotate --overwrite ${groupResourceOf(of)} ${of.name} ${note}`,
    ),
    'Change it, so that KubeStellar evaluates it again',
  );
}

const toExplain = (policy: string, { wds }: Pick<DeliveryEvidence, 'wds'>) =>
  run(command`stellarctl policy explain ${policy} ${flagsOf(wds)}`, 'See why');
