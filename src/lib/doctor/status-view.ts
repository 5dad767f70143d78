import type { ErrorReport } from '../core/errors.ts';
import type { Diagnosis } from '../core/next-step.ts';
import type { Standing } from '../core/stages.ts';
import type { RunningVersion } from '../ocm/running-versions.ts';
import type { SpaceListItem } from '../spaces/list-spaces.ts';
import type { WecListItem } from '../wecs/list.ts';
import type { PolicyProblem } from '../workloads/policy-problems.ts';
import type { SentCounts } from '../workloads/sent-counts.ts';

/** A whole installation. The fields of this type and its parts are an interface: docs/output.md. */
export interface StatusView {
  /** Null if the selected cluster is not a hosting cluster: then the view has only the chosen ITS. */
  hosting: HostingStatus | null;
  itses: ItsStatus[];
  wdses: WdsStatus[];
}

export interface HostingStatus {
  /** Its context. */
  name: string;
  server: string;
  /** The version of the running manager; null if it is not visible. */
  kubeflexVersion: string | null;
  /** The KubeStellar version in the installed hooks, which new spaces get; null if it is not visible. */
  hooksVersion: string | null;
  versions: RunningVersion[];
  /** Whether a user must act. */
  problem: boolean;
  /** What it waits for, or what is wrong; empty if all is well. */
  reason: string;
}

/** The common fields of ITSes and WDSes, and where they are, as far as the hosting cluster shows it. */
export interface SpaceStatus extends Omit<SpaceListItem, 'type' | 'created' | 'its'> {
  /** Null for an ITS that is not a control plane of the hosting cluster. */
  type: string | null;
  server: string | null;
  /** RFC 3339; null if KubeFlex does not know it. */
  created: string | null;
  /** Why the reading of its inside failed. */
  error?: ErrorReport;
  /** Why its inside could not be read, although nothing is wrong with it. */
  notVisible?: string;
  /** What is wrong with the contexts of the kubeconfig that lead to it, if its inside was read without them. */
  contextProblem?: Diagnosis;
}

export interface ItsStatus extends SpaceStatus {
  /** The version of most OCM components that run there; null if it is not visible. */
  ocmVersion: string | null;
  versions: RunningVersion[];
  /** Null if it was not checked. */
  webhook: WebhookStatus | null;
  /** Null if they are not visible. */
  wecs: WecStatus[] | null;
}

/** Whether a hub's admission accepts ManagedClusters. */
export interface WebhookStatus {
  /** Null if this user may not try. */
  answers: boolean | null;
  /** Why it does not answer, or why that is unknown; empty if it answers. */
  why: string;
  /** The command that helps if it does not answer. */
  next: string | null;
}

export interface WecStatus
  extends Standing,
    Pick<WecListItem, 'name' | 'available' | 'state' | 'problem' | 'reason' | 'labels'> {
  /** Whether a registration request waits for a decision. */
  pending: boolean;
  /** What WDSes send to it; null if this user may not read works. */
  workloads: SentCounts[] | null;
}

export interface WdsStatus extends SpaceStatus {
  /** The ITS that it sends its workloads through; null if that is ambiguous. */
  its: string | null;
  versions: RunningVersion[];
  /** The number of its binding policies; null if they are not visible. */
  bindingPolicies: number | null;
  /** Those that cannot work as they are, and why; null if they are not visible. What is sent shows at the WECs. */
  failedPolicies: { name: string; why: string }[] | null;
  /** The number of objects that these select, each counted once. */
  objects: number | null;
  /** Whether its guard keeps workloads running whenever its controllers start; null if that is not visible. */
  guarded: boolean | null;
  /** Warnings about WECs that its policies do not select. */
  problems: PolicyProblem[];
}
