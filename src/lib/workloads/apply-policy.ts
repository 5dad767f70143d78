import { isDeepStrictEqual } from 'node:util';
import { count, few } from '../core/counts.ts';
import { forName } from '../core/each-name.ts';
import { type Confirm, readConfirmed } from '../core/read-confirmed.ts';
import type { Removals } from '../core/removal-limit.ts';
import type { Run } from '../core/run.ts';
import { resources } from '../kube/client/resources.ts';
import { getServed } from '../kube/served.ts';
import { describeObject, keyOf, keyOfCandidate } from '../ocm/object-ref.ts';
import { type Binding, type BindingPolicy, destinationsOf, objectsOf, type PolicySpec } from '../ocm/policies.ts';
import type { OpenWds } from '../spaces/open-wds.ts';
import { createNew, type PolicyResult, refuseSystemObjects } from './create-policy.ts';
import { type Explanation, explanationOf } from './explain.ts';
import { kindNames } from './find-kind.ts';
import { evaluate, getPolicy, type PolicySubject } from './policy-subject.ts';
import { type Unseen, unseenOf } from './unseen.ts';

/** What a policy does, and what its change no longer sends. */
export interface PolicyChange {
  name: string;
  present: BindingPolicy | undefined;
  explanation: Explanation;
  /** What is no longer sent, a line for each WEC: it is deleted there unless another policy sends it. */
  lost: string[];
  /** What could not be read: it may be lost as well. */
  unknown: Unseen[];
  /** How many WECs lose something, of those that its Binding names. */
  removed: Omit<Removals, 'max'>;
}

/**
 * Creates a policy, or changes it after showing what it no longer sends.
 * @throws StellarError before anything is written: `system-objects-selected`, and what `confirm` throws
 */
export async function applyPolicy(
  { name, spec, wds }: { name: string; spec: PolicySpec; wds: OpenWds },
  confirm: Confirm<PolicyChange>,
  run: Run,
): Promise<PolicyResult> {
  const read = async (): Promise<PolicyChange> => {
    const present = await getPolicy(wds.kube, name);
    const after = await evaluate(name, spec, wds);
    const { view: explanation } = await explanationOf(after, present !== undefined);
    refuseSystemObjects(explanation);
    const binding = await getServed<Binding>(wds.kube, resources.bindings, name);
    const isSame = present !== undefined && isDeepStrictEqual(present.spec, spec);
    return { name, present, explanation, ...lossOf(isSame ? undefined : binding, after) };
  };
  const losses = ({ lost, unknown }: PolicyChange) => [...lost, ...unknown.map(({ what }) => `perhaps ${what}`)];
  const { present, explanation } = await readConfirmed({ read, losses, confirm });
  const { wecs, objects, problems } = explanation;
  const result: PolicyResult = { name, wds: wds.name, wecs, objects, problems, changed: false };
  return forName(result, run, async () => {
    if (present === undefined) await createNew(name, spec, wds);
    else if (!isDeepStrictEqual(present.spec, spec)) await change(present, spec, wds);
    result.changed = present === undefined || !isDeepStrictEqual(present.spec, spec);
    const what = present === undefined ? 'created' : result.changed ? 'changed' : 'is as the file says';
    if (!run.dryRun) run.progress.done(name, what, result.changed);
  });
}

/** Fails with 409 if the policy is another one now. */
async function change({ metadata, spec: before = {} }: BindingPolicy, spec: PolicySpec, { kube }: OpenWds) {
  const { name, uid, resourceVersion } = metadata;
  const removed = Object.fromEntries(Object.keys(before).map((field) => [field, null]));
  await kube.merge(resources.bindingPolicies, name, {
    metadata: { uid, resourceVersion },
    spec: { ...removed, ...spec },
  });
}

/** What a Binding sends, and the new spec does not select. What a Binding names is sent, whatever a list shows. */
function lossOf(
  binding: Binding | undefined,
  after: PolicySubject,
): Pick<PolicyChange, 'lost' | 'unknown' | 'removed'> {
  const [wecs, sent] = [destinationsOf(binding), binding === undefined ? [] : objectsOf(binding)];
  if (wecs.length === 0 || sent.length === 0) return { lost: [], unknown: [], removed: { wecs: 0, of: wecs.length } };
  const unknown = [...unseenOf('WECs', after.inventory), ...after.contents.unread];
  const kept = new Set(after.wecs.map(({ metadata }) => metadata.name));
  const leaves = after.inventory.state === 'seen' ? wecs.filter((wec) => !kept.has(wec)) : [];
  const present = new Set(after.objects.map(({ object }) => keyOfCandidate(object)));
  const kindOf = kindNames(after.kinds);
  const dropped = sent
    .filter((each) => !present.has(keyOf(each)) && !unknown.some(({ what }) => what === each.resource))
    .map((each) => describeObject({ kind: kindOf(each) ?? each.resource, metadata: each }));
  const stays = dropped.length === 0 ? [] : wecs.filter((wec) => !leaves.includes(wec));
  const lost = [
    ...leaves.map((wec) => `${count(sent.length, 'object')} to ${wec}`),
    ...stays.map((wec) => `${few(dropped.toSorted()).join(', ')} to ${wec}`),
  ];
  return { lost, unknown, removed: { wecs: lost.length, of: wecs.length } };
}
