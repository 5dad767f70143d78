import { type Help, helpOf } from '../core/next-step.ts';
import {
  blockingStage,
  judge,
  type StageReport,
  type StageView,
  type Standing,
  stageViews,
  standingOf,
} from '../core/stages.ts';
import type { Delivery } from './delivery.ts';
import { statusStage, wantsStatus } from './status-stage.ts';
import { wdsStages } from './wds-stages.ts';
import { wecStages } from './wec-stages.ts';

/** The delivery of an object by one policy to one WEC. The fields are an interface: docs/output.md. */
export interface DeliveryView extends Standing, Help {
  /** Null if delivery stops before a policy is chosen. */
  policy: string | null;
  wec: string | null;
  /** Whether the last stage is reached, and no known problem remains. */
  done: boolean;
  /** The policy asks for `createOnly`: a WEC that has the object keeps its version. */
  createOnly: boolean;
  /** Stable name of the problem. */
  code: string | null;
  stages: StageView[];
}

export function viewOfDelivery(delivery: Delivery): DeliveryView {
  const reports = judgeDelivery(delivery);
  const blocking = blockingStage(reports);
  const { policyName: policy = null, wec = null, modulation } = delivery;
  const done = reports.every(({ verdict }) => verdict.state === 'met');
  return {
    ...{ policy, wec, done, createOnly: modulation.createOnly === true, ...standingOf(reports) },
    code: blocking?.verdict.code ?? null,
    ...helpOf(blocking?.verdict.next ?? []),
    stages: stageViews(reports),
  };
}

/** Judges the stages of an object's delivery to a WEC and of its returned status, in order. None settles another. */
const judgeDelivery = (delivery: Delivery): StageReport[] =>
  judge([...wdsStages, ...wecStages, ...(wantsStatus(delivery) ? [statusStage] : [])], delivery);
