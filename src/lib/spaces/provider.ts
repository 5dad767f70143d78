import { type FoundProgram, type ProgramOutput, programFailed, readJson } from '../core/program.ts';
import type { ProviderName } from './local-cluster-names.ts';

/** A cluster to create. */
export interface NewCluster {
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
export interface ProviderCommand {
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
        input: ingressPort === undefined ? '' : JSON.stringify(configWithIngress(ingressPort), null, 2),
        env: network === undefined ? {} : { KIND_EXPERIMENTAL_DOCKER_NETWORK: network },
      };
    },
    kubeconfig: ['get', 'kubeconfig', '--name'],
    remove: ['delete', 'cluster', '--name'],
  },
  k3d: {
    list: { args: ['cluster', 'list', '--output', 'json'] },
    // k3d prints null if there are no clusters.
    namesIn: (printed) => (readJson<{ name: string }[] | null>('k3d', printed) ?? []).map(({ name }) => name),
    create({ name, image, network, ingressPort, limitMs }) {
      const seconds = Math.max(10, Math.floor(limitMs / 1000));
      const args = ['cluster', 'create', name, '--image', image, '--kubeconfig-update-default=false'];
      args.push('--timeout', `${seconds}s`);
      if (network !== undefined) args.push('--network', network);
      // k3s brings an older Traefik, which would bind the same port.
      if (ingressPort !== undefined)
        args.push('--port', `${ingressPort}:443@loadbalancer`, '--k3s-arg', '--disable=traefik@server:*');
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
export function providerOf(
  name: ProviderName,
  program: FoundProgram,
  run: (command: ProviderCommand) => Promise<ProgramOutput>,
) {
  const { list, namesIn, create, kubeconfig, remove } = commands[name];
  const succeed = async (command: ProviderCommand): Promise<string> => {
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
