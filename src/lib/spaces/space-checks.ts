import { type CheckInfo, type Finding, findingsOfStages, runChecks, underCauses } from '../core/checks.ts';
import { failureOf } from '../core/errors.ts';
import { judge } from '../core/stages.ts';
import { ifSeen } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { hubChecks } from '../ocm/hub-checks.ts';
import type { SpaceRole } from '../ocm/kubeflex-names.ts';
import type { ControlPlane } from '../ocm/kubeflex-objects.ts';
import { requireHub } from '../ocm/require-hub.ts';
import type { HubWebhook } from '../ocm/webhook.ts';
import { checkCredentials } from './credentials.ts';
import { type ItsInside, readItsInside } from './its-contents.ts';
import { itsOfWdsChecks, needsOfIts } from './its-of-wds-check.ts';
import { hubStages } from './its-stages.ts';
import { contextChecks } from './own-contexts.ts';
import type { SpaceTools } from './space-tools.ts';
import { versionChecks } from './space-version-check.ts';
import type { SpaceWatcher } from './space-watcher.ts';
import { failureOfStage } from './stage-failure.ts';

/** The results of the checks of a space. */
interface SpaceChecked {
  findings: Finding[];
  /** For an ITS: the response of its admission webhook for ManagedClusters, if it was tried. */
  webhook?: HubWebhook | undefined;
}

/**
 * Checks a space, on the hosting cluster and inside it. @param all the control planes there @returns undefined if it no longer
 * exists
 */
export async function checkSpace(
  name: string,
  role: SpaceRole,
  all: readonly ControlPlane[],
  watcher: SpaceWatcher,
  tools: SpaceTools,
): Promise<SpaceChecked | undefined> {
  const { hosting } = tools;
  const seen = await watcher.read(name, role);
  if (seen === undefined) return undefined;
  const { space, stages } = seen;
  const findings = findingsOfStages(role, name, judge(stages, space));
  const withFailures = await Promise.all(
    findings.map(async (finding, index) => {
      const stage = stages[index];
      if (finding.status !== 'fail' || stage === undefined) return finding;
      const { log, next } = await failureOfStage(stage.id, { space, stages }, hosting, watcher.clientOf(name));
      const { problem } = finding;
      return { ...finding, problem: { ...problem, details: log, next: problem.next.length > 0 ? problem.next : next } };
    }),
  );
  const ofIts =
    role === 'wds' ? await runChecks(itsOfWdsChecks, { name, all, hosting, deployments: space.deployments }) : [];
  const ofHooks = await runChecks(versionChecks(role), { space, hosting }, withFailures);
  const ofContexts = await runChecks(contextChecks(role), { space, kube: watcher.clientOf(name), tools }, withFailures);
  const known = [
    ...ofIts,
    ...underCauses(withFailures, ofIts, needsOfIts),
    ...ofHooks,
    ...(await checkCredentials(space, all, hosting, withFailures)),
    ...ofContexts,
  ];
  const kube = role === 'its' ? watcher.clientOf(name) : undefined;
  if (kube === undefined) return { findings: known };
  const inside = ifSeen(space.inside) as ItsInside | undefined;
  return { findings: await withHub(known, kube), webhook: inside?.webhook };
}

/** Adds the checks of a hub that are not stages. */
async function withHub(findings: Finding[], its: Kube): Promise<Finding[]> {
  return [...findings, ...(await runChecks(hubChecks, its, findings))];
}

/** Checks an ITS whose hosting cluster is unknown. */
export async function checkHub(its: Kube): Promise<SpaceChecked> {
  try {
    await requireHub(its);
    const inside = await readItsInside(its);
    const findings = findingsOfStages('its', its.cluster.context, judge(hubStages(true), inside));
    return { findings: await withHub(findings, its), webhook: inside.webhook };
  } catch (error) {
    return { findings: [{ ...isHub, status: 'fail', problem: failureOf(error) }] };
  }
}

/** The only check of an ITS if nothing else can be checked. */
export const isHub: CheckInfo = { id: 'its-hub', title: 'it is an OCM hub that answers' };
