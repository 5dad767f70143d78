import type { LocalCluster } from './clusters.ts';
import type { Call } from './protocol.ts';
import { Failure, type Surroundings } from './surroundings.ts';

/**
 * Stands in for docker, as far as kind, k3d and stellarctl use it for clusters: `version`, `info`, `ps`, `container inspect`,
 * `network`.
 * It knows only the formats that are listed here.
 */
export async function docker({ args }: Call, { out, version, docker: trouble, clusters }: Surroundings): Promise<void> {
  const [command = '', ...rest] = args;
  if (command === '--version' || command === '-v') {
    out(`Docker version ${version}, build f52814d\n`);
    return;
  }
  const format = formatOf(rest);
  if (command === 'version' && trouble) {
    if (!format) out(`Client: Docker Engine - Community\n Version:           ${version}\n`);
    throw new Failure(trouble);
  }
  if (trouble) throw new Failure(trouble);
  const answer = answers[command];
  if (!answer)
    throw new Failure(`docker: unknown command: docker ${command}\n\nRun 'docker --help' for more information`);
  out(answer({ rest, format, version, all: clusters.all }));
}

interface Question {
  rest: string[];
  format: string | undefined;
  version: string;
  all: LocalCluster[];
}

const answers: Record<string, (question: Question) => string> = {
  version: ({ format, version }) =>
    format
      ? filled(format, { 'Server.Version': version, 'Client.Version': version })
      : `Server: Docker Engine - Community\n Engine:\n  Version:          ${version}\n`,
  info: ({ format, version, all }) =>
    format
      ? filled(format, {
          ServerVersion: version,
          Driver: 'overlay2',
          NCPU: '4',
          MemTotal: String(16 * 2 ** 30),
          Containers: String(all.length),
        })
      : `Server:\n Containers: ${all.length}\n Server Version: ${version}\n`,
  ps: ({ format, all }) =>
    format
      ? all
          .map(({ container, network }) =>
            filled(format, { Names: container, Networks: network, Status: 'Up 5 minutes' }),
          )
          .join('')
      : [
          'CONTAINER ID   IMAGE   STATUS   NAMES',
          ...all.map(({ container }) => `${'0'.repeat(12)}   node   Up   ${container}`),
        ]
          .join('\n')
          .concat('\n'),
  container: ({ rest: [verb, ...names], format, all }) => {
    if (verb !== 'inspect') throw new Failure(`docker: unknown command: docker container ${verb ?? ''}`);
    return inspectContainer(withoutFlags(names), format, all);
  },
  network: ({ rest: [verb, ...names], format, all }) => (verb === 'ls' ? networks(all, format) : inspect(names, all)),
};

function networks(all: LocalCluster[], format: string | undefined): string {
  const names = [...new Set(['bridge', 'host', 'none', ...all.map(({ network }) => network)])];
  return names.map((name) => filled(format ?? '{{.Name}}', { Name: name })).join('');
}

const withoutFlags = (args: string[]): string[] =>
  args.filter((arg, i) => !arg.startsWith('-') && !/^(-f|--format)$/.test(args[i - 1] ?? ''));

/** Ports of this machine are mapped to kind's node, and to a load balancer in front of k3d's. */
function inspectContainer([name = '']: string[], format: string | undefined, all: LocalCluster[]): string {
  const found = all.find(
    (cluster) => name === (cluster.provider === 'k3d' ? `k3d-${cluster.name}-serverlb` : cluster.container),
  );
  if (!found) throw new Failure(`Error response from daemon: No such container: ${name}`);
  const bindings = found.ports.map(({ node, host }) => [
    `${node}/tcp`,
    [{ HostIp: '0.0.0.0', HostPort: String(host) }],
  ]);
  const PortBindings = { '6443/tcp': [{ HostIp: '127.0.0.1', HostPort: '6443' }], ...Object.fromEntries(bindings) };
  if (format === '{{json .HostConfig.PortBindings}}') return `${JSON.stringify(PortBindings)}\n`;
  return `${JSON.stringify([{ Name: `/${name}`, HostConfig: { PortBindings } }], null, 4)}\n`;
}

function inspect(args: string[], all: LocalCluster[]): string {
  const names = withoutFlags(args);
  const found = names.map((name) => ({
    Name: name,
    Driver: 'bridge',
    Containers: Object.fromEntries(
      all.filter(({ network }) => network === name).map(({ container }, i) => [String(i), { Name: container }]),
    ),
  }));
  const missing = found.find(({ Name, Containers }) => Name !== 'bridge' && Object.keys(Containers).length === 0);
  if (missing) throw new Failure(`[]\nError response from daemon: network ${missing.Name} not found`);
  return `${JSON.stringify(found, null, 4)}\n`;
}

function formatOf(args: string[]): string | undefined {
  const at = args.findIndex((arg) => arg === '--format' || arg === '-f');
  if (at >= 0) return args[at + 1];
  return args.find((arg) => arg.startsWith('--format='))?.slice('--format='.length);
}

/** One line: a Go template of plain fields, or all fields as JSON. */
function filled(format: string, fields: Record<string, string>): string {
  const text = format.replace(/\{\{\s*json\s+\.\s*\}\}|^json$/g, () => JSON.stringify(fields));
  return `${text.replace(/\{\{\s*\.([\w.]+)\s*\}\}/g, (_whole, name: string) => fields[name] ?? '')}\n`;
}
