import type { Reader } from '../../kube/client/client.ts';
import type { Binding, LabelSelector } from './objects.ts';

/** A BindingPolicy that sends workloads through one ITS. */
export interface Policy {
  /** The WDS that holds it. */
  wds: string;
  /** The context of the kubeconfig that leads to that WDS, where one does. */
  context: string | undefined;
  name: string;
  clusterSelectors: readonly LabelSelector[];
  /** What KubeStellar has found it to select; undefined as long as it has not looked. */
  binding: Binding | undefined;
  /** A Binding without its BindingPolicy, as `kubectl delete --cascade=orphan` leaves it: its WECs stay, whatever their labels. */
  orphaned: boolean;
  /** The WDS. */
  reader: Reader;
}

/** A WDS, or a part of it, that could not be read. */
export interface Unread {
  wds: string;
  why: string;
}

/** The policies of an ITS, as far as they could be read. */
export interface PoliciesOfIts {
  policies: Policy[];
  unread: Unread[];
}

/** As `nginx-policy (wds1)`. */
export const describePolicy = ({ name, wds }: Pick<Policy, 'name' | 'wds'>): string => `${name} (${wds})`;
