import { type Binding, type Candidate, objectsOf } from './kubestellar-names.ts';

/** An object in a document for scripts. The fields are an interface: docs/output.md. */
export interface ObjectView {
  kind: string;
  group: string;
  namespace: string | null;
  name: string;
}

export interface ObjectOnWec {
  wec: string;
  object: ObjectView;
}

/** Describes an object by kind and name, for example `Deployment shop/web`. */
export const describeObject = ({ kind, namespace, name }: DescribedObject) =>
  `${kind} ${namespace ? `${namespace}/` : ''}${name}`;

/** An object as commands take it: KIND.GROUP/NAMESPACE/NAME. */
export const argumentOf = ({ kind, group, namespace, name }: ObjectView) =>
  [
    kind.toLowerCase() + (group && `.${group}`),
    ...(namespace === null ? [] : [namespace]),
    name,
  ].join('/');

interface DescribedObject {
  kind: string;
  namespace?: string | null | undefined;
  name: string;
}

/** Identifies an object within one API server, regardless of the API version it is read in. */
export const keyOf = (object: {
  group?: string;
  resource: string;
  namespace?: string | undefined;
  name: string;
}) => [object.group ?? '', object.resource, object.namespace ?? '', object.name].join('/');

/** Does the same as `keyOf`, for an object with metadata. */
export const keyOfCandidate = ({
  group,
  resource,
  metadata,
}: Omit<Candidate, 'kind' | 'version'>) => keyOf({ group, resource, ...metadata });

/** Whether a Binding names an object. */
export const isBoundBy = (binding: Binding, object: Parameters<typeof keyOf>[0]) =>
  objectsOf(binding).some((bound) => keyOf(bound) === keyOf(object));
