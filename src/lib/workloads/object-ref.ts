import type { Candidate } from './selection/clauses.ts';

/** An object by its kind and name, as `Deployment shop/web`. */
export const describeObject = ({ kind, metadata: { namespace, name } }: Pick<Candidate, 'kind' | 'metadata'>): string =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;

/** By this key objects of one server are told apart, in whatever version they are read. */
export const keyOf = (object: {
  group?: string;
  resource: string;
  namespace?: string | undefined;
  name: string;
}): string => [object.group ?? '', object.resource, object.namespace ?? '', object.name].join('/');

/** The same of an object with its metadata. */
export const keyOfCandidate = ({ group, resource, metadata }: Omit<Candidate, 'kind' | 'version'>): string =>
  keyOf({ group, resource, ...metadata });
