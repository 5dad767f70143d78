import type { Kube } from '../kube/client.ts';
import type { ProgramRun } from '../programs/program.ts';
import { type Finding, makeChecks, skipped } from './check.ts';
import { HostingState, hostingChecks, itsChecks } from './clusters.ts';
import { machineChecks } from './machine.ts';
import { dockerAnswers, programChecks } from './programs.ts';

export interface PreflightInput {
  programs: ProgramRun;
  /** Undefined where no cluster is meant at all. */
  hosting: Kube | undefined;
  /** Undefined where no ITS was chosen. */
  its: Kube | undefined;
}

/**
 * Checks what KubeStellar needs on this machine and in the clusters, before anything is done. Reads only; what is not needed is no
 * failure.
 */
export async function checkBefore({ programs, hosting, its }: PreflightInput): Promise<Finding[]> {
  const state = hosting && new HostingState(hosting);
  // Where the cluster cannot be seen, its own check says so.
  const isHosting = async () => (await state?.isHosting().catch(() => false)) ?? false;
  const needsHelm = async () => state !== undefined && !(await state.isWhole().catch(() => true));
  const noCluster = {
    id: 'hosting-reachable',
    title: 'the hosting cluster answers',
    look: async () =>
      skipped('no cluster is given, and there is no current context', 'Make one: stellarctl init --create kind'),
  };
  const usesDocker = () => dockerAnswers(programs);
  return makeChecks([
    ...programChecks(programs, { needsHelm }),
    ...machineChecks({ isHosting, usesDocker }),
    ...(hosting === undefined || state === undefined ? [noCluster] : hostingChecks(hosting, state)),
    ...(its === undefined ? [] : itsChecks(its)),
  ]);
}
