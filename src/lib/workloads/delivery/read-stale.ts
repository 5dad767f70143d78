import { mapConcurrently, requestsAtOnce } from '../../engine/concurrency.ts';
import { ifSeen, reading } from '../../kube/access.ts';
import { resources } from '../../kube/resources.ts';
import type { OpenWds } from '../../spaces/open-wds.ts';
import { effectiveProperties } from '../../wecs/customization.ts';
import { getPropertiesOf } from '../../wecs/properties.ts';
import type { ManifestWork } from '../manifest-works.ts';
import { templateKeysOf } from '../policies/template-keys.ts';
import { parsePath, readable } from '../transforms/path.ts';
import { type CustomTransform, isOfKind } from '../transforms/transforms.ts';
import { staleContent } from './stale-content.ts';
import type { Way } from './way.ts';

/** The ways of an object that was read whole, each with where its work has not what templates and transforms give today. */
export async function withStale(ways: readonly Way[], wds: OpenWds): Promise<Way[]> {
  const [
    {
      of: { object, group, resource },
    },
  ] = ways as [Way];
  if (object === undefined || wds.its.state !== 'seen') return [...ways];
  const transforms = ifSeen(await reading(() => wds.kube.list<CustomTransform>(resources.customTransforms))) ?? [];
  const removed = transforms
    .filter((transform) => isOfKind(transform, { apiGroup: group, resource }))
    .flatMap(({ spec }) => readable(spec?.remove ?? []).map(parsePath));
  if (removed.length === 0 && templateKeysOf(object).size === 0) return [...ways];
  const { kube } = wds.its.value;
  return mapConcurrently(ways, requestsAtOnce, async (way) => {
    const { wec, sent, cluster } = way;
    if (wec === undefined || sent.state !== 'seen' || sent.value === undefined) return way;
    const { name } = sent.value.work.metadata;
    const read = await reading(() =>
      Promise.all([
        kube.get<ManifestWork>(resources.manifestWorks, name, { namespace: wec }),
        getPropertiesOf(kube, wec),
      ]),
    );
    if (read.state !== 'seen') return way;
    const [work, configMap] = read.value;
    const content = work?.spec?.workload?.manifests?.find(
      ({ kind, metadata }) =>
        kind === way.of.kind && metadata?.name === way.of.name && metadata.namespace === way.of.namespace,
    );
    const properties = new Map(
      effectiveProperties(wec, ifSeen(cluster), configMap).map(({ key, value }) => [key, value]),
    );
    const stale = content && staleContent(object, content, { properties, removed });
    return stale === undefined ? way : { ...way, stale };
  });
}
