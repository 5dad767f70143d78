import type { ErrorReport } from '../engine/errors.ts';
import type { Standing } from '../engine/stages.ts';
import type { SpaceListItem } from '../spaces/list-spaces.ts';
import type { RunningVersion } from '../versions/running.ts';
import type { WecListItem } from '../wecs/list.ts';
import type { SentCounts } from '../workloads/delivery/sent-counts.ts';

/** A whole installation. The fields of this and of what it consists of are an interface: docs/output.md. */
export interface StatusView {
  /** Null where the cluster that is meant is no hosting cluster: then there is nothing but the ITS that was chosen. */
  hosting: HostingStatus | null;
  itses: ItsStatus[];
  wdses: WdsStatus[];
}

export interface HostingStatus {
  /** Its context. */
  name: string;
  server: string;
  /** That of the manager that runs; null where it cannot be seen. */
  kubeflexVersion: string | null;
  /** That of KubeStellar in the installed hooks, which spaces that are created now get; null where it cannot be seen. */
  hooksVersion: string | null;
  versions: RunningVersion[];
  /** Whether somebody has to do something. */
  problem: boolean;
  /** What is awaited, or what is wrong; empty when all is well. */
  reason: string;
}

/** What is the same of ITSes and WDSes; where they are, as far as the hosting cluster shows it. */
export interface SpaceStatus extends Omit<SpaceListItem, 'type' | 'created' | 'its'> {
  /** Null for an ITS that is no control plane of the hosting cluster. */
  type: string | null;
  server: string | null;
  /** RFC 3339; null where KubeFlex does not know it. */
  created: string | null;
  /** Why the look into it failed. */
  error?: ErrorReport;
  /** Why it could not be looked into, though nothing speaks against it. */
  notVisible?: string;
}

export interface ItsStatus extends SpaceStatus {
  /** Of OCM's components that run there, that of most; null where it cannot be seen. */
  ocmVersion: string | null;
  versions: RunningVersion[];
  /** Null where it was not looked into. */
  webhook: WebhookStatus | null;
  /** Null where they cannot be seen. */
  wecs: WecStatus[] | null;
}

/** Whether a hub's admission lets ManagedClusters through. */
export interface WebhookStatus {
  /** Null where this user may not try. */
  answers: boolean | null;
  /** Why it does not, or why that is unknown; empty where it answers. */
  why: string;
  /** The command that helps, where it does not. */
  next: string | null;
}

export interface WecStatus extends Standing, Pick<WecListItem, 'name' | 'available' | 'state' | 'problem' | 'reason'> {
  /** Whether a registration request waits for a decision. */
  pending: boolean;
  /** What WDSes send to it; null where this user may not see works. */
  workloads: SentCounts[] | null;
}

export interface WdsStatus extends SpaceStatus {
  /** The ITS that it sends its workloads through; null where that is not clear. */
  its: string | null;
  versions: RunningVersion[];
  /** How many binding policies it has; null where they cannot be seen. */
  bindingPolicies: number | null;
  /** How many objects these select, each counted once. */
  objects: number | null;
}
