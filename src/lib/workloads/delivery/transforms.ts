import { groupOf, type KubeObject, resources } from '../../kube/client/objects.ts';
import { listIfDefined } from '../../kube/served.ts';
import type { Wds } from '../../spaces/choose/open-wds.ts';
import { getReported } from '../selection/create-object.ts';
import { discoverSendable, requireKind } from '../selection/wds-contents.ts';

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
export type TransformView = ReturnType<typeof transformView>;

export async function listTransforms({ kube }: Wds): Promise<TransformView[]> {
  const all = (await listIfDefined<CustomTransform>(kube, resources.customTransforms)) ?? [];
  return all.map(transformView);
}

/** @throws StellarError `not-found` */
export async function getTransform(wds: Wds, name: string) {
  const transform = await getReported<CustomTransform>('transform', name, wds);
  return { transform, view: transformView(transform) };
}

const transformView = ({ metadata: { name }, spec, status }: CustomTransform) => ({
  name,
  group: spec?.apiGroup ?? '',
  resource: spec?.resource ?? '',
  remove: spec?.remove ?? [],
  /** Errors that KubeStellar reports. */
  errors: status?.errors ?? [],
  warnings: status?.warnings ?? [],
});

/** @param kind any name of the kind @throws StellarError `usage` */
export async function transformSpec(
  kind: string,
  remove: readonly string[],
  wds: Wds,
): Promise<TransformSpec> {
  const found = requireKind(kind, await discoverSendable(wds));
  return { apiGroup: groupOf(found.apiVersion), resource: found.plural, remove: [...remove] };
}
