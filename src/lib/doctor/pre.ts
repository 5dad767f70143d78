import { type Check, type Finding, makeChecks, skipped } from '../engine/checks.ts';
import { StellarError } from '../engine/errors.ts';
import { run } from '../engine/next-step.ts';
import type { Kube } from '../kube/client/client.ts';
import type { ProgramRun } from '../programs/program.ts';
import { HostingState, hostingChecks, itsChecks } from './clusters.ts';
import { machineChecks } from './machine.ts';
import { dockerAnswers, programChecks } from './programs.ts';

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
export async function checkBefore({ programs, hosting, its }: PreflightInput): Promise<Finding[]> {
  const state = hosting === undefined || hosting instanceof StellarError ? undefined : new HostingState(hosting);
  // Where the cluster cannot be seen, its own check says so.
  const isHosting = async () => (await state?.isHosting().catch(() => false)) ?? false;
  const needsHelm = async () => state !== undefined && !(await state.isWhole().catch(() => true));
  const usesDocker = () => dockerAnswers(programs);
  return makeChecks([
    ...programChecks(programs, { needsHelm }),
    ...machineChecks({ isHosting, usesDocker }),
    ...ofCluster(hosting, 'hosting', (kube) => hostingChecks(kube, state ?? new HostingState(kube))),
    ...(its === undefined ? [] : ofCluster(its, 'its', itsChecks)),
  ]);
}

/** A cluster that is none, or that cannot be found, is one line. */
function ofCluster(
  cluster: Kube | StellarError | undefined,
  role: 'hosting' | 'its',
  checksOf: (kube: Kube) => Check[],
): Check[] {
  if (cluster !== undefined && !(cluster instanceof StellarError)) return checksOf(cluster);
  const title = role === 'its' ? 'the ITS answers' : 'the hosting cluster answers';
  const look = async () => {
    if (cluster !== undefined) throw cluster;
    return skipped('no cluster is given, and there is no current context', run('stellarctl init --create kind'));
  };
  return [{ id: `${role}-reachable`, title, look }];
}
