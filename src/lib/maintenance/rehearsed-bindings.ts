import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { StellarError } from '../core/errors.ts';
import { poll } from '../core/poll.ts';
import type { Run } from '../core/run.ts';
import { few } from '../core/text/words.ts';
import type { ExpectedBinding } from '../forecast/reach.ts';
import { byName, type LabelSelector, resources } from '../kube/client/objects.ts';
import { listServed } from '../kube/served.ts';
import { type Binding, destinationsOf } from '../ocm/model/kubestellar-names.ts';
import { keyOf } from '../ocm/model/object-ref.ts';
import type { Wds } from '../spaces/choose/open-wds.ts';
import type { TriedObject } from '../spaces/space/controllers-run.ts';
import {
  isAnswered,
  isProbe,
  probeName,
  quietTime,
  usersObjects,
  writeProbe,
  writeSelectionProbe,
} from './restart-plan.ts';
import { firstKeys } from './unproven-binding.ts';

/** What a Binding is to name. */
interface Wanted {
  /** Sorted. */
  wecs: readonly string[];
  /** By `keyOf`, sorted. */
  objects: readonly string[];
  /** Whether both are known: nothing is said of others. */
  isKnown: boolean;
}

/** By policy. */
export type WantedBindings = ReadonlyMap<string, Wanted>;

/** What the Bindings of a WDS are to name after a change. @param expected of all WDSes @param bindings as they are before it */
export function wantedBindings(
  wds: string,
  expected: readonly ExpectedBinding[],
  bindings: readonly Binding[],
): WantedBindings {
  const wanted = namedBy(bindings);
  for (const { policy, wecs, objects, isKnown } of expected.filter((each) => each.wds === wds))
    wanted.set(policy, {
      ...{ wecs, isKnown },
      objects: objects ?? wanted.get(policy)?.objects ?? [],
    });
  return wanted;
}

const namedBy = (bindings: readonly Binding[]) =>
  new Map<string, Wanted>(
    bindings.map((binding) => [
      binding.metadata.name,
      {
        wecs: destinationsOf(binding).toSorted(),
        objects: usersObjects(binding).map(keyOf).sort(),
        isKnown: true,
      },
    ]),
  );

/** What is wrong with the first Binding that differs, a clause. Those that list nothing do not count. */
function differenceOf(wanted: WantedBindings, bindings: readonly Binding[]): string | undefined {
  const present = namedBy(bindings);
  const listing = (of: WantedBindings, name: string) => {
    const found = of.get(name);
    return found?.objects.length ? found : undefined;
  };
  for (const name of new Set([...wanted.keys(), ...present.keys()])) {
    if (wanted.get(name)?.isKnown === false) continue;
    const [foreseen, found] = [listing(wanted, name), listing(present, name)];
    if (isDeepStrictEqual(foreseen, found)) continue;
    if (foreseen === undefined) return `Binding ${name} is new`;
    if (found === undefined) return `Binding ${name} lists nothing`;
    const [due, named] = [foreseen, found].map(({ wecs }) => few(wecs).join(', ') || 'no WEC');
    if (due !== named || !isDeepStrictEqual(foreseen.wecs, found.wecs))
      return `Binding ${name} names ${named}, instead of ${due}`;
    const lacking = foreseen.objects.filter((key) => !found.objects.includes(key));
    return lacking.length > 0
      ? `Binding ${name} lacks ${firstKeys(lacking)}`
      : `Binding ${name} lists ${firstKeys(found.objects.filter((key) => !foreseen.objects.includes(key)))}`;
  }
  return undefined;
}

export const lateFor = (wds: string, why: string) =>
  new StellarError('timeout', `KubeStellar has not followed the change in ${wds} in time: ${why}.`);

const wrong = ({ name }: Wds, why: string) =>
  new StellarError(
    'forecast-wrong',
    `KubeStellar does not do in ${name} what was foreseen: ${why}.`,
  );

/** How long no Binding may be written before another one than is wanted counts as what KubeStellar makes of a change. */
const quietMs = 5_000;

interface AwaitedBindings {
  wds: Wds;
  wanted: WantedBindings;
  tried: readonly TriedObject[];
  /** Whether the manager has to have read what is tried, or what was before. */
  to: 'before' | 'after';
  /** What stops the wait, a clause. */
  failure?(): Promise<string | undefined>;
  /** Whether other Bindings than are wanted will do as well, once they stay. */
  accepts?(bindings: readonly Binding[]): Promise<boolean>;
}

/** Waits until the Bindings are as wanted, and the manager has handled all that was written before. @throws StellarError */
export async function untilBindings(
  { wds, wanted, tried, to, failure, accepts }: AwaitedBindings,
  run: Pick<Run, 'deadline' | 'signal'>,
  waiting: (why: string) => void,
): Promise<void> {
  const proof = proofOf(tried, to);
  const quietFor = quietTime();
  let why = 'its controller manager has not read the change';
  const read = async () => {
    const failed = await failure?.();
    if (failed !== undefined) throw wrong(wds, failed);
    const bindings = await listServed<Binding>(wds.kube, resources.bindings);
    const isQuiet = quietFor(bindings) > quietMs;
    const isHandled = await proof(wds, bindings);
    const difference = differenceOf(wanted, bindings);
    if (isHandled && difference === undefined) return true;
    why = difference ?? why;
    waiting(why);
    if (!isHandled || difference === undefined || !isQuiet) return undefined;
    if (await accepts?.(bindings)) return true;
    throw wrong(wds, difference);
  };
  if ((await poll(read, run)) === undefined) throw lateFor(wds.name, why);
}

/** Writes what is missing of probes. @returns whether the manager has handled all that was written before them */
type Proof = (wds: Wds, bindings: readonly Binding[]) => Promise<boolean>;

/**
 * Labels: a first probe selects the WEC by them, and a second one is written once the first has its Binding. Others: a probe as of a
 * restart. The manager handles what it hears of in one queue (kubestellar v0.30.0, pkg/binding).
 */
function proofOf(tried: readonly TriedObject[], to: 'before' | 'after'): Proof {
  const id = randomUUID().slice(0, 8);
  const gone = tried.flatMap(({ kind, name, before }) =>
    kind === 'WEC' && to === 'before' && before === null ? name : [],
  );
  const wec = tried.find(
    ({ kind, name, after }) =>
      kind === 'WEC' && !gone.includes(name) && Object.keys(after).length > 0,
  );
  const [key] = Object.keys(wec?.after ?? {});
  const names = [probeName(`${id}-1`), probeName(`${id}-2`)];
  return async (wds, bindings) => {
    const probes = bindings.filter(({ metadata }) => isProbe(metadata));
    if (probes.some((probe) => destinationsOf(probe).some((each) => gone.includes(each))))
      return false;
    if (wec === undefined || key === undefined) {
      const [name = ''] = names;
      const isThrough = isAnswered(name, bindings);
      if (!isThrough) await writeProbe(wds, name);
      return isThrough;
    }
    for (const name of names) {
      const probe = byName(probes).get(name);
      if (probe === undefined) await writeSelectionProbe(wds, name, selectorOf(wec, key, to));
      if (!destinationsOf(probe).includes(wec.name)) return false;
    }
    return true;
  };
}

/** Selects a WEC by a label that it has only afterwards, or only before. */
function selectorOf(wec: TriedObject, key: string, to: 'before' | 'after'): LabelSelector {
  const value = wec[to]?.[key] ?? null;
  return value === null
    ? { matchExpressions: [{ key, operator: 'DoesNotExist' }] }
    : { matchLabels: { [key]: String(value) } };
}
