import { advice, command, flagsOf, type Problem, problem, run } from '../../core/next-step.ts';
import { few } from '../../core/text/words.ts';
import { resources } from '../../kube/client/objects.ts';
import {
  type Binding,
  type BoundObject,
  destinationsOf,
  type KindRef,
  objectsOf,
  originBindingLabel,
  originWdsLabel,
} from '../../ocm/model/kubestellar-names.ts';
import { isLeaving, type ManifestWork } from '../../ocm/model/manifest-works.ts';
import { describeObject, keyOf } from '../../ocm/model/object-ref.ts';
import { senderOf } from '../../ocm/sender.ts';
import type { Wds } from '../../spaces/choose/open-wds.ts';
import { requireIts } from '../selection/unseen.ts';
import { boundObjects } from './delivery.ts';
import { sentKey, sentObjects, trimmer, viewOfSent } from './works.ts';

/** What a policy sends, or would send. */
export interface Sending {
  policy: string;
  wecs: readonly string[];
  objects: readonly SentRef[];
}

type SentRef = Pick<KindRef, 'group' | 'resource' | 'kind'> & {
  namespace?: string | null | undefined;
  name: string;
  createOnly?: boolean | undefined;
};

/**
 * Objects that another policy sends to the same WEC with another createOnly, or that another WDS sends there: KubeStellar and OCM's agent
 * report neither, and each work is applied. A Namespace that several share is no conflict.
 * @param bindings those of the WDS
 * @throws StellarError what hides the ITS
 */
export async function conflictsOf(
  wds: Wds,
  sendings: readonly Sending[],
  bindings: readonly Binding[],
): Promise<Problem[]> {
  const judged = sendings.flatMap(({ policy, wecs, objects }) =>
    objects.flatMap((object) =>
      wecs.length === 0 || object.kind === 'Namespace' ? [] : { policy, wecs, object },
    ),
  );
  if (judged.length === 0) return [];
  const bound = boundObjects(bindings);
  const destinations = new Map(bindings.map((each) => [each.metadata.name, destinationsOf(each)]));
  const foreign = await sentByOthers(wds);
  const found = new Map<string, { of: Found; objects: Set<string>; wecs: Set<string> }>();
  const add = (of: Found, object: SentRef, wecs: readonly string[]) => {
    if (wecs.length === 0) return;
    const key = JSON.stringify(of);
    const same = found.get(key) ?? { of, objects: new Set(), wecs: new Set() };
    found.set(key, same);
    same.objects.add(describeObject(object));
    for (const wec of wecs) same.wecs.add(wec);
  };
  for (const { policy, wecs, object } of judged) {
    const { createOnly = false, namespace } = object;
    const key = keyOf({ ...object, namespace: namespace ?? undefined });
    for (const [other, { createOnly: keeps = false }] of bound.get(key) ?? [])
      if (other !== policy && keeps !== createOnly)
        add(
          keeps ? { writes: policy, keeps: other } : { writes: other, keeps: policy },
          object,
          wecs.filter((wec) => destinations.get(other)?.includes(wec)),
        );
    for (const wec of foreign.size === 0 ? [] : wecs) {
      const sender = foreign.get(sentKey('', wec, object));
      if (sender !== undefined) add(sender, object, [wec]);
    }
  }
  return [...found.values()].map(({ of, objects, wecs }) =>
    problemOf(of, few([...objects]).join(', '), few([...wecs]).join(', '), wds),
  );
}

/** The objects that a Binding sends. @param kindOf the names of the kinds of its WDS */
export const sentBy = (
  binding: Binding,
  kindOf: (of: BoundObject) => string | undefined,
): SentRef[] =>
  objectsOf(binding).map((each) => ({
    ...each,
    group: each.group ?? '',
    kind: kindOf(each) ?? each.resource,
  }));

/** Two policies of which one asks for createOnly, or a policy of another WDS. */
type Found = { writes: string; keeps: string } | { wds: string; binding: string };

function problemOf(found: Found, objects: string, wecs: string, wds: Wds): Problem {
  if ('wds' in found) {
    const { wds: other, binding } = found;
    const message = `Policy ${binding} of WDS ${other} also sends ${objects} to ${wecs}: each overwrites what the other has sent.`;
    const see = command`stellarctl policy get ${binding} --wds ${other}`;
    return conflict('sent-by-another-wds', message, run(see, 'See it there'));
  }
  const { writes, keeps } = found;
  const message = `Policies ${writes} and ${keeps} both send ${objects} to ${wecs}, and only ${keeps} with createOnly: ${writes} changes what is to be kept there.`;
  const see = command`stellarctl policy explain ${writes} ${flagsOf(wds)}`;
  return conflict(
    'sent-twice',
    message,
    advice('Ask for createOnly in both, or in neither'),
    run(see, 'See what it selects'),
  );
}

const conflict = (...of: Parameters<typeof problem>): Problem => ({
  ...problem(...of),
  severity: 'warn',
});

/** The objects in works of other WDSes, by WEC and object. */
async function sentByOthers(wds: Wds): Promise<Map<string, { wds: string; binding: string }>> {
  const its = requireIts(wds);
  const labelSelector = `${originWdsLabel},${originWdsLabel} notin (${await senderOf(wds, its)})`;
  const how = { labelSelector, trim: trimmer() };
  const works = (await its.list<ManifestWork>(resources.manifestWorks, how)) ?? [];
  return new Map(
    works.flatMap((work) => {
      const { namespace: wec = '', labels = {} } = work.metadata;
      const from = { wds: labels[originWdsLabel] ?? '', binding: labels[originBindingLabel] ?? '' };
      return sentObjects(work).flatMap(({ object }) =>
        isLeaving(object) ? [] : [[sentKey('', wec, viewOfSent(object)), from] as const],
      );
    }),
  );
}
