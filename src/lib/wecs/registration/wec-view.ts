import { rfc3339 } from '../../core/deadline.ts';
import type { Diagnosis } from '../../core/next-step.ts';
import type { StageView, Standing } from '../../core/stages.ts';
import type { Condition } from '../../kube/client/objects.ts';
import type { RegistrationRequest } from '../../ocm/hub/registration-requests.ts';
import type { EffectiveProperty } from '../../ocm/model/customization.ts';
import type { RunningVersion } from '../../ocm/versions/running-versions.ts';

/** All evidence of one WEC. The fields are an interface: docs/output.md. */
export interface WecView extends Standing {
  name: string;
  /** The context of the ITS. */
  its: string;
  created: string | null;
  kubernetesVersion: string | null;
  /** The agent that has its certificate. */
  agent: { id: string | null };
  /** Of the operator and the agents. */
  versions: RunningVersion[];
  stages: StageView[];
  conditions: ConditionView[];
  labels: Record<string, string>;
  properties: EffectiveProperty[];
  /** Null until the ITS has created one. */
  mailbox: Mailbox | null;
  /** Renewal: from an agent that requests its next certificate. */
  requests: (RequestView & { renewal: boolean })[];
  /** Overdue: at least one renewal has failed, but the ITS still reports the WEC as available. */
  lease: { renewed: string | null; durationSeconds: number; overdue: boolean } | null;
  /** Null if it was not read or could not be read. */
  wec: WecSide | null;
  /** What could not be read, and why. */
  notVisible: { what: string; on: string; why: string }[];
  /** The problem, or what the WEC waits for, in a sentence with the next commands; null if all is well. */
  diagnosis: Diagnosis | null;
}

export type ConditionView = ReturnType<typeof conditionViews>[number];

export interface Mailbox {
  namespace: string;
  /** Works by their origin. */
  works: WorkGroup[];
  addons: { name: string; available: boolean | null; reason: string }[];
}

export interface WorkGroup {
  /** The WDS and the binding policy, for works of KubeStellar. */
  wds: string | null;
  binding: string | null;
  /** The add-on, for works of an add-on. */
  addon: string | null;
  count: number;
  /** Works that the agent could not apply, each with its message, and since when; null if it does not report that. */
  failed: { name: string; message: string; since: string | null }[];
}

export interface WecSide {
  context: string;
  klusterlet: {
    clusterName: string | null;
    mode: string | null;
    hub: string | null;
    conditions: ConditionView[];
  } | null;
  pods: PodView[];
}

export interface PodView {
  namespace: string;
  name: string;
  phase: string;
  ready: boolean;
  restarts: number;
  /** Why a container does not start, with the container's own message. */
  waitingReason: string | null;
  images: string[];
}

/** Conditions for which True is a problem; for all others True is good. */
const isNegative = (type: string): boolean => type.endsWith('Degraded');

const byType = (a: Condition, b: Condition) => (a.type < b.type ? -1 : 1);

/** Sorted by type: OCM's controllers append theirs in whatever order they come to it. */
export function conditionViews(conditions: readonly Condition[] = []) {
  return conditions
    .toSorted(byType)
    .map(({ type, status, reason = '', message = '', lastTransitionTime }) => ({
      type,
      status,
      reason,
      message,
      since: lastTransitionTime ?? null,
      /** Whether its status is the healthy one. */
      healthy: status === (isNegative(type) ? 'False' : 'True'),
    }));
}

/** A request in the output for scripts: docs/output.md. */
export type RequestView = ReturnType<typeof requestView>;

export const requestView = ({ name, agent, state, created }: RegistrationRequest) => ({
  name,
  agent: agent ?? null,
  state,
  /** RFC 3339 */
  created: rfc3339(created),
});
