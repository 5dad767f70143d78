import { command } from '../../engine/command-line.ts';
import { StellarError } from '../../engine/errors.ts';
import { run } from '../../engine/next-step.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';
import { describeObject } from '../../model/object-ref.ts';
import { type Binding, objectsOf } from '../../model/policies.ts';
import { flagsOf, type OpenWds } from '../../spaces/open-wds.ts';
import { digestObjects } from '../wds/full-objects.ts';
import { hasField, parsePath, readable } from './path.ts';

/** control.kubestellar.io/v1alpha1 CustomTransform: the fields to remove from objects of a kind before they are sent. */
export interface CustomTransform extends KubeObject {
  spec?: TransformSpec;
  status?: { errors?: string[] | null; warnings?: string[] | null };
}

export interface TransformSpec {
  apiGroup: string;
  /** Plural, in lower case. */
  resource: string;
  /** JSONPath expressions, limited to the subset that path.ts supports. */
  remove?: string[];
}

/** The fields are an interface: docs/output.md. */
export interface TransformView {
  name: string;
  group: string;
  resource: string;
  remove: string[];
  /** Other transforms of the same kind. All of them apply, in no particular order. */
  besides: string[];
  /** Errors that KubeStellar reports. */
  errors: string[];
  warnings: string[];
}

export async function listTransforms({ kube }: OpenWds): Promise<TransformView[]> {
  const all = (await kube.list<CustomTransform>(resources.customTransforms)) ?? [];
  return all.map((transform) => viewOf(transform, all));
}

/** @throws StellarError `not-found` */
export async function getTransform(
  wds: OpenWds,
  name: string,
): Promise<{ transform: CustomTransform; view: TransformView }> {
  const all = (await wds.kube.list<CustomTransform>(resources.customTransforms)) ?? [];
  const transform = all.find(({ metadata }) => metadata.name === name);
  if (transform === undefined)
    throw new StellarError('not-found', `${wds.name} has no CustomTransform ${name}.`, {
      next: [run(command`stellarctl transform list ${flagsOf(wds)}`, 'See what exists')],
    });
  return { transform, view: viewOf(transform, all) };
}

export const isOfKind = ({ spec }: CustomTransform, { apiGroup, resource }: TransformSpec): boolean =>
  (spec?.apiGroup ?? '') === apiGroup && spec?.resource === resource;

function viewOf({ metadata: { name }, spec, status }: CustomTransform, all: readonly CustomTransform[]): TransformView {
  const { apiGroup = '', resource = '', remove = [] } = spec ?? {};
  const same = all.filter((other) => isOfKind(other, { apiGroup, resource })).map((other) => other.metadata.name);
  return {
    ...{ name, group: apiGroup, resource, remove, besides: same.filter((other) => other !== name) },
    ...{ errors: status?.errors ?? [], warnings: status?.warnings ?? [] },
  };
}

/** A transform, and what it removes. The fields are an interface: docs/output.md. */
export type AppliedTransform = Pick<TransformView, 'name' | 'resource' | 'remove'>;

/** Returns the transforms of some kinds. KubeStellar ignores paths that it cannot read. */
export const transformsOf = (
  all: readonly CustomTransform[],
  kinds: readonly { group?: string; resource: string }[],
): AppliedTransform[] =>
  all
    .filter((each) => kinds.some(({ group = '', resource }) => isOfKind(each, { apiGroup: group, resource })))
    .map(({ metadata, spec }) => ({
      ...{ name: metadata.name, resource: spec?.resource ?? '', remove: readable(spec?.remove ?? []) },
    }));

/** What a transform removes from the objects that are sent now. */
interface Removal {
  path: string;
  /** Objects that have the field, for example `Deployment shop/web`. */
  objects: string[];
}

export interface TransformEffect {
  /** Names of the Bindings, and so of the policies, that send an object of the kind. */
  policies: string[];
  /** Number of objects of the kind that are sent. */
  sent: number;
  removals: Removal[];
}

/**
 * Returns what a transform removes from the objects that a WDS sends now. @throws StellarError `usage` for a path that cannot be
 * parsed
 */
export async function effectOf(
  { apiGroup, resource, remove = [] }: TransformSpec,
  wds: OpenWds,
): Promise<TransformEffect> {
  const paths = remove.map((text) => ({ text, path: parsePath(text) }));
  const bindings = (await wds.kube.list<Binding>(resources.bindings)) ?? [];
  const boundIn = (binding: Binding) =>
    objectsOf(binding).filter((bound) => (bound.group ?? '') === apiGroup && bound.resource === resource);
  const sending = bindings.filter((binding) => boundIn(binding).length > 0);
  const found = await digestObjects(wds.kube, sending.flatMap(boundIn), (_bound, object) => ({
    name: describeObject({ kind: resource, metadata: object.metadata }),
    has: paths.filter(({ path }) => hasField(object, path)).map(({ text }) => text),
  }));
  const byName = new Map(found.map((each) => [each.name, each]));
  return {
    policies: sending.map(({ metadata }) => metadata.name).sort(),
    sent: byName.size,
    removals: remove.map((path) => ({
      path,
      objects: [...byName.values()].filter(({ has }) => has.includes(path)).map(({ name }) => name),
    })),
  };
}
