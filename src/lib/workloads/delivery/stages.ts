import { judge, type StageReport } from '../../engine/stages.ts';
import type { Delivery } from './delivery.ts';
import { statusStage, wantsStatus } from './status-stage.ts';
import { wdsStages } from './wds-stages.ts';
import { wecStages } from './wec-stages.ts';

/** Judges the stages of an object's delivery to a WEC and of its returned status, in order. None settles another. */
export const judgeDelivery = (delivery: Delivery): StageReport[] =>
  judge([...wdsStages, ...wecStages, ...(wantsStatus(delivery) ? [statusStage] : [])], delivery);
