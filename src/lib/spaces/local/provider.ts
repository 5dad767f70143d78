import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { failureOf, StellarError } from '../../core/errors.ts';
import { run as runCommand } from '../../core/next-step.ts';
import {
  type FoundProgram,
  findProgram,
  locateProgram,
  type ProgramOutput,
  type ProgramRun,
  programFailed,
  readJson,
  requireProgram,
  runProgram,
} from '../../core/program.ts';
import {
  parseKubeconfig,
  type SelectedContext,
  selectContext,
} from '../../kube/kubeconfig/kubeconfig.ts';
import { localNames, type ProviderName, providerNames } from './local-cluster-names.ts';
import { dockerProgram, k3dProgram, kindProgram } from './programs.ts';

/** A cluster to create. */
interface NewCluster {
  name: string;
  /** The node image. */
  image: string;
  /** The container network; undefined for the provider's default. */
  network: string | undefined;
  /** The local port to map to the cluster's ingress; undefined for a cluster without one. */
  ingressPort: number | undefined;
  /** The provider's own timeout, in milliseconds, if it supports one: it then cleans up after itself. */
  limitMs: number;
}

/** A command line of a provider's program, with variables for its environment. */
interface ProviderCommand {
  args: readonly string[];
  input?: string;
  env?: NodeJS.ProcessEnv;
}

/** The label by which the ingress selects the node with the port mappings; documents of kind use it. */
export const ingressNodeLabel = 'ingress-ready';

interface Commands {
  list: ProviderCommand;
  /** The names in what that prints. */
  namesIn(printed: string): string[];
  create(cluster: NewCluster): ProviderCommand;
  kubeconfig: readonly string[];
  remove: readonly string[];
}

/** The command lines of kind (https://kind.sigs.k8s.io) and k3d (https://k3d.io); the name of a cluster follows the last two. */
const commands: Record<ProviderName, Commands> = {
  kind: {
    list: { args: ['get', 'clusters'] },
    namesIn: (printed) => printed.split('\n').filter((line) => line !== ''),
    create({ name, image, network, ingressPort }) {
      const args = ['create', 'cluster', '--name', name, '--image', image];
      if (ingressPort !== undefined) args.push('--config', '-');
      return {
        args,
        input:
          ingressPort === undefined ? '' : JSON.stringify(configWithIngress(ingressPort), null, 2),
        env: network === undefined ? {} : { KIND_EXPERIMENTAL_DOCKER_NETWORK: network },
      };
    },
    kubeconfig: ['get', 'kubeconfig', '--name'],
    remove: ['delete', 'cluster', '--name'],
  },
  k3d: {
    list: { args: ['cluster', 'list', '--output', 'json'] },
    // k3d prints null if there are no clusters.
    namesIn: (printed) =>
      (readJson<{ name: string }[] | null>('k3d', printed) ?? []).map(({ name }) => name),
    create({ name, image, network, ingressPort, limitMs }) {
      const seconds = Math.max(10, Math.floor(limitMs / 1000));
      const args = [
        'cluster',
        'create',
        name,
        '--image',
        image,
        '--kubeconfig-update-default=false',
      ];
      args.push('--timeout', `${seconds}s`);
      if (network !== undefined) args.push('--network', network);
      // k3s brings an older Traefik, which would bind the same port.
      if (ingressPort !== undefined)
        args.push(
          '--port',
          `${ingressPort}:443@loadbalancer`,
          '--k3s-arg',
          '--disable=traefik@server:*',
        );
      return { args };
    },
    kubeconfig: ['kubeconfig', 'get'],
    remove: ['cluster', 'delete'],
  },
};

/** kind's own configuration (kind.x-k8s.io/v1alpha4); JSON is YAML. */
function configWithIngress(port: number): object {
  return {
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    nodes: [
      {
        role: 'control-plane',
        labels: { [ingressNodeLabel]: 'true' },
        extraPortMappings: [{ containerPort: 443, hostPort: port, protocol: 'TCP' }],
      },
    ],
  };
}

