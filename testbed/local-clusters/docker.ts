import type { Call } from './protocol.ts';
import { Failure, type Surroundings } from './surroundings.ts';

/**
 * Stands in for docker, as far as stellarctl uses it: `--version`, `version --format {{.Server.Version}}`, and
 * `container inspect --format {{json .HostConfig.PortBindings}} NAME`.
 */
export async function docker(
  { args }: Call,
  { out, version, docker: trouble, clusters }: Surroundings,
): Promise<void> {
  const [command = '', ...rest] = args;
  if (command === '--version') return out(`Docker version ${version}, build f52814d\n`);
  if (trouble) throw new Failure(trouble);
  if (command === 'version') return out(`${version}\n`);
  const name = rest.at(-1) ?? '';
  if (command !== 'container' || rest[0] !== 'inspect')
    throw new Failure(
      `docker: unknown command: docker ${command}\n\nRun 'docker --help' for more information`,
    );
  // Ports of this machine are mapped to kind's node, and to a load balancer in front of k3d's.
  const found = clusters.all.find(
    (cluster) =>
      name === (cluster.provider === 'k3d' ? `k3d-${cluster.name}-serverlb` : cluster.container),
  );
  if (!found) throw new Failure(`Error response from daemon: No such container: ${name}`);
  const bindings = found.ports.map(({ node, host }) => [
    `${node}/tcp`,
    [{ HostIp: '0.0.0.0', HostPort: String(host) }],
  ]);
  const all = {
    '6443/tcp': [{ HostIp: '127.0.0.1', HostPort: '6443' }],
    ...Object.fromEntries(bindings),
  };
  out(`${JSON.stringify(all)}\n`);
}
