import { type Check, type Finding, fail, pass, runChecks, skipped } from '../core/checks.ts';
import { once } from '../core/concurrency.ts';
import { command, partial, run as runCommand } from '../core/next-step.ts';
import type { Program, ProgramRun } from '../core/program.ts';
import type { Run } from '../core/run.ts';
import { type Access, errorOf, ifSeen, seen, through } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { accessHub, type HubAccess } from '../ocm/hub/hub-access.ts';
import type { Its } from '../ocm/hub/its.ts';
import { dockerProgram, helmProgram, k3dProgram, kindProgram } from '../spaces/local/programs.ts';
import type { JoiningWec, JoinOptions } from '../wecs/join/join-options.ts';
import { type JoinPlan, planJoin } from '../wecs/join/join-plan.ts';
import { joinProbes } from '../wecs/join/join-requirements.ts';
import {
  hostingChecks,
  hostingState,
  itsChecks,
  joiningChecks,
  machineChecks,
  type ProgramNeeds,
  programChecks,
} from './preflight-checks.ts';
import { type Examined, failedBy, reachable } from './subject.ts';

export interface PreflightInput {
  programs: ProgramRun;
  /** Undefined if no cluster is selected. */
  hosting: Access<Kube> | undefined;
  /** Undefined if no ITS was chosen. */
  its: Access<Its> | undefined;
  /** Clusters to register. */
  wecs: readonly JoiningWec[];
  /** How to register them. */
  joinOptions: JoinOptions;
}

/**
 * Checks what `init` needs of this machine and the hosting cluster, and the clusters to register. Reads only; a requirement that does
 * not apply is not a failure.
 */
export async function checkInit(input: PreflightInput, run: Run): Promise<Examined[]> {
  const { programs, hosting } = input;
  const hostingTarget = hosting && (await through(hosting, hostingState));
  const state = ifSeen(hostingTarget);
  const machine = {
    programs,
    // If the cluster is not visible, its own check reports it.
    isHosting: async () => (await state?.isHosting().catch(() => false)) ?? false,
    needsHelm: async () => (await state?.blocking().catch(() => undefined)) !== undefined,
  };
  const ofMachine = runChecks<ProgramNeeds>([...programChecks, ...machineChecks], machine);
  const ofHosting = hostingTarget
    ? checkCluster('hosting', hostingTarget, hostingChecks)
    : ofMachine.then((found) => ({
        subject: { kind: 'hosting' as const, name: '' },
        findings: [judgeNone(found)],
      }));
  const [findings, hostingCluster, ...toRegister] = await Promise.all([
    ofMachine,
    ofHosting,
    checkJoin(input, run),
  ]);
  return [
    { subject: { kind: 'machine', name: '' }, findings },
    hostingCluster,
    ...toRegister.flat(),
  ];
}

/** Whether `init` can create the cluster that it is not given. */
function judgeNone(ofMachine: readonly Finding[]): Finding {
  const answers = reachable('hosting');
  const isReady = ({ name }: Program) => ofMachine.find(({ id }) => id === name)?.status === 'pass';
  const local = isReady(k3dProgram) ? k3dProgram : kindProgram;
  const missing = [helmProgram, dockerProgram, local].filter((each) => !isReady(each));
  const why = 'no cluster is given, and there is no current context';
  if (missing.length === 0)
    return {
      ...answers,
      ...skipped(why, runCommand(command`stellarctl init --provider ${local.name}`)),
    };
  return {
    ...answers,
    ...fail(
      'no-cluster',
      `${why}; to create one, ${missing.map(({ name }) => name).join(' and ')} must work`,
      partial(
        'stellarctl doctor --pre --hosting-context CONTEXT',
        'Give the cluster to install it on',
      ),
    ),
  };
}

/** Checks what `wec join` needs of the ITS, if there is one, and of the clusters to register. Reads only. */
export async function checkJoin(
  { its, wecs, joinOptions }: PreflightInput,
  run: Run,
): Promise<Examined[]> {
  const ofIts = its && checkCluster('its', its, itsChecks);
  const chosen = ifSeen(its);
  const access = chosen && once(() => accessHub(chosen, joinOptions.certificateAuthority));
  const ofWec = async (wec: JoiningWec): Promise<Examined> => {
    let planned: JoinPlan | undefined;
    const plan = async (hub: HubAccess) => {
      planned = await planJoin(hub, wec, joinOptions, joinProbes(hub, [wec], run));
      return planned;
    };
    const joining = seen({ ...wec, plan: access && (async () => plan(await access())) });
    const failed = (await ofIts)?.findings;
    return { ...(await checkCluster('wec', joining, joiningChecks, failed)), plan: planned };
  };
  return (await Promise.all([ofIts ?? [], ...wecs.map(ofWec)])).flat();
}

/** A cluster that is not found, or does not answer, is one finding. */
async function checkCluster<Checked extends { kube: Kube; name?: string }>(
  kind: 'hosting' | 'its' | 'wec',
  access: Access<Checked>,
  checks: readonly Check<Checked>[],
  failed: readonly Finding[] = [],
): Promise<Examined> {
  const answers = reachable(kind);
  const error = errorOf(access);
  const cluster = ifSeen(access);
  if (cluster === undefined)
    return {
      subject: { kind, name: '' },
      findings: error === undefined ? [] : [failedBy(answers, error)],
    };
  const { kube, name = kube.cluster.context } = cluster;
  const [answer] = await runChecks(
    [{ ...answers, run: async () => pass(await serverVersion(kube)) }],
    undefined,
  );
  const others =
    answer?.status === 'pass'
      ? await runChecks(checks, cluster, failed)
      : checks.map(({ id, title }) => ({ id, title, ...skipped('it does not answer') }));
  return { subject: { kind, name }, findings: [answer ?? [], others].flat() };
}

async function serverVersion(kube: Kube) {
  const version = await kube.read<{ gitVersion?: string }>('/version');
  return `Kubernetes ${version?.gitVersion ?? 'of an unknown version'}`;
}
