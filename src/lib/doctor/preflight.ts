import { type Check, type Finding, pass, runChecks, skipped } from '../core/checks.ts';
import { run } from '../core/next-step.ts';
import type { ProgramRun } from '../core/program.ts';
import type { Run } from '../core/run.ts';
import { type Access, errorOf, ifSeen, seen, through } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { accessHub, type HubAccess } from '../ocm/hub-access.ts';
import type { JoiningWec, JoinOptions } from '../wecs/join-options.ts';
import { type JoinPlan, planJoin } from '../wecs/join-plan.ts';
import { joinProbes } from '../wecs/join-requirements.ts';
import type { Its } from '../workloads/read-policies.ts';
import { HostingState, hostingChecks, itsChecks, joiningChecks } from './cluster-checks.ts';
import { machineChecks, type ProgramNeeds, programChecks } from './machine-checks.ts';
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
 * Checks KubeStellar's requirements on this machine and the clusters before an installation. Reads only; a requirement that does
 * not apply is not a failure.
 */
export async function runPreflight(input: PreflightInput, run: Run): Promise<Examined[]> {
  const { programs, hosting, its, wecs, joinOptions } = input;
  const hostingTarget = hosting && (await through(hosting, async (kube) => new HostingState(kube)));
  const state = ifSeen(hostingTarget);
  const machine = {
    programs,
    // If the cluster is not visible, its own check reports it.
    isHosting: async () => (await state?.isHosting().catch(() => false)) ?? false,
    needsHelm: async () => state !== undefined && !(await state.isComplete().catch(() => true)),
  };
  const ofIts = its && checkCluster('its', its, itsChecks);
  let access: Promise<HubAccess> | undefined;
  const ofWec = async (wec: JoiningWec): Promise<Examined> => {
    let planned: JoinPlan | undefined;
    const plan = async ({ kube, context }: Its) => {
      access ??= accessHub(kube, context, joinOptions.certificateAuthority);
      planned = await planJoin(await access, wec, joinOptions, joinProbes(await access, [wec], run));
      return planned;
    };
    const chosen = ifSeen(its);
    const joining = seen({ ...wec, plan: chosen && (() => plan(chosen)) });
    const examined = await checkCluster('wec', joining, joiningChecks, wec.name, (await ofIts)?.findings);
    return { ...examined, plan: planned };
  };
  const [ofMachine, ...ofClusters] = await Promise.all([
    runChecks<ProgramNeeds>([...programChecks, ...machineChecks], machine),
    checkCluster('hosting', hostingTarget, hostingChecks),
    ofIts,
    ...wecs.map(ofWec),
  ]);
  return [{ subject: { kind: 'machine', name: '' }, findings: ofMachine }, ...ofClusters.flatMap((each) => each ?? [])];
}

/** A cluster that is not found, or does not answer, is one finding. */
async function checkCluster<Checked extends { kube: Kube }>(
  kind: 'hosting' | 'its' | 'wec',
  access: Access<Checked> | undefined,
  checks: readonly Check<Checked>[],
  name?: string,
  failed: readonly Finding[] = [],
): Promise<Examined> {
  const answers = reachable(kind);
  const error = errorOf(access);
  if (error !== undefined) return { subject: { kind, name: '' }, findings: [failedBy(answers, error)] };
  const cluster = ifSeen(access);
  if (cluster === undefined) {
    const init = run('stellarctl init --provider kind');
    const none = skipped('no cluster is given, and there is no current context', init);
    return { subject: { kind, name: '' }, findings: [{ ...answers, ...none }] };
  }
  const { kube } = cluster;
  const [answer] = await runChecks([{ ...answers, run: async () => pass(await versionOf(kube)) }], undefined);
  const others =
    answer?.status === 'pass'
      ? await runChecks(checks, cluster, failed)
      : checks.map(({ id, title }) => ({ id, title, ...skipped('it does not answer') }));
  return { subject: { kind, name: name ?? kube.cluster.context }, findings: [answer ?? [], others].flat() };
}

async function versionOf(kube: Kube): Promise<string> {
  const version = await kube.read<{ gitVersion?: string }>('/version');
  return `Kubernetes ${version?.gitVersion ?? 'of an unknown version'}`;
}
