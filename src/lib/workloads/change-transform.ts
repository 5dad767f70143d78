import { forName } from '../core/each-name.ts';
import type { Run } from '../core/run.ts';
import { groupOf, resources } from '../kube/client/resources.ts';
import { discoverKinds } from '../kube/discovery.ts';
import type { OpenWds } from '../spaces/open-wds.ts';
import type { ObjectResult } from './create-object.ts';
import { requireKind } from './find-kind.ts';
import { getTransform, type TransformSpec } from './transforms.ts';
import { sendableKinds } from './wds-contents.ts';

/** @param kind any name of the kind @throws StellarError `usage` */
export async function transformSpec(kind: string, remove: readonly string[], wds: OpenWds): Promise<TransformSpec> {
  const found = requireKind(kind, sendableKinds(await discoverKinds(wds.kube), wds.apiGroups));
  return { apiGroup: groupOf(found.apiVersion), resource: found.plural, remove: [...remove] };
}

/** @throws StellarError `not-found` */
export async function deleteTransform(name: string, wds: OpenWds, run: Run): Promise<ObjectResult> {
  const { transform } = await getTransform(wds, name);
  const result: ObjectResult = { name, wds: wds.name, changed: false };
  return forName(result, run, async () => {
    result.changed = await wds.kube.delete(resources.customTransforms, name, { uid: transform.metadata.uid });
    if (!run.dryRun) run.progress.done(name, 'deleted');
  });
}
