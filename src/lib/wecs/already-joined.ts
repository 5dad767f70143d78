import { command } from '../core/command-line.ts';
import { StellarError } from '../core/errors.ts';
import { run as nextStep } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { blockingStage, isMet } from '../core/stages.ts';
import type { HubAccess } from '../ocm/hub-access.ts';
import { image } from '../ocm/klusterlet-agent.ts';
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
 * @throws StellarError `version-differs`, or `conflict` during a deregistration, before the first write
 */
export async function finishDone(
  access: HubAccess,
  plan: JoinPlan,
  options: JoinOptions,
  run: Run,
): Promise<WecResult> {
  const { name, wecBefore, hubBefore } = plan;
  refuseOtherImages(plan, options, access.its);
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

/** A join keeps an agent that works: images that were asked for must be those that it has. */
function refuseOtherImages({ name, settings, wecBefore }: JoinPlan, options: JoinOptions, its: string): void {
  const { klusterlet, operator } = wecBefore;
  const wanted = image(settings, 'registration-operator');
  const present = [klusterlet?.spec?.imagePullSpec, operator?.spec?.template?.spec?.containers?.[0]?.image];
  const other = present.find((each) => each !== undefined && each !== wanted);
  if ((options.ocmVersion ?? options.imageRegistry) === undefined || other === undefined) return;
  const { ocmVersion, imageRegistry } = options;
  const to = ocmVersion === undefined ? [] : ['--to', ocmVersion];
  const from = imageRegistry === undefined ? [] : ['--image-registry', imageRegistry];
  const upgrade = command`stellarctl wec upgrade ${`${name}=${wecBefore.context}`} ${to} ${from} --its ${its}`;
  throw new StellarError(
    'version-differs',
    `${name} is registered, and its agent works with ${other}; a join does not replace that with ${wanted}.`,
    { next: [nextStep(upgrade, 'Upgrade it')] },
  );
}

const ignoredNote = ({ imagePullSecret }: JoinOptions): string =>
  imagePullSecret === undefined
    ? ''
    : ' A join does not change an agent that works: --image-pull-secret had no effect.';
