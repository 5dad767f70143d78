import { type Check, makeChecks, pass, skipped } from '../engine/checks.ts';
import { StellarError } from '../engine/errors.ts';
import { run } from '../engine/next-step.ts';
import type { Kube } from '../kube/client/client.ts';
import type { ProgramRun } from '../programs/program.ts';
import { HostingState, hostingChecks, itsChecks } from './clusters.ts';
import { type MachineUse, machineChecks } from './machine.ts';
import { dockerAnswers, type ProgramNeeds, programChecks } from './programs.ts';
import type { Examined } from './subject.ts';
import { failedBy, reachable } from './unseen.ts';

export interface PreflightInput {
  programs: ProgramRun;
  /** Undefined where no cluster is meant at all; an error where one is, and cannot be found. */
  hosting: Kube | StellarError | undefined;
  /** Undefined where no ITS was chosen; an error where one was, and cannot be found. */
  its: Kube | StellarError | undefined;
}

/**
 * Checks what KubeStellar needs on this machine and in the clusters, before anything is done. Reads only; what is not needed is no
 * failure.
 */
export async function checkBefore({ programs, hosting, its }: PreflightInput): Promise<Examined[]> {
  const hostingSeen = hosting === undefined || hosting instanceof StellarError ? hosting : new HostingState(hosting);
  const state = hostingSeen instanceof HostingState ? hostingSeen : undefined;
  const machine = {
    programs,
    // Where the cluster cannot be seen, its own check says so.
    isHosting: async () => (await state?.isHosting().catch(() => false)) ?? false,
    needsHelm: async () => state !== undefined && !(await state.isWhole().catch(() => true)),
    usesDocker: () => dockerAnswers(programs),
  };
  const itsSeen = its === undefined || its instanceof StellarError ? its : { kube: its };
  const [ofMachine, ...ofClusters] = await Promise.all([
    makeChecks<Machine>([...programChecks, ...machineChecks], machine),
    checkCluster('hosting', hostingSeen, hostingChecks),
    itsSeen && checkCluster('its', itsSeen, itsChecks),
  ]);
  return [{ subject: { kind: 'machine', name: '' }, findings: ofMachine }, ...ofClusters.flatMap((each) => each ?? [])];
}

type Machine = ProgramNeeds & MachineUse;

/** A cluster that is none, or that cannot be found, is one finding; so is one that does not answer. */
async function checkCluster<Seen extends { kube: Kube }>(
  kind: 'hosting' | 'its',
  seen: Seen | StellarError | undefined,
  checks: readonly Check<Seen>[],
): Promise<Examined> {
  const answers = reachable(kind);
  if (seen instanceof StellarError) return { subject: { kind, name: '' }, findings: [failedBy(answers, seen)] };
  if (seen === undefined) {
    const none = skipped(
      'no cluster is given, and there is no current context',
      run('stellarctl init --provider kind'),
    );
    return { subject: { kind, name: '' }, findings: [{ ...answers, ...none }] };
  }
  const { kube } = seen;
  const [answer] = await makeChecks([{ ...answers, look: async () => pass(await versionOf(kube)) }], undefined);
  const others =
    answer?.status === 'pass'
      ? await makeChecks(checks, seen)
      : checks.map(({ id, title }) => ({ id, title, ...skipped('it does not answer') }));
  return { subject: { kind, name: kube.cluster.context }, findings: [answer ?? [], others].flat() };
}

async function versionOf(kube: Kube): Promise<string> {
  const version = await kube.read<{ gitVersion?: string }>('/version');
  return `Kubernetes ${version?.gitVersion ?? 'of an unknown version'}`;
}
