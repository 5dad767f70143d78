import { now } from '../kube/conditions.ts';
import type { ControlPlane, ControlPlaneCondition } from './objects.ts';

type Said = Pick<ControlPlaneCondition, 'type' | 'status' | 'reason'> & { message?: string };

export const available: Said = { type: 'Ready', status: 'True', reason: 'Available' };
export const unavailable: Said = { type: 'Ready', status: 'False', reason: 'Unavailable' };
export const waitingForHooks: Said = {
  type: 'Ready',
  status: 'False',
  reason: 'WaitingForPostCreateHooks',
  message: 'Waiting for PostCreateHook completion',
};
export const reconcileSuccess: Said = { type: 'Synced', status: 'True', reason: 'ReconcileSuccess' };

export function reconcileError({ message }: Error): Said {
  return { type: 'Synced', status: 'False', reason: 'ReconcileError', message };
}

/** Sets a condition as KubeFlex does: both of its times change even if nothing else does. */
export function setCondition({ metadata, status }: ControlPlane, said: Said): ControlPlane['status'] {
  const condition = { message: '', ...said, lastUpdateTime: now(), lastTransitionTime: now() };
  const conditions = status?.conditions ?? [];
  const at = conditions.findIndex(({ type }) => type === said.type);
  return {
    observedGeneration: metadata.generation ?? 0,
    ...status,
    conditions: at < 0 ? [...conditions, condition] : conditions.with(at, condition),
  };
}
