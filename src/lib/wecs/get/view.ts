import type { Diagnosis } from '../../engine/problem.ts';
import type { StageView, Standing } from '../../engine/stages.ts';
import type { Condition } from '../../kube/objects.ts';
import type { RunningVersion } from '../../versions/running.ts';
import type { EffectiveProperty } from '../customization.ts';
import type { RequestView } from '../registration/request-view.ts';

/** Everything that can be seen of one WEC. The fields are an interface: docs/output.md. */
export interface WecView extends Standing {
  name: string;
  /** The context of the ITS. */
  its: string;
  created: string | null;
  kubernetesVersion: string | null;
  /** The agent that has its certificate; its mode, and the version of it that runs, show on the WEC only. */
  agent: { id: string | null; mode: string | null; version: string | null };
  /** Of the operator and the agents. */
  versions: RunningVersion[];
  stages: StageView[];
  conditions: ConditionView[];
  labels: Record<string, string>;
  properties: EffectiveProperty[];
  /** Null while the ITS has made none. */
  mailbox: Mailbox | null;
  /** Renewal: of an agent that asks for its next certificate. */
  requests: (RequestView & { renewal: boolean })[];
  /** Overdue: at least one renewal has failed, though the ITS still calls the WEC available. */
  lease: { renewed: string | null; durationSeconds: number; overdue: boolean } | null;
  /** Null where it was not or could not be looked at. */
  wec: WecSide | null;
  /** What could not be seen, and why. */
  notVisible: { what: string; on: string; why: string }[];
  /** What is wrong, or awaited, in a sentence, and what to type; null when all is well. */
  diagnosis: Diagnosis | null;
}

export interface ConditionView {
  type: string;
  status: Condition['status'];
  reason: string;
  message: string;
  since: string | null;
  /** Whether it says that all is well. */
  healthy: boolean;
}

export interface Mailbox {
  namespace: string;
  /** Works by where they come from. */
  works: WorkGroup[];
  addons: { name: string; available: boolean | null; reason: string }[];
}

export interface WorkGroup {
  /** The WDS and the binding policy, for works of KubeStellar. */
  wds: string | null;
  binding: string | null;
  /** The add-on, for works of one. */
  addon: string | null;
  count: number;
  /** Works that the agent could not apply, each with what it says. */
  failed: { name: string; message: string }[];
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

/** Conditions whose True tells of trouble; of all others, True is good. */
const isTrouble = (type: string): boolean => type.endsWith('Degraded');

export function conditionViews(conditions: readonly Condition[] | undefined): ConditionView[] {
  return (conditions ?? []).map(({ type, status, reason = '', message = '', lastTransitionTime }) => ({
    type,
    status,
    reason,
    message,
    since: lastTransitionTime ?? null,
    healthy: status === (isTrouble(type) ? 'False' : 'True'),
  }));
}
