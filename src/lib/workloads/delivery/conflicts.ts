import { advice, command, flagsOf, type Problem, problem, run } from '../../core/next-step.ts';
import { few } from '../../core/text/words.ts';
import { resources } from '../../kube/client/objects.ts';
import { listServed } from '../../kube/served.ts';
import {
  type Binding,
  type BoundObject,
  destinationsOf,
  type KindRef,
  type Modulation,
  objectsOf,
  originBindingLabel,
  originWdsLabel,
} from '../../ocm/model/kubestellar-names.ts';
import { isLeaving, type ManifestWork } from '../../ocm/model/manifest-works.ts';
import { describeObject, keyOf, type ObjectView } from '../../ocm/model/object-ref.ts';
import { senderOf } from '../../ocm/sender.ts';
import type { Wds } from '../../spaces/choose/open-wds.ts';
import { requireIts } from '../selection/unseen.ts';
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
} & Pick<Modulation, 'createOnly' | 'statusCollectors'>;

/**
 * Objects that another policy sends to the same WEC with another createOnly, or that another WDS sends there: KubeStellar and OCM's agent
 * report neither, and each work is applied. A Namespace that several share is no conflict. Also namesakes in two namespaces of a WEC:
 * KubeStellar 0.30.0 finds the WorkStatus of an object by its name alone (pkg/util, KeyFromSourceRefAndWecName), and ends with a nil
 * pointer where it is that of another one, which the Binding does not combine (pkg/status, evaluateWorkStatusesPerBindingReadLocked).
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
  const bound = Map.groupBy(
    bindings.flatMap((each) => {
      const from = { other: each.metadata.name, on: destinationsOf(each) };
      return objectsOf(each).map((object) => ({ ...object, ...from }));
    }),
    keyOfName,
  );
  const foreign = await sentByOthers(wds);
  const conflicts = new Conflicts();
  for (const { policy, wecs, object } of judged) {
    for (const like of bound.get(keyOfName(object)) ?? []) {
      const found = between(policy, object, like);
      if (found === undefined) continue;
      const shared = wecs.filter((wec) => like.on.includes(wec));
      conflicts.add(found, object, shared);
      if ('name' in found) conflicts.add(found, { ...object, namespace: like.namespace }, shared);
    }
    for (const { wec, like, from } of foreign.get(nameKey(object)) ?? []) {
      if (!wecs.includes(wec)) continue;
      if (like.namespace === (object.namespace ?? null)) conflicts.add(from, object, [wec]);
      else if (object.statusCollectors?.length)
        for (const each of [object, like]) conflicts.add(confused(object), each, [wec]);
    }
  }
  return conflicts.problems(wds);
}

/** What is wrong where policies, or one, send an object and another of its kind and name to a WEC. */
function between(
  policy: string,
  object: SentRef,
  like: Partial<SentRef> & { other: string },
): Found | undefined {
  const { createOnly = false } = object;
  const { other, createOnly: keeps = false } = like;
  if (like.namespace !== (object.namespace ?? undefined)) {
    const combined = [object, like].filter((each) => each.statusCollectors?.length).length;
    // Where one Binding combines both, the WorkStatus of either one is among its own.
    return combined === 0 || (combined === 2 && other === policy) ? undefined : confused(object);
  }
  if (other === policy || keeps === createOnly) return undefined;
  return keeps ? { writes: policy, keeps: other } : { writes: other, keeps: policy };
}

const confused = (object: SentRef): Found => ({
  name: describeObject({ ...object, namespace: null }),
});

/** What was found, each once with all its objects and WECs. */
class Conflicts {
  readonly #found = new Map<string, { of: Found; objects: Set<string>; wecs: Set<string> }>();

  add(of: Found, object: SentRef | ObjectView, wecs: readonly string[]): void {
    if (wecs.length === 0) return;
    const key = JSON.stringify(of);
    const same = this.#found.get(key) ?? { of, objects: new Set(), wecs: new Set() };
    this.#found.set(key, same);
    same.objects.add(describeObject(object));
    for (const wec of wecs) same.wecs.add(wec);
  }

  problems(wds: Wds): Problem[] {
    return [...this.#found.values()].map(({ of, objects, wecs }) =>
      problemOf(of, few([...objects]).join(', '), few([...wecs]).join(', '), wds),
    );
  }
}

const keyOfName = (object: BoundObject | SentRef) => keyOf({ ...object, namespace: undefined });

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

/** Two policies of which one asks for createOnly, a policy of another WDS, or objects that differ in their namespace. */
type Found =
  | { writes: string; keeps: string }
  | { wds: string; binding: string }
  | { name: string };

function problemOf(found: Found, objects: string, wecs: string, wds: Wds): Problem {
  if ('wds' in found) {
    const { wds: other, binding } = found;
    return conflict(
      'sent-by-another-wds',
      `Policy ${binding} of WDS ${other} also sends ${objects} to ${wecs}: each overwrites what the other has sent.`,
      run(command`stellarctl policy get ${binding} --wds ${other}`, 'See it there'),
    );
  }
  if ('name' in found) {
    return problem(
      'statuses-confused',
      `KubeStellar confuses the statuses of ${objects} on ${wecs}, which differ only in their namespace: where StatusCollectors combine them, its controller manager crashes, and each new start of it can take workloads away.`,
      advice('Give one of them another name, or combine the statuses of neither'),
    );
  }
  const { writes, keeps } = found;
  return conflict(
    'sent-twice',
    `Policies ${writes} and ${keeps} both send ${objects} to ${wecs}, and only ${keeps} with createOnly: ${writes} changes what is to be kept there.`,
    advice('Ask for createOnly in both, or in neither'),
    run(command`stellarctl policy explain ${writes} ${flagsOf(wds)}`, 'See what it selects'),
  );
}

/** Errors before warnings. */
export const bySeverity = (a: Problem, b: Problem) =>
  Number(a.severity === 'warn') - Number(b.severity === 'warn');

const conflict = (...of: Parameters<typeof problem>): Problem => ({
  ...problem(...of),
  severity: 'warn',
});

/** The objects in works of other WDSes, by kind and name. */
async function sentByOthers(wds: Wds) {
  const its = requireIts(wds);
  const labelSelector = `${originWdsLabel},${originWdsLabel} notin (${await senderOf(wds, its)})`;
  const how = { labelSelector, trim: trimmer() };
  const works = await listServed<ManifestWork>(its, resources.manifestWorks, how);
  return Map.groupBy(
    works.flatMap((work) => {
      const { namespace: wec = '', labels = {} } = work.metadata;
      const from = { wds: labels[originWdsLabel] ?? '', binding: labels[originBindingLabel] ?? '' };
      return sentObjects(work).flatMap(({ object }) =>
        isLeaving(object) ? [] : { from, wec, like: viewOfSent(object) },
      );
    }),
    ({ like }) => nameKey(like),
  );
}

const nameKey = (object: SentRef | ObjectView) => sentKey('', '', { ...object, namespace: null });
