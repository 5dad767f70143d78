import { commandOf, hintOf } from '../../engine/next-step.ts';
import {
  blockingStage,
  type StageReport,
  type StageView,
  type Standing,
  stageViews,
  standingOf,
} from '../../engine/stages.ts';
import { judgeWay } from './stages.ts';
import type { Way } from './way.ts';

/** The delivery of an object by one policy to one WEC. The fields are an interface: docs/output.md. */
export interface WayView extends Standing {
  /** Null if delivery stops before a policy is chosen. */
  policy: string | null;
  wec: string | null;
  /** Whether the last stage is reached, and no known problem remains. */
  done: boolean;
  /** Stable name of the problem. */
  code: string | null;
  hint: string | null;
  next: string | null;
  stages: StageView[];
}

export function viewOfWay(way: Way): WayView {
  const reports = judgeWay(way);
  const blocking = blockingStage(reports);
  const next = blocking?.verdict.next ?? [];
  return {
    ...{ policy: way.policyName ?? null, wec: way.wec ?? null, done: isDone(reports), ...standingOf(reports) },
    code: blocking?.verdict.code ?? null,
    hint: hintOf(next) ?? null,
    next: commandOf(next) ?? null,
    stages: stageViews(reports),
  };
}

const isDone = (reports: readonly StageReport[]): boolean => reports.every(({ verdict }) => verdict.state === 'met');
