import type { FoundProgram, ProgramOutput } from '../programs/program.ts';
import type { ProviderName } from './names.ts';

/** A cluster to make. */
export interface NewCluster {
  name: string;
  /** The image of its nodes; undefined for the provider's own. */
  image: string | undefined;
  /** The container network; undefined for the provider's own. */
  network: string | undefined;
  /** The port of this machine that leads to the cluster's ingress; undefined for a cluster without one. */
  ingressPort: number | undefined;
  /** How long it may take, in milliseconds, where the provider can be told: it then clears up behind itself. */
  limitMs: number;
}

/** How one run of a provider's program has ended. */
export interface Attempt extends ProgramOutput {
  args: readonly string[];
}

/** A program that makes clusters, found on this machine. It never touches the user's kubeconfig. */
export interface LocalProvider {
  readonly name: ProviderName;
  readonly program: FoundProgram;
  /** The names of its clusters, also of those that are stopped or half made. @throws StellarError `program-failed` */
  clusters(): Promise<string[]>;
  /** Makes a cluster, and waits until its API server runs. Whatever it ends with is a result. */
  create(cluster: NewCluster): Promise<Attempt>;
  /** The kubeconfig of a cluster, as this machine reaches it. */
  kubeconfig(name: string): Promise<Attempt>;
  remove(name: string): Promise<Attempt>;
  /** What a person types to start a cluster whose containers were stopped. */
  startCommand(name: string): string;
}

/** A provider's program, kept away from the user's kubeconfig. */
export interface ProviderProgram {
  program: FoundProgram;
  /** A file of ours that it may write to, in place of the user's kubeconfig. */
  scratch: string;
  /** @param env over the user's own */
  run(invocation: { args: readonly string[]; input?: string; env?: NodeJS.ProcessEnv }): Promise<Attempt>;
}
