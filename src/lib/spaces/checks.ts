import { type Check, type Finding, findingsOfStages, makeChecks } from '../engine/checks.ts';
import { failureOf } from '../engine/errors.ts';
import { judge } from '../engine/stages.ts';
import type { Kube } from '../kube/client/client.ts';
import { hubChecks } from '../wecs/hub/checks.ts';
import { requireHub } from '../wecs/hub/require-hub.ts';
import { externalChecks, wdsCredentialChecks } from './credentials.ts';
import type { SpaceRole } from './names.ts';
import type { ControlPlane } from './objects.ts';
import { itsOfWds, typeOf } from './spaces.ts';
import type { SpaceEvidence } from './stages/evidence.ts';
import { type ItsInside, readItsInside } from './stages/its-contents.ts';
import { hubStages } from './stages/its-stages.ts';
import type { Space } from './stages/space-stages.ts';
import type { SpaceSeen, SpaceWatcher } from './stages/space-watcher.ts';
import { troubleOf } from './stages/stage-trouble.ts';
import type { WdsInside } from './stages/wds-stages.ts';

/** Checks a space, on the hosting cluster and inside it. @param all the control planes there @returns undefined where it is gone */
export async function checkSpace(
  name: string,
  role: SpaceRole,
  all: readonly ControlPlane[],
  watcher: SpaceWatcher,
  hosting: Kube,
): Promise<Finding[] | undefined> {
  const seen = await (role === 'its' ? watcher.its(name) : watcher.wds(name));
  if (seen === undefined) return undefined;
  const { space, stages } = seen as SpaceSeen<ItsInside | WdsInside>;
  const findings = findingsOfStages(role, name, judge<Space<ItsInside | WdsInside>>(stages, space));
  const withTrouble = await Promise.all(
    findings.map(async (finding, index) => {
      const stage = stages[index];
      if (finding.status !== 'fail' || stage === undefined) return finding;
      const { log, next } = await troubleOf(stage.id, { space, stages }, hosting, watcher.clientOf(name));
      const { problem } = finding;
      return { ...finding, problem: { ...problem, details: log, next: problem.next.length > 0 ? problem.next : next } };
    }),
  );
  const known = [...withTrouble, ...(await makeChecks(credentialChecks(space, all, hosting), withTrouble))];
  const kube = role === 'its' ? watcher.clientOf(name) : undefined;
  return kube === undefined ? known : withHub(known, kube);
}

function credentialChecks(space: SpaceEvidence, all: readonly ControlPlane[], hosting: Kube): Check[] {
  const own = space.type === 'external' ? externalChecks(space.name, space.role, hosting) : [];
  if (space.role === 'its') return own;
  const its = itsOfWds(space.name, all);
  const ofIts =
    its !== undefined && typeOf(its) === 'external' ? wdsCredentialChecks(space, its.metadata.name, hosting) : [];
  return [...own, ...ofIts];
}

/** Adds what is checked of a hub beside the stages in which it comes about. */
async function withHub(findings: Finding[], its: Kube): Promise<Finding[]> {
  return [...findings, ...(await makeChecks(hubChecks(its), findings))];
}

/** Checks an ITS of which no hosting cluster is known. */
export async function checkHub(its: Kube): Promise<Finding[]> {
  try {
    await requireHub(its);
    const reports = judge(hubStages(true), await readItsInside(its));
    return await withHub(findingsOfStages('its', its.cluster.context, reports), its);
  } catch (error) {
    return [{ id: 'its-hub', title: 'it is an OCM hub that answers', status: 'fail', problem: failureOf(error) }];
  }
}
