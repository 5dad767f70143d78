import { StellarError } from '../engine/errors.ts';
import type { Reader } from './client/client.ts';

/** Looks at a cluster for somebody who may not see all of it. */
export interface LenientReader extends Reader {
  /** Plural names of the kinds that could not be read: what was asked of them was answered as if it were not there. */
  readonly forbidden: ReadonlySet<string>;
}

/** Why it is not seen what could not be read. @param plurals of the kinds; @param where as `in NAMESPACE` */
export const mayNotRead = (plurals: Iterable<string>, where = ''): string =>
  `this user may not read ${[...plurals].join(' and ')}${where && ` ${where}`}`;

export function lenient(kube: Reader): LenientReader {
  const forbidden = new Set<string>();
  const unlessForbidden = async <T>({ plural }: { plural: string }, reading: Promise<T>): Promise<T | undefined> => {
    try {
      return await reading;
    } catch (error) {
      if (!(error instanceof StellarError) || error.code !== 'forbidden') throw error;
      forbidden.add(plural);
      return undefined;
    }
  };
  return {
    cluster: kube.cluster,
    forbidden,
    get: (resource, name, options) => unlessForbidden(resource, kube.get(resource, name, options)),
    list: (resource, selection) => unlessForbidden(resource, kube.list(resource, selection)),
  };
}
