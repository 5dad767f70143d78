import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { failureOf, StellarError } from '../core/errors.ts';
import { run as runCommand } from '../core/next-step.ts';
import {
  type FoundProgram,
  findProgram,
  locateProgram,
  type Program,
  type ProgramRun,
  programFailed,
  requireProgram,
  runProgram,
} from '../core/program.ts';
import { parseKubeconfig, type SelectedContext, selectContext } from '../kube/kubeconfig/kubeconfig.ts';
import { localNames, type ProviderName, providerNames } from './local-cluster-names.ts';
import { type LocalProvider, type ProviderCommand, providerOf } from './provider.ts';

/** The providers' programs. Their oldest versions are those that KubeStellar requires. */
export const kindProgram: Program = {
  name: 'kind',
  minimum: '0.20.0',
  get: 'https://kind.sigs.k8s.io/docs/user/quick-start/#installation',
  versionArguments: ['version'],
};

export const k3dProgram: Program = {
  name: 'k3d',
  minimum: '5.7.4',
  get: 'https://k3d.io/stable/#installation',
  versionArguments: ['version'],
};

/** The container engine of kind and k3d. */
export const dockerProgram: Program = {
  name: 'docker',
  minimum: '20.0.0',
  get: 'https://docs.docker.com/engine/install/',
  versionArguments: ['--version'],
};

export const providerPrograms = { kind: kindProgram, k3d: k3dProgram } as const;

/**
 * Opens a provider for the duration of a task.
 * @throws StellarError `program-missing`, `program-too-old`, `docker-unreachable`, and what the task throws
 */
export async function withProvider<T>(
  name: ProviderName,
  programs: ProgramRun,
  work: (provider: LocalProvider) => Promise<T>,
): Promise<T> {
  const program = (await locateProgram(providerPrograms[name], programs)) ?? (await requireProvider(name, programs));
  const folder = await mkdtemp(path.join(tmpdir(), 'stellarctl-local-'));
  const run = ({ args, input = '', env = {} }: ProviderCommand) => {
    const own = { ...programs.env, ...env, KUBECONFIG: path.join(folder, 'kubeconfig') };
    return runProgram({ ...programs, env: own })(program, { args, input });
  };
  try {
    return await work(providerOf(name, program, run));
  } catch (error) {
    // These may be the reason; checking them first would start three programs for each one that is needed.
    if (failureOf(error).code === 'program-failed') await requireProvider(name, programs);
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Requires what a provider needs to create clusters. @throws StellarError `program-missing`, `program-too-old`, `docker-unreachable` */
export async function requireProvider(name: ProviderName, programs: ProgramRun): Promise<FoundProgram> {
  const program = await requireProgram(providerPrograms[name], 'manage local clusters', programs);
  await requireDocker(programs);
  return program;
}

/** The providers installed on this machine, of any version. */
export async function presentProviders(programs: ProgramRun): Promise<ProviderName[]> {
  const found = await Promise.all(providerNames.map((name) => locateProgram(providerPrograms[name], programs)));
  return providerNames.filter((_, index) => found[index] !== undefined);
}

/** kind and k3d may work without docker's command line (podman). If docker is installed, it reports problems best. */
async function requireDocker(programs: ProgramRun): Promise<void> {
  const other = programs.env.KIND_EXPERIMENTAL_PROVIDER ?? 'docker';
  const docker = other === 'docker' ? await findProgram(dockerProgram, programs) : undefined;
  if (docker === undefined) return;
  const args = ['version', '--format', '{{.Server.Version}}'];
  const output = await runProgram(programs)(docker, { args, limitMs: 30_000 });
  if (output.exitCode === 0) return;
  const { message, details } = programFailed(docker, args, output);
  throw new StellarError('docker-unreachable', `Docker does not answer: ${message}`, {
    details,
    next: [runCommand('docker ps', 'Start it, and make sure that you may use it')],
  });
}

/**
 * Reads a cluster's connection data from its provider. @throws StellarError `program-failed` for an incomplete or stopped cluster
 */
export async function readEntries(provider: LocalProvider, name: string): Promise<SelectedContext> {
  const config = await parseKubeconfig(await provider.kubeconfig(name), `of the ${provider.name} cluster ${name}`);
  return selectContext(config, config.currentContext ?? localNames(provider.name, name).context);
}
