import type { Run } from '../../engine/run.ts';
import { blockingStage, isMet, type StageReport } from '../../engine/stages.ts';
import { imageVersion } from '../../kube/image.ts';
import type { HubAccess } from '../hub/hub-access.ts';
import type { WecResult } from '../registration/follow.ts';
import { judgeRegistration } from '../registration/stages.ts';
import type { WecEvidence } from '../registration/wec-evidence.ts';
import { bootstrapNeed } from './bootstrap-need.ts';
import { HubRecords } from './hub-records.ts';
import type { JoinOptions } from './options.ts';
import type { JoinPlan } from './preflight.ts';

/** Whether everything that was asked for is so already, labels apart. */
export function isDone(access: HubAccess, plan: JoinPlan, options: JoinOptions): boolean {
  const { wecBefore, endpoint, lost, isTokenRefused } = plan;
  const reports = judgePlan(access, plan);
  const isAvailable = isMet(reports, 'available');
  if (wecBefore.klusterlet === undefined || lost !== undefined) return false;
  if (bootstrapNeed(wecBefore, endpoint, options, { isAvailable, isTokenRefused }) !== undefined) return false;
  // The lease of an agent that no longer runs stays fresh for minutes.
  return blockingStage(reports) === undefined && (isAvailable || access.kube === undefined);
}

/** Where the registration was before this run wrote anything. */
export const judgePlan = (access: HubAccess, { name, wecBefore, hubBefore }: JoinPlan): StageReport[] =>
  judgeRegistration({ name, hub: hubBefore, wec: wecBefore, now: access.kube?.now() ?? Date.now() });

/** Sets what labels are missing, records which cluster it is, and says that nothing else was to be done. */
export async function finishDone(
  access: HubAccess,
  plan: JoinPlan,
  options: JoinOptions,
  run: Run,
): Promise<WecResult> {
  const { name, wecBefore, hubBefore } = plan;
  const records = access.kube && new HubRecords(access.kube, plan, options, run);
  const written = (hubBefore && (await records?.write(hubBefore, wecBefore, undefined))) ?? [];
  const state = access.kube === undefined ? 'connected' : 'available';
  run.progress.done(
    name,
    `is registered with ${access.its} and ${state}; ${written.join(', ') || 'nothing to do'}.${versionNote(access, wecBefore)}${ignoredNote(options)}`,
  );
  const changed = written.length > 0 && access.kube?.dryRun !== true;
  return { name, stage: state, blockedAt: null, changed };
}

function versionNote({ ocmVersion }: HubAccess, { klusterlet, operator }: WecEvidence): string {
  const { deployOption, imagePullSpec, registrationImagePullSpec } = klusterlet?.spec ?? {};
  const agent = imageVersion(deployOption?.mode === 'Default' ? registrationImagePullSpec : imagePullSpec);
  const runs = imageVersion(operator?.spec?.template?.spec?.containers?.[0]?.image);
  const others = [
    ...(agent === undefined || agent === ocmVersion ? [] : [`agent is ${agent}`]),
    ...(runs === undefined || runs === ocmVersion || runs === agent ? [] : [`operator is ${runs}`]),
  ];
  return ocmVersion === undefined || others.length === 0 ? '' : ` Its ${others.join(', its ')}, the hub ${ocmVersion}.`;
}

function ignoredNote({ ocmVersion, imageRegistry, imagePullSecret }: JoinOptions): string {
  const asked = [
    ocmVersion && '--ocm-version',
    imageRegistry && '--image-registry',
    imagePullSecret && '--image-pull-secret',
  ].filter(Boolean);
  return asked.length === 0 ? '' : ` A join does not change an agent that works: ${asked.join(', ')} had no effect.`;
}
