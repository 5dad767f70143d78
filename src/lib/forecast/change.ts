import type { WecChange } from './wec-change.ts';
import type { BoundView } from './world.ts';

/** What is to be changed. */
export interface Change {
  /** WECs whose labels, annotations or properties change, or that are accepted. */
  wecs?: readonly WecChange[];
  policies?: readonly PolicyChange[];
  /** WECs that are deregistered. */
  leaving?: readonly LeavingWec[];
  /** StatusCollectors that are created. */
  collectors?: readonly { wds: string; name: string }[];
  transforms?: readonly TransformChange[];
}

/** A CustomTransform that is created or deleted. */
export interface TransformChange {
  wds: string;
  name: string;
  /** The kind whose objects it changes. */
  group: string;
  /** Plural. */
  resource: string;
}

interface LeavingWec {
  name: string;
  /** Whether what runs on it stays: its works are orphaned, or no agent is there that would delete their objects. */
  keepsWorkloads: boolean;
}

/** A policy that is created, changed or deleted. */
export interface PolicyChange {
  wds: string;
  name: string;
  /** Null if it is deleted. */
  after: Sends | null;
  /** Whether its works leave their objects on the WECs. */
  keepsWorkloads?: boolean | undefined;
}

/** What a policy sends after a change. */
export interface Sends {
  /** Undefined if they stay as they are. */
  wecs?: readonly SelectedWec[];
  objects: readonly BoundView[];
  /** Why nothing of it is sent to any WEC, a clause: one object that cannot be sent keeps all others (kubestellar 0.30.0). */
  stops?: string | undefined;
  /** What it may send besides, and could not be read. */
  unread: readonly UnreadKind[];
}

interface SelectedWec {
  name: string;
  /** Whether works can be sent to it: its mailbox exists once it is accepted. */
  isAccepted: boolean;
}

/** The group of a kind that is known by its plural only. */
export const anyGroup = '*';

/** What could not be read, and may be selected. */
export interface UnreadKind {
  /** Whose objects they are: null for all of a group, or for WECs. */
  kind: string | null;
  /** `anyGroup` if it is not known; null if it is WECs that could not be read. */
  group: string | null;
  /** A clause, such as `deployments could not be read: it is forbidden`. */
  why: string;
}

/** Why objects are removed or stay, where whoever sees it has asked for that. */
export const policyDeleted = 'its policy is deleted';
export const withoutOwner = 'without an owner';
