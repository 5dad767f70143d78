import { StellarError } from '../engine/errors.ts';
import { programFailed } from '../programs/program.ts';
import type { Attempt, LocalProvider, NewCluster, ProviderProgram } from './provider.ts';

/** k3d (https://k3d.io), through its command line. */
export class K3d implements LocalProvider {
  readonly name = 'k3d';
  readonly #k3d: ProviderProgram;

  constructor(k3d: ProviderProgram) {
    this.#k3d = k3d;
  }

  get program() {
    return this.#k3d.program;
  }

  async clusters(): Promise<string[]> {
    const args = ['cluster', 'list', '--output', 'json'];
    const output = await this.#k3d.run({ args });
    if (output.exitCode !== 0) throw programFailed(this.program, args, output);
    try {
      // k3d prints null if there are no clusters.
      return ((JSON.parse(output.stdout) as { name: string }[] | null) ?? []).map(({ name }) => name);
    } catch (cause) {
      throw new StellarError('program-failed', 'k3d did not print the JSON that was requested.', { cause });
    }
  }

  create({ name, image, network, ingressPort, limitMs }: NewCluster): Promise<Attempt> {
    const args = ['cluster', 'create', name, '--kubeconfig-update-default=false', '--kubeconfig-switch-context=false'];
    args.push('--timeout', `${Math.max(10, Math.floor(limitMs / 1000))}s`);
    if (image !== undefined) args.push('--image', image);
    if (network !== undefined) args.push('--network', network);
    // Traefik and ingress-nginx would bind the same port.
    if (ingressPort !== undefined)
      args.push('--port', `${ingressPort}:443@loadbalancer`, '--k3s-arg', '--disable=traefik@server:*');
    return this.#k3d.run({ args });
  }

  kubeconfig(name: string): Promise<Attempt> {
    return this.#k3d.run({ args: ['kubeconfig', 'get', name] });
  }

  remove(name: string): Promise<Attempt> {
    return this.#k3d.run({ args: ['cluster', 'delete', name] });
  }
}
