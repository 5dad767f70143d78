import { isDeepStrictEqual } from 'node:util';
import { count, few } from '../../engine/counts.ts';
import { forName } from '../../engine/each-name.ts';
import { type Confirm, readConfirmed } from '../../engine/read-confirmed.ts';
import type { Run } from '../../engine/run.ts';
import { resources } from '../../kube/resources.ts';
import { describeObject, keyOf } from '../../model/object-ref.ts';
import type { BindingPolicy, PolicySpec } from '../../model/policies.ts';
import type { OpenWds } from '../../spaces/open-wds.ts';
import { type Explanation, explanationOf } from '../explain/explain.ts';
import { evaluate, getPolicy, type PolicySubject } from '../explain/subject.ts';
import type { WdsObject } from '../wds/contents.ts';
import { type PolicyResult, policyOf, refuseSystemObjects } from './create-policy.ts';

/** What a policy does, and what its change no longer sends. */
export interface PolicyChange {
  name: string;
  present: BindingPolicy | undefined;
  explanation: Explanation;
  /** What is no longer sent, a line for each WEC: it is deleted there unless another policy sends it. */
  lost: string[];
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
    const isOther = present !== undefined && !isDeepStrictEqual(present.spec, spec);
    const lost = isOther ? lostBy(await evaluate(name, present.spec ?? {}, wds), after) : [];
    return { name, present, explanation, lost };
  };
  const { present, explanation } = await readConfirmed({ read, losses: ({ lost }) => lost, confirm });
  const { wecs, objects, problems } = explanation;
  const result: PolicyResult = { name, wds: wds.name, wecs, objects, problems, changed: false };
  return forName(result, run, async () => {
    if (present === undefined) await wds.kube.apply(policyOf(name, spec));
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

const keyOfObject = ({ group, resource, metadata: { namespace, name } }: WdsObject) =>
  keyOf({ group, resource, namespace, name });

/** What the new spec no longer selects. */
function lostBy(before: PolicySubject, after: PolicySubject): string[] {
  const namesOf = ({ wecs }: PolicySubject) => wecs.map(({ metadata }) => metadata.name);
  const kept = new Set(namesOf(after));
  const present = new Set(after.objects.map(({ object }) => keyOfObject(object)));
  const dropped = before.objects.flatMap(({ object }) =>
    present.has(keyOfObject(object)) ? [] : describeObject(object),
  );
  const everything = count(before.objects.length, 'object');
  const [stays, leaves] = [
    namesOf(before).filter((name) => kept.has(name)),
    namesOf(before).filter((name) => !kept.has(name)),
  ];
  return [
    ...(before.inventory.state === 'seen'
      ? []
      : [`unknown, because the WECs are not visible: ${before.inventory.why}`]),
    ...(before.objects.length === 0 ? [] : leaves.map((name) => `${everything} to ${name}`)),
    ...(dropped.length === 0 ? [] : stays.map((name) => `${few(dropped.toSorted()).join(', ')} to ${name}`)),
  ];
}
