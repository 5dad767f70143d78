import { type Entry, kubeconfigOf } from '../kube/kubeconfig.ts';
import type { PortMapping } from '../plane/plane.ts';
import type { LocalCluster, LocalClusters } from './clusters.ts';
import { type Flags, parseFlags } from './flags.ts';
import { addEntry, kubeconfigFileOf, removeEntry } from './kubeconfig-file.ts';
import type { Call } from './protocol.ts';
import { Failure, type Surroundings } from './surroundings.ts';

/** Stands in for k3d (github.com/k3d-io/k3d v5.8.3, cmd/): the commands, flags and words of the real one. */
export async function k3d(call: Call, surroundings: Surroundings): Promise<void> {
  const { out, version, docker } = surroundings;
  const [noun = '', verb = ''] = call.args;
  if (noun === 'version' || noun === '--version') {
    out(`k3d version v${version}\nk3s version v1.31.5-k3s1 (default)\n`);
    return;
  }
  if (docker)
    throw fatal(
      `runtime failed to list nodes: docker failed to get containers with labels: ${docker}`,
    );
  const command = commands[`${noun} ${verb}`];
  if (command) return command(call, surroundings);
  throw fatal(`unknown command "${verb || noun}" for "k3d${verb && ` ${noun}`}"`);
}

const commands: Record<string, (call: Call, surroundings: Surroundings) => Promise<void>> = {
  'cluster create': create,
  'cluster delete': remove,
  'cluster list': list,
  'kubeconfig get': print,
};

const createFlags = {
  value: [
    ...[
      'config',
      'api-port',
      'env',
      'volume',
      'port',
      'k3s-node-label',
      'runtime-label',
      'host-alias',
      'k3s-arg',
    ],
    ...[
      'servers',
      'agents',
      'image',
      'network',
      'subnet',
      'token',
      'timeout',
      'registry-create',
      'registry-use',
    ],
  ],
  boolean: [
    'wait',
    'kubeconfig-update-default',
    'kubeconfig-switch-context',
    'no-lb',
    'no-rollback',
    'no-image-volume',
  ],
  short: { c: 'config', e: 'env', v: 'volume', p: 'port', s: 'servers', a: 'agents', i: 'image' },
};

async function create(call: Call, { say, clusters, signal }: Surroundings): Promise<void> {
  const flags = flagsOf(call, createFlags);
  const name = flags.rest[0] ?? 'k3s-default';
  const trouble = nameTrouble(name);
  if (trouble) {
    throw fatal(
      `Failed Cluster Configuration Validation: provided cluster name '${name}' does not match requirements: ${trouble}`,
    );
  }
  if (clusters.find('k3d', name)) {
    throw fatal(
      `Failed to create cluster '${name}' because a cluster with that name already exists`,
    );
  }
  const network = flags.get('network') ?? `k3d-${name}`;
  say(info(`Creating node 'k3d-${name}-server-0'`));
  await clusters.create(
    {
      provider: 'k3d',
      name,
      container: `k3d-${name}-server-0`,
      network,
      ports: (flags.values.get('port') ?? []).flatMap(portMapping),
      nodeLabels: Object.fromEntries((flags.values.get('k3s-node-label') ?? []).map(nodeLabel)),
    },
    signal,
  );
  if (signal.aborted) return;
  say(info(`Cluster '${name}' created successfully!`));
  const mayUpdate = flags.isOn('kubeconfig-update-default', true);
  const isCurrent = mayUpdate && flags.isOn('kubeconfig-switch-context', true);
  if (mayUpdate) await addEntry(kubeconfigFileOf(call), entryOf(clusters, name), { isCurrent });
}

/** A host name (RFC 1123), short enough for the names of the containers (k3d's pkg/client/cluster.go). */
function nameTrouble(name: string): string | undefined {
  if (!/^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/.test(name))
    return `Invalid cluster name. Hostname '${name}' is invalid`;
  return name.length > 32
    ? `Cluster name must be <= 32 characters, but has ${name.length}`
    : undefined;
}

