import type { Stage, StageReport } from '../../engine/stages.ts';
import { statusStage, wantsStatus } from './status-stage.ts';
import type { Way } from './way.ts';
import { wdsStages } from './wds-stages.ts';
import { wecStages } from './wec-stages.ts';

/** The links of an object's way to a WEC and back, in their order. */
const stagesOf = (way: Way): Stage<Way>[] => [...wdsStages, ...wecStages, ...(wantsStatus(way) ? [statusStage] : [])];

/** Each by itself: what comes later proves nothing of what could not be seen. */
export const judgeWay = (way: Way): StageReport[] =>
  stagesOf(way).map(({ id, title, check }) => ({ id, title, verdict: check(way) }));
