import { isDeepStrictEqual } from 'node:util';
import { few } from '../core/text/words.ts';
import { whyUnseen } from '../kube/access.ts';
import { byName, namesOf, resources } from '../kube/client/objects.ts';
import { listServed } from '../kube/served.ts';
import {
  type Binding,
  type BindingPolicy,
  destinationsOf,
  originBindingLabel,
} from '../ocm/model/kubestellar-names.ts';
import type { ManifestWork } from '../ocm/model/manifest-works.ts';
import { keyOf, keyOfCandidate } from '../ocm/model/object-ref.ts';
import type { Wds } from '../spaces/choose/open-wds.ts';
import type { RestartNote } from '../spaces/space/controllers-run.ts';
import { evaluate } from '../workloads/selection/policy-subject.ts';
import { hasProbe, isProbe, noteBindings, usersObjects } from './restart-plan.ts';

/**
 * Compares the Bindings of a WDS with a note, and what is not in the note or differs with what its policy selects now: all that its
 * policies select, and all that has works.
 * @returns what is wrong with the first that equals neither, a clause; undefined if all are right
 */
export async function unprovenBinding(
  wds: Wds,
  { bindings: noted }: RestartNote,
  bindings: readonly Binding[],
  works: readonly ManifestWork[],
) {
  // As in the note, without the Bindings that list nothing.
  const present = noteBindings(bindings);
  const policies = (await listServed<BindingPolicy>(wds.kube, resources.bindingPolicies)).filter(
    ({ metadata }) => !isProbe(metadata),
  );
  const withWorks = works.flatMap(({ metadata }) => metadata.labels?.[originBindingLabel] ?? []);
  const named = namesOf(policies);
  for (const name of new Set([
    ...Object.keys(noted),
    ...Object.keys(present),
    ...named,
    ...withWorks,
  ])) {
    // A policy may be called as what every object inherits.
    const isListed = Object.hasOwn(present, name);
    if (isListed && isDeepStrictEqual(present[name], noted[name])) continue;
    const policy = policies.find(
      ({ metadata }) => metadata.name === name && !metadata.deletionTimestamp,
    );
    const binding = byName(bindings).get(name);
    const isDeleted = policy === undefined && !isListed;
    const why = isDeleted ? undefined : await whyWrong(name, policy, binding, wds);
    if (why !== undefined) return `Binding ${name} ${why}`;
  }
  return undefined;
}

async function whyWrong(
  name: string,
  policy: BindingPolicy | undefined,
  binding: Binding | undefined,
  wds: Wds,
) {
  if (policy === undefined) return 'has changed, and its policy is deleted';
  const { contents, objects, inventory, wecs } = await evaluate(name, policy.spec ?? {}, wds);
  const unseen = contents.unread[0]?.why ?? whyUnseen(inventory);
  if (unseen !== undefined)
    return `may lack something, and what its policy selects cannot be read: ${unseen}`;
  const isUsers = ({ object: { metadata } }: (typeof objects)[number]) => !hasProbe({ metadata });
  const selected = objects.filter(isUsers).map(({ object }) => keyOfCandidate(object));
  const bound = binding === undefined ? [] : usersObjects(binding);
  const destinations = destinationsOf(binding);
  const sends = (what: readonly unknown[], where: readonly unknown[]) =>
    what.length > 0 && where.length > 0;
  if (!sends(selected, wecs) && !sends(bound, destinations)) return undefined;
  const wanted = new Set([...selected, ...wecs.map(({ metadata }) => `WEC ${metadata.name}`)]);
  const found = new Set([...bound.map(keyOf), ...destinations.map((wec) => `WEC ${wec}`)]);
  const lacking = [...wanted].filter((key) => !found.has(key));
  const others = [...found].filter((key) => !wanted.has(key));
  if (lacking.length > 0) return `lacks ${firstKeys(lacking)}`;
  return others.length > 0
    ? `lists ${firstKeys(others)}, which its policy does not select`
    : undefined;
}

/** Objects as `apps/deployments/shop/web`. */
export const firstKeys = (keys: readonly string[]) =>
  few(keys.map((key) => key.split('/').filter(Boolean).join('/'))).join(', ');
