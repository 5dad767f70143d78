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

/** One way of an object. The fields are an interface: docs/output.md. */
export interface WayView extends Standing {
  /** Null where it ends before one is chosen. */
  policy: string | null;
  wec: string | null;
  /** Whether the last link is met, and nothing that is seen is in the way. */
  done: boolean;
  /** A stable name of what is wrong. */
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
