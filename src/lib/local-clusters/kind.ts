import { programFailed } from '../programs/program.ts';
import type { Attempt, LocalProvider, NewCluster, ProviderProgram } from './provider.ts';

/** The label by which ingress-nginx for kind selects the node with the port mappings. */
export const ingressNodeLabel = 'ingress-ready';

/** kind (https://kind.sigs.k8s.io), through its command line. */
export class Kind implements LocalProvider {
  readonly name = 'kind';
  readonly #kind: ProviderProgram;

  constructor(kind: ProviderProgram) {
    this.#kind = kind;
  }

  get program() {
    return this.#kind.program;
  }

  async clusters(): Promise<string[]> {
    const args = ['get', 'clusters'];
    const output = await this.#kind.run({ args });
    if (output.exitCode !== 0) throw programFailed(this.#kind.program, args, output);
    return output.stdout.split('\n').filter((line) => line !== '');
  }

  create({ name, image, network, ingressPort }: NewCluster): Promise<Attempt> {
    const args = ['create', 'cluster', '--name', name, '--kubeconfig', this.#kind.scratch];
    if (image !== undefined) args.push('--image', image);
    if (ingressPort !== undefined) args.push('--config', '-');
    return this.#kind.run({
      args,
      input: ingressPort === undefined ? '' : JSON.stringify(configWithIngress(ingressPort), null, 2),
      env: network === undefined ? {} : { KIND_EXPERIMENTAL_DOCKER_NETWORK: network },
    });
  }

  kubeconfig(name: string): Promise<Attempt> {
    return this.#kind.run({ args: ['get', 'kubeconfig', '--name', name] });
  }

  remove(name: string): Promise<Attempt> {
    return this.#kind.run({ args: ['delete', 'cluster', '--name', name, '--kubeconfig', this.#kind.scratch] });
  }
}

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
