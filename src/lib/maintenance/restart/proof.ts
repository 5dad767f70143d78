import { isDeepStrictEqual } from 'node:util';
import { whyUnseen } from '../../kube/access.ts';
import { resources } from '../../kube/resources.ts';
import { listServed } from '../../kube/served.ts';
import { keyOf, keyOfCandidate } from '../../model/object-ref.ts';
import { type Binding, type BindingPolicy, destinationsOf } from '../../model/policies.ts';
import type { OpenWds } from '../../spaces/open-wds.ts';
import { noteBinding, type RestartNote } from '../../spaces/restart-note.ts';
import { evaluate } from '../../workloads/explain/subject.ts';
import { hasProbe, usersObjects } from './probe.ts';

/**
 * Compares the Bindings of a WDS with a note, and what differs with what its policy selects now.
 * @returns what is wrong with the first that equals neither, a clause; undefined if all are right
 */
export async function wrongBinding(
  wds: OpenWds,
  { bindings: noted }: RestartNote,
  bindings: readonly Binding[],
): Promise<string | undefined> {
  // The note has no Bindings that list nothing.
  const listing = bindings.filter((binding) => usersObjects(binding).length > 0);
  const present = new Map(listing.map((binding) => [binding.metadata.name, binding]));
  const contentOf = (binding: Binding | undefined) => binding && noteBinding(binding, usersObjects(binding));
  const names = new Set([...Object.keys(noted), ...present.keys()]);
  const changed = [...names].filter((name) => !isDeepStrictEqual(contentOf(present.get(name)), noted[name]));
  if (changed.length === 0) return undefined;
  const policies = await listServed<BindingPolicy>(wds.kube, resources.bindingPolicies);
  for (const name of changed) {
    const policy = policies.find(({ metadata }) => metadata.name === name && !metadata.deletionTimestamp);
    const binding = present.get(name) ?? bindings.find(({ metadata }) => metadata.name === name);
    const isDeleted = policy === undefined && !present.has(name);
    const why = isDeleted ? undefined : await whyWrong(name, policy, binding, wds);
    if (why !== undefined) return `Binding ${name} ${why}`;
  }
  return undefined;
}

async function whyWrong(name: string, policy: BindingPolicy | undefined, binding: Binding | undefined, wds: OpenWds) {
  if (policy === undefined) return 'has changed, and its policy is deleted';
  const { contents, objects, inventory, wecs } = await evaluate(name, policy.spec ?? {}, wds);
  const unseen = contents.unread[0]?.why ?? whyUnseen(inventory);
  if (unseen !== undefined) return `has changed, and what its policy selects cannot be read: ${unseen}`;
  const isUsers = ({ object: { metadata } }: (typeof objects)[number]) => !hasProbe({ metadata });
  const selected = objects.filter(isUsers).map(({ object }) => keyOfCandidate(object));
  const wanted = new Set([...selected, ...wecs.map(({ metadata }) => `WEC ${metadata.name}`)]);
  const bound = binding === undefined ? [] : usersObjects(binding).map(keyOf);
  const found = new Set([...bound, ...destinationsOf(binding).map((wec) => `WEC ${wec}`)]);
  const lacking = [...wanted].filter((key) => !found.has(key));
  const others = [...found].filter((key) => !wanted.has(key));
  if (lacking.length > 0) return `lacks ${firstKeys(lacking)}`;
  return others.length > 0 ? `lists ${firstKeys(others)}, which its policy does not select` : undefined;
}

/** Objects as `apps/deployments/shop/web`; at most five. */
const firstKeys = (keys: readonly string[]): string => {
  const named = keys.slice(0, 5).map((key) => key.split('/').filter(Boolean).join('/'));
  return [...named, ...(keys.length > 5 ? [`${keys.length - 5} more`] : [])].join(', ');
};
