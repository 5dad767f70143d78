import { ifSeen } from '../../kube/access.ts';
import { discoverKinds } from '../../kube/discovery.ts';
import { conditionOf } from '../../kube/objects.ts';
import { groupOf } from '../../kube/resources.ts';
import type { OpenWds } from '../../spaces/open-wds.ts';
import { keyOf } from '../object-ref.ts';
import { destinationsOf, objectsOf } from '../policies/policy.ts';
import { readDelivery } from './evidence.ts';
import type { SentObject } from './works.ts';

/** An object that policies send, and on how many WECs it is. The fields are an interface: docs/output.md. */
export interface WorkloadSummary {
  kind: string;
  group: string;
  namespace: string | null;
  /** As `Deployment shop/web`. */
  name: string;
  policies: string[];
  /** Each WEC once, whatever the number of policies. */
  wecs: number;
  /** Null where the ITS is not seen. */
  applied: number | null;
  available: number | null;
  failed: number | null;
}

/** The objects in the Bindings of a WDS, in their order. */
export async function listWorkloads(wds: OpenWds): Promise<WorkloadSummary[]> {
  const [kinds, { bindings, works }] = await Promise.all([discoverKinds(wds.kube), readDelivery(wds)]);
  const kindOf = new Map(kinds.map(({ apiVersion, plural, kind }) => [`${groupOf(apiVersion)}/${plural}`, kind]));
  const sent = ifSeen(works);
  const all = [...bindings.values()].flatMap((binding) => objectsOf(binding).map((bound) => ({ binding, bound })));
  return [...Map.groupBy(all, ({ bound }) => keyOf(bound)).values()].map((found) => {
    const [{ bound }] = found as [(typeof found)[number]];
    const { group = '', resource, namespace, name } = bound;
    const kind = kindOf.get(`${group}/${resource}`) ?? resource;
    const places = found.flatMap(({ binding }) =>
      destinationsOf(binding).map((wec) => ({
        wec,
        of: sent?.find(binding.metadata.name, wec, { group, kind, namespace, name }),
      })),
    );
    const byWec = [...Map.groupBy(places, ({ wec }) => wec).values()];
    /** Of two policies both have to be through, and one that has failed counts. */
    const count = (isOne: (all: readonly (SentObject | undefined)[]) => boolean) =>
      sent === undefined ? null : byWec.filter((ways) => isOne(ways.map(({ of }) => of))).length;
    return {
      ...{ kind, group, namespace: namespace ?? null },
      name: `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`,
      policies: found.map(({ binding }) => binding.metadata.name),
      wecs: byWec.length,
      applied: count((ways) => ways.every((way) => stateOf(way, 'Applied') === 'True')),
      available: count((ways) => ways.every((way) => stateOf(way, 'Available') === 'True')),
      failed: count((ways) => ways.some((way) => stateOf(way, 'Applied') === 'False')),
    };
  });
}

/** What the agent says of the work as it is now. */
function stateOf(sent: SentObject | undefined, type: string): string | undefined {
  const condition = conditionOf({ status: sent?.manifest }, type);
  const generation = condition?.observedGeneration;
  return generation !== undefined && generation < (sent?.work.metadata.generation ?? 0) ? undefined : condition?.status;
}
