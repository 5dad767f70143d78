import { command } from '../core/command-line.ts';
import { StellarError } from '../core/errors.ts';
import { run } from '../core/next-step.ts';
import type { KubeObject } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import { getServed } from '../kube/served.ts';
import { flagsOf, type OpenWds } from '../spaces/open-wds.ts';

/** control.kubestellar.io/v1alpha1 CustomTransform: the fields to remove from objects of a kind before they are sent. */
export interface CustomTransform extends KubeObject {
  spec?: TransformSpec;
  status?: { errors?: string[] | null; warnings?: string[] | null };
}

export interface TransformSpec {
  apiGroup: string;
  /** Plural, in lower case. */
  resource: string;
  /** JSONPath expressions, limited to `$`, then `.name` and `["any name"]` (kubestellar v0.30.0, pkg/jsonpath). */
  remove?: string[];
}

/** The fields are an interface: docs/output.md. */
export interface TransformView {
  name: string;
  group: string;
  resource: string;
  remove: string[];
  /** Errors that KubeStellar reports. */
  errors: string[];
  warnings: string[];
}

export async function listTransforms({ kube }: OpenWds): Promise<TransformView[]> {
  const all = (await kube.list<CustomTransform>(resources.customTransforms)) ?? [];
  return all.map(viewOf);
}

/** @throws StellarError `not-found` */
export async function getTransform(
  wds: OpenWds,
  name: string,
): Promise<{ transform: CustomTransform; view: TransformView }> {
  const transform = await getServed<CustomTransform>(wds.kube, resources.customTransforms, name);
  if (transform === undefined)
    throw new StellarError('not-found', `${wds.name} has no CustomTransform ${name}.`, {
      next: [run(command`stellarctl transform list ${flagsOf(wds)}`, 'See what exists')],
    });
  return { transform, view: viewOf(transform) };
}

const viewOf = ({ metadata: { name }, spec, status }: CustomTransform): TransformView => ({
  ...{ name, group: spec?.apiGroup ?? '', resource: spec?.resource ?? '', remove: spec?.remove ?? [] },
  ...{ errors: status?.errors ?? [], warnings: status?.warnings ?? [] },
});
