import type { Stage, StageReport } from '../../engine/stages.ts';
import { statusStage, wantsStatus } from './status-stage.ts';
import type { Way } from './way.ts';
import { wdsStages } from './wds-stages.ts';
import { wecStages } from './wec-stages.ts';

/** The stages of an object's delivery to a WEC and of its returned status, in order. */
const stagesOf = (way: Way): Stage<Way>[] => [...wdsStages, ...wecStages, ...(wantsStatus(way) ? [statusStage] : [])];

/** Judges each stage independently: a later stage proves nothing about one that could not be read. */
export const judgeWay = (way: Way): StageReport[] =>
  stagesOf(way).map(({ id, title, check }) => ({ id, title, verdict: check(way) }));
