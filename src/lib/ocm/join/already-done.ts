import type { Run } from '../../run.ts';
import { isMet } from '../../stages.ts';
import type { WecResult } from '../follow.ts';
import type { HubAccess } from '../hub-access.ts';
import { imageVersion } from '../image.ts';
import { setLabels } from '../label.ts';
import type { Klusterlet } from '../objects.ts';
import { judgeRegistration } from '../registration-stages.ts';
import { bootstrapNeed } from './bootstrap-need.ts';
import type { JoinOptions } from './options.ts';
import type { JoinPlan } from './preflight.ts';

/** Whether everything that was asked for is so already, labels apart. */
export function isDone(
  access: HubAccess,
  { name, wecBefore, hubBefore, endpoint }: JoinPlan,
  options: JoinOptions,
): boolean {
  if (wecBefore.klusterlet === undefined || bootstrapNeed(wecBefore, endpoint, options) !== undefined) return false;
  const now = access.kube?.now() ?? Date.now();
  const reports = judgeRegistration({ name, hub: hubBefore, wec: wecBefore, now });
  return isMet(reports, access.kube === undefined ? 'connected' : 'available');
}

/** Sets what labels are missing, and says that nothing else was to be done. */
export async function finishDone(
  access: HubAccess,
  { name, wecBefore, hubBefore }: JoinPlan,
  options: JoinOptions,
  run: Run,
): Promise<WecResult> {
  const labelled =
    access.kube !== undefined &&
    hubBefore?.managedCluster !== undefined &&
    (await setLabels(access.kube, hubBefore.managedCluster, options.labels));
  const state = access.kube === undefined ? 'connected' : 'available';
  run.progress.done(
    name,
    `is registered with ${access.its} and ${state}${labelled ? '; labelled' : '; nothing to do'}.${versionNote(access, wecBefore.klusterlet)}${ignoredNote(options)}`,
  );
  return { name, stage: state, changed: labelled };
}

function versionNote({ ocmVersion }: HubAccess, klusterlet: Klusterlet | undefined): string {
  const { deployOption, imagePullSpec, registrationImagePullSpec } = klusterlet?.spec ?? {};
  const agent = imageVersion(deployOption?.mode === 'Default' ? registrationImagePullSpec : imagePullSpec);
  return agent === undefined || ocmVersion === undefined || agent === ocmVersion
    ? ''
    : ` Its agent is ${agent}, the hub ${ocmVersion}.`;
}

function ignoredNote({ ocmVersion, imageRegistry, imagePullSecret }: JoinOptions): string {
  const asked = [
    ocmVersion && '--ocm-version',
    imageRegistry && '--image-registry',
    imagePullSecret && '--image-pull-secret',
  ].filter(Boolean);
  return asked.length === 0 ? '' : ` A join does not change an agent that works: ${asked.join(', ')} had no effect.`;
}
