import { mapConcurrently } from '../../core/concurrency.ts';
import { few } from '../../core/text/words.ts';
import { tryRead } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import {
  type BoundObject,
  describePolicy,
  destinationsOf,
  isEmptyBinding,
  objectsOf,
  type Policy,
  resourceOfBound,
} from '../../ocm/model/kubestellar-names.ts';
import { isAppliedByWork } from '../../ocm/work-origins.ts';

/** A policy that starts to select WECs. */
export interface Starting {
  policy: Policy;
  wecs: readonly string[];
}

/** Opens a WEC, where objects may be that no work has applied. @returns undefined if no context is proven to lead there */
export type LookOn = (wec: string) => Promise<Kube | undefined>;

/** Of so many WECs that start to be selected, so many objects are looked for. */
const mostLookedFor = 20;

/**
 * Why it cannot be said what WECs lose by changes of them, each a clause: policies without a Binding yet, and Bindings that list nothing although the
 * ITS has their works; statuses that KubeStellar 0.30.0 would confuse, after which its controller manager crashes and takes the
 * workloads of all policies away (conflicts.ts); objects that others have created, which agents would overwrite, and delete later.
 */
export async function unforeseen(
  policies: readonly Policy[],
  starting: readonly Starting[],
  lookOn: LookOn | undefined,
): Promise<string[]> {
  const empty = policies.filter(
    ({ binding, worksOn }) => worksOn.length > 0 && isEmptyBinding(binding),
  );
  const byName = Map.groupBy(
    policies.flatMap((policy) =>
      boundBy(policy).map((object) => ({ policy, object, on: wecsOf(policy, starting) })),
    ),
    ({ object }) => nameOf(object),
  );
  const confused = starting.flatMap(({ policy, wecs }) =>
    boundBy(policy).flatMap((object) =>
      (byName.get(nameOf(object)) ?? []).flatMap((like) => {
        const on = wecs.filter((wec) => like.on.has(wec));
        const combined = [object, like.object].filter((each) => each.statusCollectors?.length);
        const isOne = combined.length === 2 && like.policy === policy;
        if (on.length === 0 || like.object.namespace === object.namespace) return [];
        return combined.length === 0 || isOne
          ? []
          : `KubeStellar would confuse the statuses of ${wordsOf(object)} and ${wordsOf(like.object)} on ${few(on).join(', ')}, and crash`;
      }),
    ),
  );
  const looked = await mapConcurrently(starting, async ({ policy, wecs }) => {
    const taken = await mapConcurrently(wecs.slice(0, mostLookedFor), async (wec) => {
      const seen = await tryRead(async () => {
        const kube = await lookOn?.(wec);
        const found = kube && (await ownedByNobody(kube, boundBy(policy)));
        return found?.map((object) => `${wordsOf(object)} on ${wec}`) ?? [];
      });
      return seen.state === 'seen' ? seen.value : [];
    });
    const objects = few(taken.flat()).join(', ');
    return objects === ''
      ? []
      : `${describePolicy(policy)} would overwrite what no work has applied: ${objects}`;
  });
  return [
    ...empty.map(
      (policy) =>
        `the Binding of ${describePolicy(policy)} lists nothing, and works of it are on ${few(policy.worksOn).join(', ')}`,
    ),
    ...starting.flatMap(({ policy }) =>
      policy.isFresh ? `KubeStellar has not bound ${describePolicy(policy)} yet` : [],
    ),
    ...new Set(confused),
    ...looked.flat(),
  ];
}

const boundBy = ({ binding }: Policy) => (binding === undefined ? [] : objectsOf(binding));

const wecsOf = (policy: Policy, starting: readonly Starting[]) =>
  new Set([
    ...destinationsOf(policy.binding),
    ...policy.worksOn,
    ...starting.flatMap((each) => (each.policy === policy ? each.wecs : [])),
  ]);

const nameOf = ({ group = '', resource, name }: BoundObject) => `${group}/${resource}/${name}`;

const wordsOf = ({ resource, namespace, name }: BoundObject) =>
  [resource, namespace, name].filter(Boolean).join('/');

async function ownedByNobody(kube: Kube, objects: readonly BoundObject[]) {
  const found = await mapConcurrently(objects.slice(0, mostLookedFor), async (object) => {
    const { name, namespace } = object;
    const present = await kube.get(resourceOfBound(object), name, { namespace });
    return present === undefined || isAppliedByWork(present) ? [] : object;
  });
  return found.flat();
}
