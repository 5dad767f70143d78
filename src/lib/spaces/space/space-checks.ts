import {
  type Check,
  type CheckInfo,
  type Finding,
  fail,
  findingsOfStages,
  isNotable,
  type Outcome,
  pass,
  runChecks,
  skipped,
  underCauses,
  warn,
} from '../../core/checks.ts';
import { failureOf } from '../../core/errors.ts';
import { advice, command, partial, run } from '../../core/next-step.ts';
import { judge } from '../../core/stages.ts';
import { ifSeen } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { byName, namesOf } from '../../kube/client/objects.ts';
import { isDeploymentReady } from '../../kube/pods.ts';
import { hubChecks } from '../../ocm/hub/hub-checks.ts';
import { requireHub } from '../../ocm/hub/require-hub.ts';
import { hookNames, managerDeployment, type SpaceRole } from '../../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../../ocm/model/kubeflex-objects.ts';
import { holeChecks, type JudgedHub } from '../../ocm/versions/hub-holes.ts';
import type { HookVersions } from '../../ocm/versions/program-versions.ts';
import { versionsApart } from '../../ocm/versions/running-versions.ts';
import type { SpaceTools } from '../hosting/hosting.ts';
import { isHookMarked } from './controllers-run.ts';
import { credentialChecks, type SpaceAmong, validityChecks } from './credentials.ts';
import { preempted } from './hosting-fit.ts';
import { hubStages, type ItsInside, readItsInside } from './its-stages.ts';
import { contextChecks } from './space-access.ts';
import { describeApart, imagesApart } from './space-images.ts';
import {
  type AnySpace,
  failureOfStage,
  type SpaceReading,
  spaceVersions,
} from './space-watcher.ts';
import { hooksOf, itsNameOf, itsOfWds, roleOf } from './spaces.ts';

/** The findings of its stages: one that keeps it from working has the log of what failed. */
async function findingsOf(reading: SpaceReading, hosting: Kube): Promise<Finding[]> {
  const { space, stages } = reading;
  const { name, role } = space;
  const findings = findingsOfStages(role, name, judge(stages, space));
  const ownHooks = hooksOf(space.controlPlane);
  const wasReady = ownHooks.length > 0 && ownHooks.every((hook) => isHookMarked(hook)(space));
  return Promise.all(
    findings.map(async (finding, index) => {
      const stage = stages[index];
      const isDown = wasReady && stage?.id === 'api-server';
      if (!stage || !isNotable(finding) || (finding.status === 'warn' && !isDown)) return finding;
      const { log, next } = await failureOfStage(stage.id, reading, hosting);
      const { problem } = finding;
      const details = [...log, ...(isDown ? await preempted(hosting, name) : [])];
      const steps = problem.next.length > 0 ? problem.next : next;
      return { ...finding, status: 'fail' as const, problem: { ...problem, details, next: steps } };
    }),
  );
}

/**
 * Checks a space as it was read, on the hosting cluster and inside it.
 * @param all the control planes of the hosting cluster @param hooks its versions
 * @returns for an ITS also the response of its admission webhook for ManagedClusters, if it was tried
 */
export async function checkSpace(
  reading: SpaceReading,
  { all, hooks }: { all: readonly ControlPlane[]; hooks: HookVersions },
  tools: SpaceTools,
) {
  const { hosting } = tools;
  const { space, kube } = reading;
  const { name, role } = space;
  const ofStages = await findingsOf(reading, hosting);
  const subject = { space, all, hosting, hooks, kube, tools };
  const ofIts = role === 'wds' ? await runChecks(itsOfWdsChecks, subject) : [];
  const checks: Check<typeof subject>[] = [
    ...versionChecks(role),
    ...credentialChecks(subject),
    ...contextChecks(role),
  ];
  const known = [
    ...ofIts,
    ...(await underCauses(ofStages, ofIts, needsOfIts)),
    ...(await runChecks(checks, subject, ofStages)),
  ];
  if (role !== 'its' || kube === undefined) return { findings: known };
  const inside = ifSeen(space.inside) as ItsInside | undefined;
  const upgrade = (to: string) =>
    run(
      command`stellarctl its upgrade ${name} --to ${to} --hosting-context ${hosting.cluster.context}`,
      'Upgrade it',
    );
  const hub = { kube, name, pods: inside?.hubPods ?? [], upgrade };
  return { findings: await withHubChecks(hub, known), webhook: inside?.webhook };
}

