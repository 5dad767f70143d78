import { homedir } from 'node:os';
import { Deadline } from '../../lib/core/deadline.ts';
import { StellarError } from '../../lib/core/errors.ts';
import { silentProgress } from '../../lib/core/run.ts';
import type { Kube } from '../../lib/kube/client/client.ts';
import type { SelectedContext } from '../../lib/kube/kubeconfig/kubeconfig.ts';
import { Clusters } from '../common/clusters.ts';
import type { SessionOptions } from '../common/options.ts';
import type { Io } from '../terminal/io.ts';
import type { Typed } from './typed.ts';

/** The clusters of a command line that must not prompt: a shell is completing a word. */
export class QuietClusters extends Clusters {
  /** @param limitMs how long they may take to respond, in milliseconds */
  constructor(io: Io, { options }: Pick<Typed, 'options'>, limitMs: number) {
    const given = {
      kubeconfig: options.get('--kubeconfig'),
      wecKubeconfig: options.get('--wec-kubeconfig'),
      its: options.get('--its'),
      wds: options.get('--wds'),
      hostingContext: options.get('--hosting-context'),
    };
    // The shell has not expanded the `~` of a line that is still being typed.
    const known = Object.entries(given).flatMap(([name, values]) =>
      values?.at(-1) ? [[name, values.at(-1)?.replace(/^~(?=\/)/, () => homedir())]] : [],
    );
    const session: SessionOptions = {
      ...Object.fromEntries(known),
      output: 'table',
      color: 'never',
      timeout: limitMs,
    };
    const signal = AbortSignal.timeout(limitMs);
    super(io, session, {
      progress: silentProgress,
      deadline: new Deadline(limitMs),
      signal,
      dryRun: false,
    });
  }

  /**
   * @throws StellarError `credentials-failed` if another program would issue the credentials: an exec plugin, even one that never
   * reads the terminal, may open a browser, and so may the programs of the older `auth-provider`
   */
  override connect(context: SelectedContext): Kube {
    const { exec, 'auth-provider': provider } = context.user;
    if (exec || provider)
      throw new StellarError(
        'credentials-failed',
        `The credentials of context ${context.name} may need a person.`,
      );
    return super.connect(context);
  }
}
