import { failed, type Verdict, waiting } from '../../core/stages.ts';
import { count, few } from '../../core/text/words.ts';
import { ifSeen } from '../../kube/access.ts';
import { byName, namesOf } from '../../kube/client/objects.ts';
import { isAvailable } from '../../ocm/hub/hub-evidence.ts';
import {
  type BindingPolicy,
  destinationsOf,
  objectsOf,
} from '../../ocm/model/kubestellar-names.ts';
import { argumentOf, describeObject } from '../../ocm/model/object-ref.ts';
import type { Wds } from '../../spaces/choose/open-wds.ts';
import type { DeliveryEvidence } from '../delivery/delivery.ts';
import {
  deliveriesIn,
  hasFailed,
  hasReached,
  isHidden,
  type JudgedDelivery,
  judgeObjects,
  showsDeliveries,
} from '../delivery/judged-objects.ts';
import {
  bindingRead,
  type OfPolicy,
  pausedBy,
  policyWithoutError,
} from '../delivery/stages-in-wds.ts';

/** What blocks a policy; `why` is null if nothing does. */
interface PolicyState {
  state: 'ok' | 'waiting' | 'failed';
  why: string | null;
  /** The code of that, if it has one. */
  code: string | null;
  /** When that began, RFC 3339, if an object records it. */
  since?: string | undefined;
  /** The first object that is blocked, as `workload get` takes it; undefined if that blocks the policy itself. */
  object?: string | undefined;
}

/** A policy in a list. The fields are an interface: docs/output.md. */
export type PolicySummary = ReturnType<typeof policySummary>;

/**
 * Lists the policies of a WDS by name, with the Bindings that no longer have a policy, and with works that have neither.
 * @returns also their deliveries
 */
export async function listPolicies(wds: Wds) {
  const { evidence, objects, errors } = await judgeObjects(wds);
  const policies = byName(evidence.policies);
  const orphaned = [...evidence.bindings.values()].filter(
    ({ metadata }) => !policies.has(metadata.name) && !metadata.ownerReferences?.length,
  );
  const deleted = [...(ifSeen(evidence.works)?.places.keys() ?? [])].filter(
    (name) => !policies.has(name) && !evidence.bindings.has(name),
  );
  const deliveries = Map.groupBy(deliveriesIn(objects), ({ policy }) => policy);
  const view = [...policies.keys(), ...namesOf(orphaned), ...deleted]
    .sort()
    .map((name) => policySummary(name, policies.get(name), evidence, deliveries.get(name) ?? []));
  return { view, deliveries, errors };
}

/** A policy and its state, which every command judges by this function. @param deliveries those of the policy */
export function policySummary(
  name: string,
  policy: BindingPolicy | undefined,
  evidence: DeliveryEvidence,
  deliveries: readonly JudgedDelivery[],
) {
  const binding = evidence.bindings.get(name);
  const toWecs = deliveries.filter(({ wec }) => wec !== null);
  const those = (isOne: (delivery: JudgedDelivery) => boolean) => toWecs.filter(isOne).length;
  const counts = {
    total: toWecs.length,
    applied: those((each) => hasReached(each, 'applied')),
    available: those((each) => hasReached(each, 'available')),
    failed: those(hasFailed),
  };
  const isSeen = showsDeliveries(evidence) && !toWecs.some(isHidden);
  const verdict = policyVerdict({ policyName: name, policy, binding, evidence });
  const isBlocked = verdict.state === 'waiting' || verdict.state === 'failed';
  const { state, why, since, code, object }: PolicyState = isBlocked
    ? { code: null, ...verdict }
    : policyStateOf(deliveries, isSeen);
  return {
    name,
    wecs: binding === undefined ? placesOf(name, evidence) : destinationsOf(binding),
    objects: binding === undefined ? 0 : objectsOf(binding).length,
    /** Each object on each WEC, by the stages of `workload get`. Null if the ITS, or an object, is not visible. */
    deliveries: isSeen ? counts : null,
    state,
    why,
    code,
    since,
    object,
  };
}

/** The code of a policy that selects no object: it may be made before its objects, or after they were deleted. */
export const emptyPolicy = 'policy-empty';

const placesOf = (name: string, { works }: DeliveryEvidence) =>
  [...new Set(ifSeen(works)?.places.get(name))].sort();

/** A policy that is deleted, and of which works remain: their agents remove what they have applied. */
function leaving(name: string, evidence: DeliveryEvidence): Verdict {
  const wecs = placesOf(name, evidence);
  const known = ifSeen(evidence.inventory);
  const silent = wecs.filter((wec) => !isAvailable({ managedCluster: known?.get(wec) }));
  const works = count(ifSeen(evidence.works)?.places.get(name)?.length ?? 0, 'work');
  const cause = silent.length === 0 ? '' : `, of which ${few(silent).join(', ')} not available`;
  return waiting(
    `it is deleted, and ${works} are being removed from ${few(wecs).join(', ')}${cause}`,
    { code: 'policy-deleting' },
  );
}

/** The verdict on a policy as a whole: by the stages that its objects share, and whether it selects anything. */
function policyVerdict(of: OfPolicy): Verdict {
  const { policyName = '', policy, binding, evidence } = of;
  const isDeleted = policy === undefined && binding === undefined;
  if (isDeleted) return leaving(policyName, evidence);
  const verdict = policyWithoutError(of);
  if (verdict.state !== 'met') return verdict;
  // If the policy selects nothing at all, KubeStellar creates no Binding.
  if (binding === undefined) return failed('selects no WEC and no object', { code: emptyPolicy });
  const [error] = policy?.status?.errors ?? [];
  if (error !== undefined) return failed(error);
  if (destinationsOf(binding).length === 0) return failed('selects no WEC');
  if (objectsOf(binding).length === 0) return failed('selects no object', { code: emptyPolicy });
  return pausedBy(evidence) ?? bindingRead(evidence, binding);
}

/** The state of a policy by the stages of its deliveries. */
function policyStateOf(deliveries: readonly JudgedDelivery[], isSeen: boolean): PolicyState {
  const blocked = deliveries.flatMap(({ of, wec, blockedAt, code }) =>
    blockedAt === null ? [] : { of, wec, code, ...blockedAt },
  );
  const first = blocked.find(({ state }) => state === 'failed') ?? blocked[0];
  const hidden = 'what its WECs have received is not visible';
  if (first === undefined)
    return isSeen
      ? { state: 'ok', why: null, code: null }
      : { state: 'waiting', why: hidden, code: null };
  const { of, wec, stage, why, ...rest } = first;
  const where = wec === null || why.includes(` ${wec}`) ? '' : ` on ${wec}`;
  const alike = blocked.filter(({ state }) => state === first.state).length;
  const others = alike === 1 ? '' : `, and ${alike - 1} more`;
  return { ...rest, object: argumentOf(of), why: `${describeObject(of)}${where}${others}: ${why}` };
}
