import { asCalled } from '../engine/command-line.ts';
import { StellarError } from '../engine/errors.ts';
import { inWords } from '../engine/next-step.ts';
import type { Settings } from '../files/settings.ts';
import { type Kubeconfig, type SelectedContext, selectContext } from '../kube/kubeconfig/kubeconfig.ts';

/** Which ITS a command means, and why. */
export interface ItsChoice {
  context: string;
  source: '--its' | 'STELLARCTL_ITS' | 'its use' | 'current context';
}

/**
 * The ITS: what was given, else the variable STELLARCTL_ITS, else what `its use` chose, else the current context. No context is
 * ever probed to find one.
 * @throws StellarError `usage` when there is none of these
 */
export function chooseIts(
  given: string | undefined,
  env: NodeJS.ProcessEnv,
  settings: Settings,
  kubeconfig: Kubeconfig,
): ItsChoice {
  if (given !== undefined) return { context: given, source: '--its' };
  if (env.STELLARCTL_ITS) return { context: env.STELLARCTL_ITS, source: 'STELLARCTL_ITS' };
  if (settings.its !== undefined) return { context: settings.its, source: 'its use' };
  if (kubeconfig.currentContext !== undefined) return { context: kubeconfig.currentContext, source: 'current context' };
  throw noneGiven('No ITS', '--its', kubeconfig);
}

/** Neither an option nor anything else says which cluster is meant. */
export function noneGiven(none: string, option: string, { contexts }: Kubeconfig): StellarError {
  return new StellarError('usage', `${none} was given, and there is no current context.`, {
    next:
      contexts.size === 0
        ? [inWords('Give a kubeconfig: --kubeconfig FILE, or the variable KUBECONFIG')]
        : [inWords(`Give one: ${option} CONTEXT`), inWords(`Contexts: ${[...contexts.keys()].join(', ')}`)],
  });
}

/** Finds the context of an ITS; where it does not exist, says how it came to be meant. @throws StellarError `context-unknown` */
export function selectIts(kubeconfig: Kubeconfig, context: string, source: ItsChoice['source']): SelectedContext {
  try {
    return selectContext(kubeconfig, context);
  } catch (error) {
    const remedy = remedies[source];
    if (!(error instanceof StellarError) || error.code !== 'context-unknown' || remedy === undefined) throw error;
    throw new StellarError(error.code, `${error.message} It was selected by ${source}.`, {
      next: [...error.next, inWords(`To use another one: --its CONTEXT, or ${asCalled(remedy)}`)],
    });
  }
}

const remedies: Partial<Record<ItsChoice['source'], string>> = {
  STELLARCTL_ITS: 'unset STELLARCTL_ITS',
  'its use': 'stellarctl its use --unset',
};
