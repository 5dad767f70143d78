import { StellarError } from '../core/errors.ts';
import type { Run } from '../core/run.ts';
import { blockingStage, isMet } from '../core/stages.ts';
import type { HubAccess } from '../ocm/hub-access.ts';
import { beingDeregistered } from './deletion.ts';
import type { WecResult } from './follow-registration.ts';
import { hubRecords } from './hub-records.ts';
import type { JoinOptions } from './join-options.ts';
import type { JoinPlan } from './join-plan.ts';
import { judgeRegistration } from './registration-stages.ts';

/** Whether everything that was requested is already in place, except labels. */
export function isDone(access: HubAccess, plan: JoinPlan): boolean {
  if (plan.wecBefore.klusterlet === undefined || plan.reregister !== undefined) return false;
  const reports = judgeRegistration({
    name: plan.name,
    hub: plan.hubBefore,
    wec: plan.wecBefore,
    now: (access.kube ?? plan.kube).now(),
  });
  // The Lease of an agent that no longer runs stays fresh for minutes.
  return blockingStage(reports) === undefined && (isMet(reports, 'available') || access.kube === undefined);
}

/**
 * Sets missing labels, records the identity of the cluster, and reports that nothing else was necessary.
 * @throws StellarError `conflict` during a deregistration, before the first write
 */
export async function finishDone(
  access: HubAccess,
  plan: JoinPlan,
  options: JoinOptions,
  run: Run,
): Promise<WecResult> {
  const { name, wecBefore, hubBefore } = plan;
  const leaving = beingDeregistered({ hub: hubBefore, name, its: access.its });
  if (leaving !== undefined) throw new StellarError('conflict', leaving.message, { next: leaving.next });
  const records = access.kube && hubRecords(access.kube, plan, options, run);
  const written = (hubBefore && (await records?.write(hubBefore, wecBefore, undefined))) ?? [];
  const state = access.kube === undefined ? 'connected' : 'available';
  run.progress.done(
    name,
    `is registered with ${access.its} and ${state}; ${written.join(', ') || 'nothing to do'}.${ignoredNote(options)}`,
  );
  const changed = written.length > 0 && access.kube?.dryRun !== true;
  return { name, stage: state, blockedAt: null, changed };
}

function ignoredNote({ imagePullSecret, ocmVersion, imageRegistry }: JoinOptions): string {
  const given = {
    '--image-pull-secret': imagePullSecret,
    '--ocm-version': ocmVersion,
    '--image-registry': imageRegistry,
  };
  const ignored = Object.entries(given).flatMap(([option, value]) => (value === undefined ? [] : [option]));
  if (ignored.length === 0) return '';
  return ` A join does not change an agent that works, as wec upgrade does: ${ignored.join(', ')} had no effect.`;
}