/** An installed program that creates clusters. It never changes the user's kubeconfig. */
export type LocalProvider = ReturnType<typeof providerOf>;

/**
 * Every method throws StellarError `program-failed`.
 * @param run runs the program, away from the user's kubeconfig
 */
function providerOf(
  name: ProviderName,
  program: FoundProgram,
  run: (command: ProviderCommand) => Promise<ProgramOutput>,
) {
  const { list, namesIn, create, kubeconfig, remove } = commands[name];
  const succeed = async (command: ProviderCommand) => {
    const output = await run(command);
    if (output.exitCode !== 0) throw programFailed(program, command.args, output);
    return output.stdout;
  };
  return {
    name,
    /** The names of its clusters, including stopped and incomplete ones. */
    clusters: async () => namesIn(await succeed(list)),
    /** Creates a cluster, and waits until its API server runs. */
    create: (cluster: NewCluster) => succeed(create(cluster)),
    /** The kubeconfig of a cluster, for use on this machine. */
    kubeconfig: (cluster: string) => succeed({ args: [...kubeconfig, cluster] }),
    remove: (cluster: string) => succeed({ args: [...remove, cluster] }),
  };
}

const providerPrograms = { kind: kindProgram, k3d: k3dProgram } as const;

/**
 * Opens a provider for the duration of a task.
 * @throws StellarError `program-missing`, `program-too-old`, `docker-unreachable`, and what the task throws
 */
export async function withProvider<T>(
  name: ProviderName,
  programs: ProgramRun,
  work: (provider: LocalProvider) => Promise<T>,
): Promise<T> {
  const program =
    (await locateProgram(providerPrograms[name], programs)) ??
    (await requireProvider(name, programs));
  const folder = await mkdtemp(path.join(tmpdir(), 'stellarctl-local-'));
  const run = ({ args, input = '', env = {} }: ProviderCommand) => {
    const environment = { ...programs.env, ...env, KUBECONFIG: path.join(folder, 'kubeconfig') };
    return runProgram({ ...programs, env: environment })(program, { args, input });
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
export async function requireProvider(
  name: ProviderName,
  programs: ProgramRun,
): Promise<FoundProgram> {
  const program = await requireProgram(providerPrograms[name], 'manage local clusters', programs);
  await requireDocker(programs);
  return program;
}

/** The providers installed on this machine, of any version. */
export async function presentProviders(programs: ProgramRun): Promise<ProviderName[]> {
  const found = await Promise.all(
    providerNames.map((name) => locateProgram(providerPrograms[name], programs)),
  );
  return providerNames.filter((_, index) => found[index] !== undefined);
}

/** kind and k3d may work without docker's command line (podman). If docker is installed, it reports problems best. */
async function requireDocker(programs: ProgramRun) {
  const other = programs.env.KIND_EXPERIMENTAL_PROVIDER ?? 'docker';
  const docker = other === 'docker' ? await findProgram(dockerProgram, programs) : undefined;
  if (docker === undefined) return;
  const args = ['version', '--format', '{{.Server.Version}}'];
  const output = await runProgram(programs)(docker, { args, limitMs: 30_000 });
  if (output.exitCode === 0) return;
  const { message, details } = programFailed(docker, args, output);
  throw new StellarError(
    'docker-unreachable',
    `Docker does not answer: ${message}`,
    runCommand('docker ps', 'Start it, and make sure that you may use it'),
  ).with({ details });
}

/**
 * Reads a cluster's connection data from its provider. @throws StellarError `program-failed` for an incomplete or stopped cluster
 */
export async function readEntries(provider: LocalProvider, name: string): Promise<SelectedContext> {
  const config = await parseKubeconfig(
    await provider.kubeconfig(name),
    `of the ${provider.name} cluster ${name}`,
  );
  return selectContext(config, config.currentContext ?? localNames(provider.name, name).context);
}
