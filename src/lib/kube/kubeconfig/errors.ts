import { StellarError } from '../../core/errors.ts';
import { isObject } from '../../core/is-object.ts';
import { advice, type NextStep } from '../../core/next-step.ts';

/** @param why never quotes the file: it may hold credentials */
export function invalidKubeconfig(file: string, why: string): StellarError {
  return new StellarError('kubeconfig-invalid', `The kubeconfig ${file} cannot be used: ${why}.`);
}

/** The named entries of one list in a file. A duplicate name in one file is an error, as for kubectl. */
export function namedEntries(
  file: string,
  document: Record<string, unknown>,
  list: string,
  key: string,
): [string, Record<string, unknown>][] {
  const items = document[list] ?? [];
  if (!Array.isArray(items)) throw invalidKubeconfig(file, `"${list}" is not a list`);
  const names = new Set<string>();
  return items.map((item): [string, Record<string, unknown>] => {
    if (!isObject(item)) throw invalidKubeconfig(file, `"${list}" has an entry that is not an object`);
    const name = typeof item.name === 'string' ? item.name : '';
    if (names.has(name)) throw invalidKubeconfig(file, `"${list}" has the name "${name}" twice`);
    names.add(name);
    const entry = item[key] ?? {};
    if (!isObject(entry)) throw invalidKubeconfig(file, `"${key}" of "${name}" is not an object`);
    return [name, entry];
  });
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
        : [advice(`Give one: ${option} CONTEXT`), advice(`Contexts: ${[...contexts.keys()].join(', ')}`)],
  });
}

/** The step for a user without any context. @param missing files that KUBECONFIG names */
export const toGiveKubeconfig = (missing: readonly string[] = []): NextStep =>
  advice(
    `${missing.length > 0 ? `KUBECONFIG names ${missing.join(', ')}, which does not exist. ` : ''}Give a kubeconfig: --kubeconfig FILE, or the variable KUBECONFIG`,
  );
