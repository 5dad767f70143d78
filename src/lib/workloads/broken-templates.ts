import { mapConcurrently } from '../core/concurrency.ts';
import { tryRead } from '../kube/access.ts';
import { listServed } from '../kube/served.ts';
import type { WecProperties } from '../ocm/customization.ts';
import { effectiveProperties } from '../ocm/customization.ts';
import { describeObject } from '../ocm/object-ref.ts';
import { destinationsOf, objectsOf, type Policy, type Unread } from '../ocm/policies.ts';
import { digestObjects } from './full-objects.ts';
import { selectsWec } from './policy-selectors.ts';
import { templateKeysOf } from './template-keys.ts';

/** A WEC that loses properties, through labels, annotations or its ConfigMap. */
export interface AffectedWec {
  name: string;
  /** Properties that it has before the change and not after it. */
  lost: readonly string[];
  /** Its labels after the change. */
  labels: Readonly<Record<string, string>>;
}

/** A workload object whose template fails after WECs lose properties. KubeStellar then removes every work of its policy. */
export interface BrokenTemplate {
  policy: Policy;
  /** For example `configmaps web/config`. */
  object: string;
  /** The lost properties that it uses. */
  keys: string[];
  /** The WECs that lose them. */
  wecs: string[];
  /** The other WECs whose works of this policy are removed as well. */
  others: string[];
}

/** Returns the properties that a WEC has before a change and not after it, from any source. */
export function lostProperties(name: string, before: WecProperties, after: WecProperties): string[] {
  const keysOf = ({ cluster, configMap }: WecProperties) =>
    effectiveProperties(name, cluster, configMap).map(({ key }) => key);
  const left = new Set(keysOf(after));
  return keysOf(before).filter((key) => !left.has(key));
}

const policiesAtOnce = 4;

/**
 * Returns the workload objects that would fail to expand if WECs lost properties. A WEC that leaves the policy by the same change
 * counts as long as other WECs stay: KubeStellar's transport notices the lost property before the Binding loses the WEC (facts:
 * live records).
 */
export async function brokenByRemoval(
  policies: readonly Policy[],
  wecs: readonly AffectedWec[],
): Promise<{ broken: BrokenTemplate[]; unread: Unread[] }> {
  const concerned = policies.flatMap((policy) => {
    const affected = losingOf(policy, wecs);
    return affected.length === 0 ? [] : [{ policy, losing: affected }];
  });
  const results = await mapConcurrently(concerned, policiesAtOnce, async ({ policy, losing: affected }) => {
    const broken = await tryRead(() => brokenIn(policy, affected));
    if (broken.state === 'seen') return { broken: broken.value, unread: [] };
    return { broken: [], unread: [{ wds: policy.wds, why: `the objects of ${policy.name}: ${broken.why}` }] };
  });
  return {
    broken: results.flatMap(({ broken }) => broken),
    unread: results.flatMap(({ unread }) => unread),
  };
}

/** Returns the WECs whose losses affect a policy: none if all its WECs leave it. */
function losingOf(policy: Policy, wecs: readonly AffectedWec[]): AffectedWec[] {
  const leaving = new Set(wecs.filter(({ name, labels }) => !selectsWec(policy, name, labels)).map(({ name }) => name));
  const destinations = destinationsOf(policy.binding);
  if (destinations.every((name) => leaving.has(name))) return [];
  return wecs.filter(({ name, lost }) => lost.length > 0 && destinations.includes(name));
}

async function brokenIn(policy: Policy, affected: readonly AffectedWec[]): Promise<BrokenTemplate[]> {
  const templates = await readTemplates(policy);
  return templates.flatMap(({ object, asked }) => {
    const hit = affected.filter(({ lost }) => lost.some((key) => asked.has(key)));
    if (hit.length === 0) return [];
    const names = hit.map(({ name }) => name);
    return {
      policy,
      object,
      keys: [...new Set(hit.flatMap(({ lost }) => lost.filter((key) => asked.has(key))))],
      wecs: names,
      others: destinationsOf(policy.binding).filter((name) => !names.includes(name)),
    };
  });
}

/** Reads the objects of a policy's Binding that use properties. */
async function readTemplates({ binding, reader }: Policy): Promise<{ object: string; asked: Set<string> }[]> {
  const served: Parameters<typeof digestObjects>[0] = { list: (...kind) => listServed(reader, ...kind) };
  return digestObjects(served, binding === undefined ? [] : objectsOf(binding), (ref, object) => {
    const asked = templateKeysOf(object);
    return asked.size === 0 ? undefined : { object: describeObject({ kind: ref.resource, metadata: ref }), asked };
  });
}
