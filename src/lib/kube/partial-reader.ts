import { StellarError } from '../core/errors.ts';
import type { Reader } from './client/client.ts';

/** Reads from a cluster for a user who may not read all of it. */
export interface PartialReader extends Reader {
  /** Plural names of the kinds that this user may not read: reads of them return nothing. */
  readonly forbidden: ReadonlySet<string>;
}

/** Why something is not visible. @param plurals of the kinds @param where such as `in NAMESPACE` */
export const mayNotRead = (plurals: Iterable<string>, where = ''): string =>
  `this user may not read ${[...plurals].join(' and ')}${where && ` ${where}`}`;

export function partialReader(kube: Reader): PartialReader {
  const forbidden = new Set<string>();
  const unlessForbidden = async <T>({ plural }: { plural: string }, request: Promise<T>): Promise<T | undefined> => {
    try {
      return await request;
    } catch (error) {
      if (!(error instanceof StellarError) || error.code !== 'forbidden') throw error;
      forbidden.add(plural);
      return undefined;
    }
  };
  return {
    cluster: kube.cluster,
    now: () => kube.now(),
    forbidden,
    get: (resource, name, options) => unlessForbidden(resource, kube.get(resource, name, options)),
    list: (resource, selection) => unlessForbidden(resource, kube.list(resource, selection)),
  };
}