/** `9443:443@loadbalancer` */
function portMapping(text: string): PortMapping[] {
  const found = /^(?:[\d.]+:)?(\d+):(\d+)/.exec(text);
  return found ? [{ host: Number(found[1]), node: Number(found[2]) }] : [];
}

/** `key=value@server:0` */
function nodeLabel(text: string): [string, string] {
  const [key = '', value = ''] = text.replace(/@.*$/, '').split('=');
  return [key, value];
}

async function remove(call: Call, { say, clusters }: Surroundings): Promise<void> {
  const { rest } = flagsOf(call, {
    value: ['config'],
    boolean: ['all'],
    short: { c: 'config', a: 'all' },
  });
  const found = rest.flatMap((name) => {
    const cluster = clusters.find('k3d', name);
    if (!cluster) say(info(`No nodes found for cluster '${name}', nothing to delete.`));
    return cluster ?? [];
  });
  if (found.length === 0) say(info('No clusters found'));
  for (const cluster of found) {
    say(info(`Deleting cluster '${cluster.name}'`));
    await clusters.remove(cluster);
    await removeEntry(kubeconfigFileOf(call), namesOf(cluster.name));
    say(info(`Successfully deleted cluster ${cluster.name}!`));
  }
}

async function list(call: Call, { out, clusters }: Surroundings): Promise<void> {
  const known = { value: ['output'], boolean: ['no-headers', 'token'], short: { o: 'output' } };
  const flags = flagsOf(call, known);
  const all = clusters.of('k3d').sort((a, b) => (a.name < b.name ? -1 : 1));
  const missing = flags.rest.find((name) => !clusters.find('k3d', name));
  if (missing) throw fatal('No nodes found for given cluster');
  const wanted = flags.rest.length > 0 ? all.filter(({ name }) => flags.rest.includes(name)) : all;
  if (flags.get('output') === 'json') {
    out(`${JSON.stringify(wanted.map(described))}\n`);
    return;
  }
  if (!flags.isOn('no-headers')) out('NAME      SERVERS   AGENTS   LOADBALANCER\n');
  for (const { name } of wanted) out(`${name.padEnd(7)}   1/1       0/0      true\n`);
}

function described({ name, network, container, isComplete }: LocalCluster): object {
  const running = isComplete ? 1 : 0;
  const node = {
    name: container,
    role: 'server',
    State: { running: isComplete, status: 'running' },
  };
  return {
    name,
    network: { name: network },
    nodes: [node],
    serversRunning: running,
    serversCount: 1,
    agentsRunning: 0,
    agentsCount: 0,
    hasLoadbalancer: true,
  };
}

async function print(call: Call, { out, clusters }: Surroundings): Promise<void> {
  const { rest } = flagsOf(call, { boolean: ['all'], short: { a: 'all' } });
  for (const name of rest) {
    const cluster = clusters.find('k3d', name);
    if (!cluster) throw fatal('No nodes found for given cluster');
    out('---\n');
    if (!cluster.isComplete) throw fatal(`failed to read from stream: EOF`);
    out(kubeconfigOf([entryOf(clusters, name)]));
  }
}

function entryOf(clusters: LocalClusters, name: string): Entry {
  const { connection } = clusters.plane(name).kubeconfigEntry;
  const server = connection.server.replace('127.0.0.1', '0.0.0.0');
  return { ...namesOf(name), connection: { ...connection, server } };
}

function namesOf(name: string): Omit<Entry, 'connection'> {
  return { context: `k3d-${name}`, cluster: `k3d-${name}`, user: `admin@k3d-${name}` };
}

function flagsOf(call: Call, known: Parameters<typeof parseFlags>[1]): Flags {
  try {
    const boolean = [...(known.boolean ?? []), 'verbose', 'trace', 'timestamps'];
    return parseFlags(call.args.slice(2), { ...known, boolean });
  } catch (error) {
    throw fatal((error as Error).message);
  }
}

/** As logrus writes to an output that is not a terminal. */
function info(text: string): string {
  return `INFO[0000] ${text}\n`;
}

function fatal(text: string): Failure {
  return new Failure(`FATA[0000] ${text}`);
}
