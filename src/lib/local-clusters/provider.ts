import type { FoundProgram, ProgramOutput } from '../programs/program.ts';
import type { ProviderName } from './names.ts';

/** A cluster to create. */
export interface NewCluster {
  name: string;
  /** The node image; undefined for the provider's default. */
  image: string | undefined;
  /** The container network; undefined for the provider's default. */
  network: string | undefined;
  /** The local port to map to the cluster's ingress; undefined for a cluster without one. */
  ingressPort: number | undefined;
  /** The provider's own timeout, in milliseconds, if it supports one: it then cleans up after itself. */
  limitMs: number;
}

/** The outcome of one run of a provider's program. */
export interface Attempt extends ProgramOutput {
  args: readonly string[];
}

/** An installed program that creates clusters. It never changes the user's kubeconfig. */
export interface LocalProvider {
  readonly name: ProviderName;
  readonly program: FoundProgram;
  /** The names of its clusters, including stopped and incomplete ones. @throws StellarError `program-failed` */
  clusters(): Promise<string[]>;
  /** Creates a cluster, and waits until its API server runs. Any exit code is a result. */
  create(cluster: NewCluster): Promise<Attempt>;
  /** The kubeconfig of a cluster, for use on this machine. */
  kubeconfig(name: string): Promise<Attempt>;
  remove(name: string): Promise<Attempt>;
}

/** A provider's program, isolated from the user's kubeconfig. */
export interface ProviderProgram {
  program: FoundProgram;
  /** A temporary kubeconfig that it may write, instead of the user's. */
  scratch: string;
  /** @param env overrides variables of the user's environment */
  run(invocation: { args: readonly string[]; input?: string; env?: NodeJS.ProcessEnv }): Promise<Attempt>;
}
