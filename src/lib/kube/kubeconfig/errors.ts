import { StellarError } from '../../engine/errors.ts';
import { inWords, type NextStep } from '../../engine/next-step.ts';

/** @param why never quotes the file: it may hold credentials */
export function invalidKubeconfig(file: string, why: string): StellarError {
  return new StellarError('kubeconfig-invalid', `The kubeconfig ${file} cannot be used: ${why}.`);
}

/** The error if neither an option nor anything else selects a cluster. */
export function noneGiven(
  none: string,
  option: string,
  { contexts, missing }: { contexts: ReadonlyMap<string, unknown>; missing?: string[] | undefined },
): StellarError {
  return new StellarError('usage', `${none} was given, and there is no current context.`, {
    next:
      contexts.size === 0
        ? [toGiveKubeconfig(missing)]
        : [inWords(`Give one: ${option} CONTEXT`), inWords(`Contexts: ${[...contexts.keys()].join(', ')}`)],
  });
}

/** The step for a user without any context. @param missing files that KUBECONFIG names */
export const toGiveKubeconfig = (missing: readonly string[] = []): NextStep =>
  inWords(
    `${missing.length > 0 ? `KUBECONFIG names ${missing.join(', ')}, which does not exist. ` : ''}Give a kubeconfig: --kubeconfig FILE, or the variable KUBECONFIG`,
  );