/** Checks an ITS whose hosting cluster is unknown. */
export async function checkHub(its: Kube) {
  const name = its.cluster.context;
  try {
    await requireHub(its);
    const inside = await readItsInside(its);
    const findings = findingsOfStages('its', name, judge(hubStages(true), inside));
    const ofCredentials = await runChecks(validityChecks('its'), { kube: its, space: { name } });
    const upgrade = (to: string) =>
      advice(`Upgrade OCM to ${to} there: clusteradm upgrade clustermanager`);
    const all = await withHubChecks({ kube: its, name, pods: inside.hubPods, upgrade }, findings);
    // What a user without rights holds is no sign that anything there can be seen.
    return { findings: [...all, ...ofCredentials.filter(isNotable)], webhook: inside.webhook };
  } catch (error) {
    return { findings: [{ ...isHub, status: 'fail' as const, problem: failureOf(error) }] };
  }
}

/** Adds the checks of a hub that are not stages. */
const withHubChecks = async (hub: JudgedHub, known: readonly Finding[]): Promise<Finding[]> => [
  ...known,
  ...(await runChecks(hubChecks, hub.kube, known)),
  ...(await runChecks(holeChecks, hub, known)),
];

/** The only check of an ITS if nothing else can be checked. */
export const isHub: CheckInfo = { id: 'its-hub', title: 'it is an OCM hub that answers' };

/** A space, and the versions in the installed hooks. */
interface InstalledSpace {
  space: AnySpace;
  hooks: HookVersions;
}

export const versionChecks = (role: SpaceRole): readonly Check<InstalledSpace>[] => [
  {
    id: `${role}-versions`,
    title: 'it runs the versions of the installed hooks, from their registry',
    run: judgeVersions,
  },
];

function judgeVersions({ space, hooks }: InstalledSpace): Outcome {
  const versions = spaceVersions(space, hooks).filter(({ wanted }) => wanted !== null);
  const apart = versionsApart(space.name, versions);
  const [unseen] = versions.flatMap((version) => version.notVisible ?? []);
  const { name, role, hosting } = space;
  const images = hooks.registry && imagesApart(hooks.registry, space);
  if (apart === undefined && images && images.running.length > 0)
    return warn(
      'images-apart',
      `${describeApart(images.running, hooks.registry ?? '')}.`,
      run(command`stellarctl ${role} repair ${name} --hosting-context ${hosting}`, 'Change them'),
    );
  if (apart === undefined) return unseen === undefined ? pass() : skipped(unseen);
  return warn(
    'versions-apart',
    apart,
    run(command`stellarctl ${role} upgrade ${name} --hosting-context ${hosting}`, 'Upgrade it'),
  );
}

/** Checks that the ITS of a WDS is unambiguous: otherwise its controllers exit. */
export const itsOfWdsChecks: readonly Check<SpaceAmong>[] = [
  { id: 'wds-its', title: 'its ITS is known', run: judgeIts },
];

/** The checks that depend on it. */
const needsOfIts: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  [
    hookNames.controller,
    hookNames.transport,
    'wds-crds',
    'its-workstatus',
    'properties-namespace',
    'ready',
  ].map((stage) => [`wds-${stage}`, ['wds-its']]),
);

function judgeIts({ space: { name, hosting, deployments }, all }: SpaceAmong): Outcome {
  if (itsOfWds(name, all) !== undefined) return pass();
  const itses = all.filter((each) => roleOf(each) === 'its');
  const named = itsNameOf(byName(all).get(name));
  const present = namesOf(itses).join(', ');
  const why =
    named === undefined
      ? itses.length === 0
        ? `${name} names no ITS, and there is none`
        : `${name} names no ITS, and there are several: ${present}`
      : `${name} names the ITS ${named}, which does not exist`;
  const repair = command`stellarctl wds repair ${name} --hosting-context ${hosting}`;
  // A controller that started while the ITS was unambiguous runs until its next start.
  const manager = byName(deployments).get(managerDeployment);
  const [otherwise, until] = isDeploymentReady(manager)
    ? [warn, '; its controllers keep using the ITS that they found when they started']
    : [fail, ''];
  return otherwise(
    'its-unclear',
    `${why}${until}.`,
    partial(`${repair} --its ITS`, 'Bind it to one of them'),
  );
}
