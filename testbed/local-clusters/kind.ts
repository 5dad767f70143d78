import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { type Entry, kubeconfigOf } from '../kube/kubeconfig.ts';
import type { LocalCluster, LocalClusters } from './clusters.ts';
import { parseFlags } from './flags.ts';
import { addEntry, kubeconfigFileOf, removeEntry } from './kubeconfig-file.ts';
import type { Call } from './protocol.ts';
import { Failure, type Surroundings } from './surroundings.ts';

/** The relevant fields of `--config` (kind.x-k8s.io/v1alpha4). */
interface KindConfig {
  name?: string;
  nodes?: {
    labels?: Record<string, string>;
    extraPortMappings?: { containerPort: number; hostPort: number }[];
  }[];
}

/** Stands in for kind (sigs.k8s.io/kind v0.31.0, pkg/cmd/kind): the commands, flags and words of the real one. */
export async function kind(call: Call, surroundings: Surroundings): Promise<void> {
  const { out, version, docker } = surroundings;
  const [verb = '', noun = ''] = call.args;
  if (verb === 'version' || verb === '--version') {
    out(
      verb === 'version' ? `kind v${version} go1.25.5 linux/amd64\n` : `kind version ${version}\n`,
    );
    return;
  }
  // Everything else contacts docker first.
  if (docker)
    throw new Failure(
      `ERROR: failed to list clusters: command "docker ps" failed with error: exit status 1\n\nCommand Output: ${docker}`,
    );
  const command = commands[`${verb} ${noun}`];
  if (command) return command(call, surroundings);
  throw new Failure(`ERROR: unknown command "${noun || verb}" for "kind${noun && ` ${verb}`}"`);
}

const commands: Record<string, (call: Call, surroundings: Surroundings) => Promise<void>> = {
  'create cluster': create,
  'delete cluster': remove,
  'get clusters': list,
  'get kubeconfig': print,
};

async function create(call: Call, { say, clusters, signal }: Surroundings): Promise<void> {
  const flags = flagsOf(call, {
    value: ['name', 'config', 'image', 'wait', 'kubeconfig'],
    boolean: ['retain'],
  });
  const config = await readConfig(call, flags.get('config'));
  const name = flags.get('name') ?? call.env.KIND_CLUSTER_NAME ?? config.name ?? 'kind';
  if (!/^[a-z0-9.-]+$/.test(name)) {
    throw new Failure(
      `ERROR: failed to create cluster: '${name}' is not a valid cluster name, cluster names must match \`^[a-z0-9.-]+$\``,
    );
  }
  if (clusters.find('kind', name)) {
    throw new Failure(
      `ERROR: failed to create cluster: node(s) already exist for a cluster with the name "${name}"`,
    );
  }
  const [node = {}] = config.nodes ?? [];
  say(`Creating cluster "${name}" ...\n • Starting control-plane 🕹️  ...\n`);
  await clusters.create(
    {
      provider: 'kind',
      name,
      container: `${name}-control-plane`,
      network: call.env.KIND_EXPERIMENTAL_DOCKER_NETWORK ?? 'kind',
      ports: (node.extraPortMappings ?? []).map(({ containerPort, hostPort }) => ({
        node: containerPort,
        host: hostPort,
      })),
      nodeLabels: node.labels ?? {},
    },
    signal,
  );
  if (signal.aborted) return;
  say(' ✓ Starting control-plane 🕹️\n');
  const explicit = flags.get('kubeconfig');
  await addEntry(kubeconfigFileOf(call, explicit), entryOf(clusters, name), { isCurrent: true });
  say(`Set kubectl context to "kind-${name}"\n`);
}

async function readConfig(
  { cwd, stdin = '' }: Call,
  path: string | undefined,
): Promise<KindConfig> {
  if (path === undefined) return {};
  const text =
    path === '-' ? stdin : await readFile(resolve(cwd, path), 'utf8').catch(() => undefined);
  if (text === undefined)
    throw new Failure(
      `ERROR: failed to create cluster: error reading file: open ${path}: no such file or directory`,
    );
  return (parse(text) ?? {}) as KindConfig;
}

/** Silently succeeds if there is no such cluster, like `rm -f`. */
async function remove(call: Call, { say, clusters }: Surroundings): Promise<void> {
  const flags = flagsOf(call, { value: ['name', 'kubeconfig'] });
  const name = flags.get('name') ?? 'kind';
  say(`Deleting cluster "${name}" ...\n`);
  await removeEntry(kubeconfigFileOf(call, flags.get('kubeconfig')), namesOf(name));
  const cluster = clusters.find('kind', name);
  if (!cluster) return;
  await clusters.remove(cluster);
  say(`Deleted nodes: ["${cluster.container}"]\n`);
}

async function list(_call: Call, { out, say, clusters }: Surroundings): Promise<void> {
  const names = clusters.of('kind').map(({ name }) => name);
  if (names.length === 0) say('No kind clusters found.\n');
  for (const name of names.sort()) out(`${name}\n`);
}

async function print(call: Call, { out, clusters }: Surroundings): Promise<void> {
  const flags = flagsOf(call, { value: ['name'], boolean: ['internal'] });
  const name = flags.get('name') ?? 'kind';
  const cluster = clusters.find('kind', name);
  if (!cluster) {
    throw new Failure(
      `ERROR: could not locate any control plane nodes for cluster named '${name}'. Use the --name option to select a different cluster`,
    );
  }
  assertComplete(cluster);
  const entry = entryOf(clusters, name);
  const server = flags.isOn('internal')
    ? clusters.plane(name).internalServer
    : entry.connection.server;
  out(`${kubeconfigOf([{ ...entry, connection: { ...entry.connection, server } }])}\n`);
}

function assertComplete({ isComplete, container }: LocalCluster): void {
  if (isComplete) return;
  const command = `docker exec --privileged ${container} cat /etc/kubernetes/admin.conf`;
  throw new Failure(
    `ERROR: failed to get cluster internal kubeconfig: command "${command}" failed with error: exit status 1\n\nCommand Output: cat: /etc/kubernetes/admin.conf: No such file or directory`,
  );
}

function entryOf(clusters: LocalClusters, name: string): Entry {
  const { connection } = clusters.plane(name).kubeconfigEntry;
  return { ...namesOf(name), connection };
}

function namesOf(name: string): Omit<Entry, 'connection'> {
  return { context: `kind-${name}`, cluster: `kind-${name}`, user: `kind-${name}` };
}

function flagsOf(call: Call, known: { value: string[]; boolean?: string[] }) {
  try {
    const value = [...known.value, 'verbosity', 'loglevel'];
    const boolean = [...(known.boolean ?? []), 'quiet'];
    return parseFlags(call.args.slice(2), {
      value,
      boolean,
      short: { n: 'name', q: 'quiet', v: 'verbosity' },
    });
  } catch (error) {
    throw new Failure(`ERROR: ${(error as Error).message}`);
  }
}
