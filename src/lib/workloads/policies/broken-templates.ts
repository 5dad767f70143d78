import { mapConcurrently } from '../../engine/concurrency.ts';
import { reading } from '../../kube/access.ts';
import { effectiveProperties } from '../../wecs/customization.ts';
import type { WecProperties } from '../../wecs/properties.ts';
import { digestObjects } from '../wds/full-objects.ts';
import { type BoundObject, destinationsOf, objectsOf, type Policy, type Unread } from './policy.ts';
import { selectsWec } from './selectors.ts';
import { templateKeysOf } from './template-keys.ts';

/** A WEC that loses properties, by labels, annotations or its ConfigMap. */
export interface LosingWec {
  name: string;
  /** Properties that it has and will not have. */
  lost: readonly string[];
  /** The labels that it will have. */
  labels: Readonly<Record<string, string>>;
}

/** A workload object whose template fails once WECs have lost properties: KubeStellar then removes every work of its policy. */
export interface BrokenTemplate {
  policy: Policy;
  /** As `configmaps web/config`. */
  object: string;
  /** The properties that it asks for and that are lost. */
  keys: string[];
  /** The WECs that lose them. */
  wecs: string[];
  /** The other WECs whose works of this policy go as well. */
  others: string[];
  /** The WECs leave the policy by the same change: the others get their works again, made anew. */
  briefly: boolean;
}

/** The properties that a WEC has before a change and not after it, whatever source they come from. */
export function lostProperties(name: string, before: WecProperties, after: WecProperties): string[] {
  const keysOf = ({ cluster, configMap }: WecProperties) =>
    effectiveProperties(name, cluster, configMap).map(({ key }) => key);
  const left = new Set(keysOf(after));
  return keysOf(before).filter((key) => !left.has(key));
}

const policiesAtOnce = 4;

/**
 * Which workload objects would fail to expand if WECs lost properties. One that leaves the policy by the same change counts as long as
 * other WECs stay: KubeStellar's transport notices the lost property before the Binding loses the WEC (facts: live records).
 */
export async function brokenByRemoval(
  policies: readonly Policy[],
  wecs: readonly LosingWec[],
): Promise<{ broken: BrokenTemplate[]; unread: Unread[] }> {
  const concerned = policies.flatMap((policy) => {
    const losing = losingOf(policy, wecs);
    return losing.length === 0 ? [] : [{ policy, losing }];
  });
  const results = await mapConcurrently(concerned, policiesAtOnce, async ({ policy, losing }) => {
    const broken = await reading(() => brokenIn(policy, losing));
    if (broken.state === 'seen') return { broken: broken.value, unread: [] };
    return { broken: [], unread: [{ wds: policy.wds, why: `the objects of ${policy.name}: ${broken.why}` }] };
  });
  return {
    broken: results.flatMap(({ broken }) => broken),
    unread: results.flatMap(({ unread }) => unread),
  };
}

/** The WECs whose losses matter to a policy: nothing is lost to anybody where all its WECs leave it. */
function losingOf(policy: Policy, wecs: readonly LosingWec[]): LosingWec[] {
  const leaving = new Set(wecs.filter(({ name, labels }) => !selectsWec(policy, name, labels)).map(({ name }) => name));
  const destinations = destinationsOf(policy.binding);
  if (destinations.every((name) => leaving.has(name))) return [];
  return wecs.filter(({ name, lost }) => lost.length > 0 && destinations.includes(name));
}

async function brokenIn(policy: Policy, losing: readonly LosingWec[]): Promise<BrokenTemplate[]> {
  const templates = await readTemplates(policy);
  return templates.flatMap(({ object, asked }) => {
    const hit = losing.filter(({ lost }) => lost.some((key) => asked.has(key)));
    if (hit.length === 0) return [];
    const names = hit.map(({ name }) => name);
    return {
      policy,
      object,
      keys: [...new Set(hit.flatMap(({ lost }) => lost.filter((key) => asked.has(key))))],
      wecs: names,
      others: destinationsOf(policy.binding).filter((name) => !names.includes(name)),
      briefly: hit.every(({ name, labels }) => !selectsWec(policy, name, labels)),
    };
  });
}

/** The objects of a policy's Binding that ask for properties. */
async function readTemplates({ binding, reader }: Policy): Promise<{ object: string; asked: Set<string> }[]> {
  return digestObjects(reader, binding === undefined ? [] : objectsOf(binding), (ref, object) => {
    const asked = templateKeysOf(object);
    return asked.size === 0 ? undefined : { object: describeBound(ref), asked };
  });
}

const describeBound = ({ resource, namespace, name }: BoundObject): string =>
  `${resource} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
