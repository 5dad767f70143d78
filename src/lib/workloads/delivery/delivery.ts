import { type Access, ifSeen, seen } from '../../kube/access.ts';
import { conditionOf, isLiving, type KubeObject } from '../../kube/client/objects.ts';
import {
  type Binding,
  type BindingPolicy,
  type BoundObject,
  destinationsOf,
  type KindRef,
  type Modulation,
} from '../../ocm/model/kubestellar-names.ts';
import { keyOf } from '../../ocm/model/object-ref.ts';
import type { ManagedCluster } from '../../ocm/model/ocm-objects.ts';
import { selectsLabels } from '../selection/label-selectors.ts';
import type { NamespaceLabels } from '../selection/select-objects.ts';
import { statusKey, type WorkStatus } from '../status/returned-status.ts';
import type { DeliveryEvidence } from './delivery-evidence.ts';
import type { SentObject } from './works.ts';

/** The object of a WDS whose delivery is judged. */
export interface FollowedObject extends KindRef {
  namespace?: string | undefined;
  name: string;
  /** Undefined if the WDS does not have it. */
  object: KubeObject | undefined;
  /** Why it could not be read; undefined if it was read or not found. */
  unread?: string | undefined;
  /** The policies that select it now, with the modulation that they request. */
  selectedBy: ReadonlyMap<string, Modulation>;
  /** The labels of Namespaces, including its own. */
  namespaces: NamespaceLabels;
}

/** The delivery of an object by one policy to one WEC, with the evidence of each stage. */
export interface Delivery {
  of: FollowedObject;
  evidence: DeliveryEvidence;
  /** The policy's name; undefined if no policy selects the object. Also set for a Binding without a policy. */
  policyName: string | undefined;
  policy: BindingPolicy | undefined;
  binding: Binding | undefined;
  bound: BoundObject | undefined;
  /** Undefined if the policy selects no WEC. */
  wec: string | undefined;
  /** Whether the Binding names that WEC. The policy may select others now. */
  isBound: boolean;
  cluster: Access<ManagedCluster | undefined>;
  sent: Access<SentObject | undefined>;
  /** An earlier WEC in the Binding that has no mailbox: the transport stops there. */
  stoppedAt: string | undefined;
  workStatus: Access<WorkStatus | undefined>;
  /** The context that is proven to lead to the WEC, and the generation of the object there. */
  context?: string | undefined;
  generation?: number | undefined;
  /** What the policy requests besides sending the object. */
  modulation: Modulation;
}

/** Returns the deliveries of an object: one for each policy and WEC, or one that shows where delivery stops before that. */
export function deliveriesOf(of: FollowedObject, evidence: DeliveryEvidence): Delivery[] {
  const binding = evidence.bound.get(keyOf(of))?.keys() ?? [];
  const names = [...new Set([...of.selectedBy.keys(), ...binding])].sort();
  const deliveries = names.flatMap((policyName) => {
    const wecs = wecsOfPolicy(policyName, evidence);
    return (wecs.length === 0 ? [undefined] : wecs).map((wec) =>
      deliveryOf(of, evidence, policyName, wec),
    );
  });
  return deliveries.length === 0 ? [deliveryOf(of, evidence)] : deliveries;
}

/** Returns the WECs that a Binding names and those that its policy selects now: KubeStellar can miss label changes of WECs. */
function wecsOfPolicy(name: string, { bindings, policies, inventory }: DeliveryEvidence): string[] {
  const binding = bindings.get(name);
  const policy = policies.filter(isLiving).find(({ metadata }) => metadata.name === name);
  const named = destinationsOf(binding);
  if (binding === undefined || policy === undefined) return named;
  const selected = [...(ifSeen(inventory) ?? new Map<string, ManagedCluster>())].flatMap(
    ([wec, { metadata }]) =>
      selectsLabels(policy.spec?.clusterSelectors ?? [], metadata.labels ?? {}) ? wec : [],
  );
  return [...new Set([...named, ...selected])].sort();
}

function deliveryOf(
  of: FollowedObject,
  evidence: DeliveryEvidence,
  policyName?: string,
  wec?: string,
): Delivery {
  const { policies, bindings, inventory, works, workStatuses } = evidence;
  const binding = bindings.get(policyName ?? '');
  const bound = evidence.bound.get(keyOf(of))?.get(policyName ?? '');
  const known = <T, U>(access: Access<T>, read: (value: T, at: string) => U) =>
    access.state === 'seen'
      ? seen(wec === undefined ? undefined : read(access.value, wec))
      : access;
  return {
    of,
    evidence,
    policyName,
    binding,
    bound,
    wec,
    modulation: bound ?? of.selectedBy.get(policyName ?? '') ?? {},
    isBound: wec !== undefined && destinationsOf(binding).includes(wec),
    policy: policies.find(({ metadata }) => metadata.name === policyName),
    cluster: known(inventory, (clusters, at) => clusters.get(at)),
    sent: known(works, (all, at) => all.find(policyName ?? '', at, of)),
    stoppedAt: wec === undefined ? undefined : stopBefore(wec, binding, inventory),
    workStatus: known(workStatuses, (all, at) => all.get(statusKey(at, of))),
  };
}

/**
 * The transport processes the WECs in the order of the Binding, and stops at the first one for which it cannot write a work
 * (kubestellar v0.30.0, pkg/transport/generic, propagateWrappedObjectToClusters).
 */
function stopBefore(
  wec: string,
  binding: Binding | undefined,
  inventory: DeliveryEvidence['inventory'],
) {
  const wecs = destinationsOf(binding);
  return wecs.slice(0, Math.max(0, wecs.indexOf(wec))).find((other) => {
    const cluster = ifSeen(inventory)?.get(other);
    return cluster !== undefined && !hasMailbox(cluster);
  });
}

/**
 * Whether an ITS has created a mailbox for a WEC. The ITS creates it when the WEC is first accepted, and keeps it if the WEC is
 * denied later (ocm v1.3.1, pkg/registration/hub/managedcluster).
 */
export const hasMailbox = (wec: ManagedCluster): boolean =>
  wec.spec?.hubAcceptsClient === true ||
  conditionOf(wec, 'HubAcceptedManagedCluster') !== undefined;
