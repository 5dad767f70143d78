import { count } from '../../engine/counts.ts';
import { conditionOf } from '../../kube/objects.ts';
import type { OpenWds } from '../../spaces/open-wds.ts';
import type { ManifestWork } from '../manifest-works.ts';
import { describeObject } from '../object-ref.ts';
import { type Binding, type BindingPolicy, destinationsOf, objectsOf } from '../policies/policy.ts';
import type { ViewWithErrors } from '../unseen.ts';
import type { DeliveryEvidence } from './evidence.ts';
import { type JudgedObject, judgeObjects } from './judged-objects.ts';

/** A policy in a list. The fields are an interface: docs/output.md. */
export interface PolicySummary {
  name: string;
  wecs: string[];
  objects: number;
  /** Null if the ITS cannot be read. */
  works: { total: number; applied: number; failed: number } | null;
  state: 'ok' | 'waiting' | 'failed';
  /** What blocks the policy; null if nothing does. */
  why: string | null;
}

/** Lists the policies of a WDS by name, with the Bindings that have no policy any more. */
export async function listPolicies(wds: OpenWds): Promise<ViewWithErrors<PolicySummary[]>> {
  const { evidence, objects, unseen } = await judgeObjects(wds);
  const policies = new Map(evidence.policies.map((policy) => [policy.metadata.name, policy]));
  const orphaned = [...evidence.bindings.values()].filter(
    ({ metadata }) => !policies.has(metadata.name) && !metadata.ownerReferences?.length,
  );
  const failures = failuresOf(objects);
  const view = [...policies.keys(), ...orphaned.map(({ metadata }) => metadata.name)]
    .sort()
    .map((name) => summaryOf(name, policies.get(name), evidence, failures.get(name) ?? []));
  return { view, errors: unseen.map(({ error }) => error) };
}

/** Returns what keeps objects from reaching WECs, by policy. */
function failuresOf(objects: readonly JudgedObject[]): Map<string, string[]> {
  const failures = new Map<string, string[]>();
  for (const { kind, namespace, name, deliveries } of objects) {
    const object = describeObject({ kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } });
    for (const { policy, failure } of deliveries)
      if (policy !== null && failure !== undefined)
        failures.set(policy, [...(failures.get(policy) ?? []), `${object}: ${failure}`]);
  }
  return failures;
}

/** A policy and its state, which every command judges by this function. */
export function summaryOf(
  name: string,
  policy: BindingPolicy | undefined,
  evidence: DeliveryEvidence,
  failures: readonly string[],
): PolicySummary {
  const binding = evidence.bindings.get(name);
  const wecs = destinationsOf(binding);
  const works = evidence.works.state === 'seen' ? countWorks(name, wecs, evidence.works.value) : null;
  const [state, why] = stateOf(policy, binding, works, failures);
  return { name, wecs, objects: binding === undefined ? 0 : objectsOf(binding).length, works, state, why };
}

function countWorks(
  name: string,
  wecs: readonly string[],
  works: Extract<DeliveryEvidence['works'], { state: 'seen' }>['value'],
): NonNullable<PolicySummary['works']> {
  const all = wecs.flatMap((wec) => works.of(name, wec));
  const withAppliedStatus = (status: string) => all.filter((work) => hasAppliedStatus(work, status));
  return { total: all.length, applied: withAppliedStatus('True').length, failed: withAppliedStatus('False').length };
}

/** Whether the agent reports the status for the current generation of the work. */
function hasAppliedStatus(work: ManifestWork, status: string): boolean {
  const applied = conditionOf(work, 'Applied');
  return applied?.status === status && (applied.observedGeneration ?? 0) >= (work.metadata.generation ?? 0);
}

const isObserved = ({ metadata, status }: BindingPolicy): boolean =>
  (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);

/** Returns the first problem of a policy, in the order of the stages. @param works null if they are not visible */
export function stateOf(
  policy: BindingPolicy | undefined,
  binding: Binding | undefined,
  works: PolicySummary['works'],
  failures: readonly string[],
): [PolicySummary['state'], string | null] {
  if (policy === undefined) return ['failed', 'its policy was deleted, its Binding was not'];
  if (policy.metadata.deletionTimestamp !== undefined) return ['waiting', 'being deleted'];
  // If the policy selects nothing at all, KubeStellar creates no Binding.
  if (binding === undefined)
    return isObserved(policy) ? ['failed', 'selects no WEC and no object'] : ['waiting', 'has no Binding'];
  const [error] = policy.status?.errors ?? [];
  if (error !== undefined) return ['failed', error];
  const collectors = conditionOf(policy, 'StatusCollectorsAvailable');
  if (collectors?.status === 'False') return ['failed', collectors.message ?? 'a StatusCollector is missing'];
  if ((binding.status?.observedGeneration ?? 0) < (binding.metadata.generation ?? 0))
    return ['waiting', 'the transport has not read its Binding'];
  if (destinationsOf(binding).length === 0) return ['failed', 'selects no WEC'];
  if (objectsOf(binding).length === 0) return ['failed', 'selects no object'];
  if (works === null) return ['waiting', 'its works are not visible'];
  if (works.failed > 0) return ['failed', `${count(works.failed, 'work')} not applied`];
  const [failure, ...others] = failures;
  if (failure !== undefined) return ['failed', `${failure}${others.length === 0 ? '' : `, and ${others.length} more`}`];
  const open = works.total - works.applied;
  return open > 0 ? ['waiting', `${count(open, 'work')} not applied yet`] : ['ok', null];
}
