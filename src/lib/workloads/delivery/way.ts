import type { Access } from '../../kube/access.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { ManagedCluster } from '../../wecs/objects.ts';
import { keyOf } from '../object-ref.ts';
import { type Binding, type BindingPolicy, type BoundObject, destinationsOf, objectsOf } from '../policies/policy.ts';
import type { Modulation } from '../selection/clauses.ts';
import type { NotSelected } from '../selection/objects.ts';
import type { StatusCollector } from '../status/collector.ts';
import { type DeliveryEvidence, statusKey, type WorkStatus } from './evidence.ts';
import type { SentObject } from './works.ts';

/** An object of a WDS that is followed. */
export interface FollowedObject {
  group: string;
  version: string;
  resource: string;
  kind: string;
  namespace?: string | undefined;
  name: string;
  /** Undefined where the WDS does not have it. */
  object: KubeObject | undefined;
  /** The policies that select it now, with what they ask for. */
  selectedBy: ReadonlyMap<string, Modulation>;
  /** Why none does. */
  notSelected: NotSelected | undefined;
}

/** One way of an object: by one policy to one WEC, with what is seen of each link. */
export interface Way {
  of: FollowedObject;
  evidence: Pick<DeliveryEvidence, 'wds' | 'its' | 'now'>;
  /** Its name; undefined where none selects the object. A Binding without a policy has one as well. */
  policyName: string | undefined;
  policy: BindingPolicy | undefined;
  binding: Binding | undefined;
  bound: BoundObject | undefined;
  /** Undefined where the policy selects none. */
  wec: string | undefined;
  cluster: Access<ManagedCluster | undefined>;
  sent: Access<SentObject | undefined>;
  workStatus: Access<WorkStatus | undefined>;
  /** What is asked for beside sending it. */
  modulation: Modulation;
  /** Those that are asked for, by name; undefined for one that is not there. */
  collectors: ReadonlyMap<string, StatusCollector | undefined>;
  isCombined: boolean;
  /** Where its work has not what templates and transforms give today, where that was looked at. */
  stale?: string;
  /** How many WECs the policy sends it to. */
  wecs: number;
}

/** The ways of an object: one for each policy and WEC, or one that tells where it ends before that. */
export function waysOf(of: FollowedObject, evidence: DeliveryEvidence): Way[] {
  const key = keyOf({ ...of, namespace: of.namespace ?? '' });
  const isOf = (bound: BoundObject) => keyOf(bound) === key;
  const bound = new Map(
    [...evidence.bindings.values()].flatMap((binding) => {
      const found = objectsOf(binding).find(isOf);
      return found === undefined ? [] : [[binding.metadata.name, found] as const];
    }),
  );
  const names = new Set([...of.selectedBy.keys(), ...bound.keys()]);
  if (names.size === 0) return [wayOf(of, evidence, undefined, undefined, undefined)];
  return [...names].sort().flatMap((name) => {
    const wecs = destinationsOf(evidence.bindings.get(name));
    const places: (string | undefined)[] = wecs.length === 0 ? [undefined] : wecs;
    return places.map((wec) => wayOf(of, evidence, name, bound.get(name), wec));
  });
}

function wayOf(
  of: FollowedObject,
  evidence: DeliveryEvidence,
  policyName: string | undefined,
  bound: BoundObject | undefined,
  wec: string | undefined,
): Way {
  const { policies, bindings, inventory, works, workStatuses, collectors, combined } = evidence;
  const binding = policyName === undefined ? undefined : bindings.get(policyName);
  const modulation = bound ?? of.selectedBy.get(policyName ?? '') ?? {};
  const known = <T, U>(access: Access<T>, read: (value: T, at: string) => U) => mapped(access, wec, read);
  return {
    ...{ of, evidence, policyName, binding, bound, wec, modulation },
    policy: policies.find(({ metadata }) => metadata.name === policyName),
    cluster: known(inventory, (clusters, at) => clusters.get(at)),
    sent: known(works, (all, at) => all.find(policyName ?? '', at, of)),
    workStatus: known(workStatuses, (all, at) => all.get(statusKey(at, { ...of, namespace: of.namespace ?? '' }))),
    collectors: new Map((modulation.statusCollectors ?? []).map((name) => [name, collectors.get(name)])),
    isCombined: combined.has(`${keyOf({ ...of, namespace: of.namespace ?? '' })} ${policyName}`),
    wecs: destinationsOf(binding).length,
  };
}

function mapped<T, U>(
  access: Access<T>,
  wec: string | undefined,
  read: (value: T, wec: string) => U,
): Access<U | undefined> {
  if (access.state !== 'seen') return access;
  return { state: 'seen', value: wec === undefined ? undefined : read(access.value, wec) };
}
