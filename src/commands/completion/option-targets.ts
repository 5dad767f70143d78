import { homedir } from 'node:os';
import type { Kubeconfig } from '../../lib/kube/kubeconfig/kubeconfig.ts';
import type { Io } from '../../lib/terminal/io.ts';
import type { QuietClusters } from './quiet-clusters.ts';
import type { Typed } from './typed.ts';

/** What the options of a command line select, each opened at its first use: most words need no cluster. */
export class OptionTargets {
  readonly #io: Io;
  readonly #options: Typed['options'];
  readonly #limitMs: number;
  #clusters: Promise<QuietClusters> | undefined;

  /** @param limitMs how long the search for names may take, in milliseconds */
  constructor(io: Io, { options }: Pick<Typed, 'options'>, limitMs: number) {
    this.#io = io;
    this.#options = options;
    this.#limitMs = limitMs;
  }

  /** Returns the last value of an option, by its long name. */
  given(option: string): string | undefined {
    return this.#options.get(option)?.at(-1) || undefined;
  }

  kubeconfig(): Promise<Kubeconfig> {
    return this.#load(this.#file('--kubeconfig'));
  }

  /** The kubeconfig with the contexts of WECs. */
  wecKubeconfig(): Promise<Kubeconfig> {
    return this.#load(this.#file('--wec-kubeconfig') ?? this.#file('--kubeconfig'));
  }

  /** The shell has not expanded the `~` of a line that is still being typed. */
  #file(option: string): string | undefined {
    return this.given(option)?.replace(/^~(?=\/)/, () => homedir());
  }

  async #load(file: string | undefined): Promise<Kubeconfig> {
    const { loadKubeconfig } = await import('../../lib/kube/kubeconfig/kubeconfig.ts');
    return loadKubeconfig(file, this.#io.env);
  }

  clusters(): Promise<QuietClusters> {
    this.#clusters ??= this.#open();
    return this.#clusters;
  }

  async #open(): Promise<QuietClusters> {
    const { QuietClusters } = await import('./quiet-clusters.ts');
    const options = {
      kubeconfig: this.#file('--kubeconfig'),
      its: this.given('--its'),
      wds: this.given('--wds'),
      hostingContext: this.given('--hosting-context'),
    };
    return new QuietClusters(this.#io, options, this.#limitMs);
  }
}
