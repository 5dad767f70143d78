import { command } from '../../lib/core/next-step.ts';
import { describeGrouped, refuseManyRemovals, removalsOf } from '../../lib/core/read-confirmed.ts';
import { few } from '../../lib/core/text/words.ts';
import { policyDeleted, withoutOwner } from '../../lib/forecast/change.ts';
import type { Forecast, PolicyEffect } from '../../lib/forecast/forecast.ts';
import { isTaken, lostBy, unforeseenIn } from '../../lib/forecast/losses.ts';
import type { LookOn } from '../../lib/forecast/read-forecast.ts';
import type { PolicySources } from '../../lib/forecast/read-policies.ts';
import type { Row } from '../../lib/forecast/row.ts';
import type { WecChange } from '../../lib/forecast/wec-change.ts';
import { ifSelected, seenOrThrow } from '../../lib/kube/access.ts';
import type { Kube } from '../../lib/kube/client/client.ts';
import type { SelectedContext } from '../../lib/kube/kubeconfig/kubeconfig.ts';
import type { Its } from '../../lib/ocm/hub/its.ts';
import { describePolicy } from '../../lib/ocm/model/kubestellar-names.ts';
import { describeObject } from '../../lib/ocm/model/object-ref.ts';
import type { Wds } from '../../lib/spaces/choose/open-wds.ts';
import { lossRefused, lossUnknown, type Unknown } from './confirm.ts';
import type { Session } from './session.ts';

/** What a change does besides taking workloads away. */
export function describeSideEffects(seen: Forecast): string[] {
  return [
    ...seen.unread.map(
      ({ wds, why }) =>
        `The binding policies of ${wds} could not be read, so whether they select by what is changed is unknown (${why}).`,
    ),
    ...unforeseenIn(seen).map((why) => `It is unknown what WECs would lose: ${why}.`),
    ...seen.starting.map(
      ({ policy, wecs }) =>
        `The binding policy ${describePolicy(policy)} will start selecting ${few(wecs).join(', ')}.`,
    ),
  ];
}

/** What is deleted from WECs. */
export function describeReleased({ released, rows }: Forecast): string[] {
  const described = new Set(released.flatMap((effect) => rowsOf(effect, rows)));
  const others = rows.filter((row) => isTaken(row) && !described.has(row));
  return [
    ...released.flatMap((effect) => describePolicyEffect(effect, rows)),
    ...describeTaken({ rows: others }),
  ];
}

function describePolicyEffect(effect: PolicyEffect, rows: readonly Row[]) {
  const { policy, wecs, lacking } = effect;
  const own = rowsOf(effect, rows);
  const named = few(wecs).join(', ');
  const removed = own.filter(isTaken);
  const spaces = withSpaces([
    ...new Set(removed.flatMap(({ object }) => namespaceOf(object) ?? [])),
  ]);
  const why =
    lacking === undefined
      ? `The binding policy ${describePolicy(policy)} will stop selecting ${named}`
      : `The templates of the binding policy ${describePolicy(policy)} will lack ${lacking}`;
  const where = lacking === undefined ? 'there' : `from ${named}`;
  const lost =
    removed.length === 0
      ? `${why}: nothing is deleted ${where}.`
      : `${why}: its workloads are deleted ${where}${spaces}.`;
  const others = own.filter(({ effect: of }) => of === 'kept' || of === 'recreated');
  return [lost, ...describeTaken({ rows: others }).map((line) => `  ${line}`)];
}

const rowsOf = ({ policy, wecs }: PolicyEffect, rows: readonly Row[]) =>
  rows.filter(
    (row) =>
      row.policy === policy.name &&
      row.wds === policy.wds &&
      row.wec !== null &&
      wecs.includes(row.wec),
  );

const verbs = {
  removed: 'will be removed',
  recreated: 'will be removed and created again, without their data',
  kept: 'stay',
  'taken-over': 'will be overwritten',
};

/** What becomes of objects on WECs, as `w1, w2   ConfigMap shop/a will be removed: it no longer selects the object.` */
export function describeTaken({ rows }: Pick<Forecast, 'rows'>): string[] {
  const lines = [...Map.groupBy(rows, ({ wec }) => wec)].flatMap(([wec, own]) =>
    takenFrom(own).map((line) => ({ line, wec: wec ?? '' })),
  );
  return [...Map.groupBy(lines, ({ line }) => line)].map(
    ([line, of]) => `${few(of.map(({ wec }) => wec)).join(', ')}   ${line}`,
  );
}

function takenFrom(rows: readonly Row[]): string[] {
  return Object.entries(verbs).flatMap(([effect, verb]) => {
    const groups = Map.groupBy(
      rows.filter((row) => row.effect === effect),
      ({ why }) => why,
    );
    return [...groups].flatMap(([why, of]) => {
      const objects = of.flatMap(({ object }) => (object ? describeObject(object) : []));
      const named = few([...new Set(objects)].sort(), 10).join(', ');
      const spaces = of.filter(isTaken).flatMap(({ object }) => namespaceOf(object) ?? []);
      return [
        `${named} ${verb}${tail(why)}.`,
        ...spaces.map(
          (space) => `${space} will be removed with everything in it, whoever created it.`,
        ),
      ];
    });
  });
}

const tail = (why: string) =>
  why === policyDeleted ? '' : why === withoutOwner ? `, ${why}` : `: ${why}`;

const namespaceOf = (object: Row['object']) =>
  object?.kind === 'Namespace' ? `Namespace ${object.name}` : undefined;

/** The commands that give works the values that a change has replaced. */
export const refreshSteps = ({ rows }: Forecast) => [
  ...new Set(
    rows.flatMap(({ effect, policy, wds }) =>
      effect === 'stale'
        ? command`stellarctl policy refresh ${policy ?? ''} --wds ${wds ?? ''}`
        : [],
    ),
  ),
];

/** Namespaces go with what others have created in them. */
export const withSpaces = (namespaces: readonly string[]) =>
  namespaces.length === 0
    ? ''
    : `, with everything in ${few(namespaces).join(', ')}, whoever created it`;

/**
 * What may be lost besides what is shown. Policies that cannot be read are only noted where WECs without labels are accepted: whoever
 * accepts may often not read them, and it takes one that selects all WECs, or by absence, and whose templates lack something.
 */
export const unknownLosses = (seen: Forecast): Unknown[] => [
  ...(seen.isByLabels ? seen.unread : []).map(({ wds, why }) => ({
    what: `the binding policies of ${wds}`,
    why,
  })),
  ...unforeseenIn(seen).map((text) => ({ text })),
];

/**
 * Reads every BindingPolicy that sends workloads through an ITS and can be read now. Unreadable ones are no error.
 * @param wecs those whose works may name further WDSes (default: all)
 */
export async function openPolicies(
  session: Session,
  its: PolicySources['its'],
  wecs?: readonly string[],
) {
  const { readPolicies } = await import('../../lib/forecast/read-policies.ts');
  return readPolicies({ ...(await sourcesOf(session, its)), wecs });
}

async function sourcesOf(session: Session, its: PolicySources['its']) {
  const [kubeconfig, hosting] = await Promise.all([
    session.kubeconfig(),
    ifSelected(() => session.spaceTools()),
  ]);
  const connect = (context: SelectedContext) => session.connect(context);
  return { its, hosting, kubeconfig, connect };
}

/** Reads the policies that send workloads through the ITS of a WDS. */
export const policiesBeside =
  (session: Session, { its }: Wds) =>
  async () => {
    const seen = seenOrThrow(its);
    if (seen === undefined) return { policies: [], unread: [] };
    const { name, kube } = seen;
    return openPolicies(session, { kube, context: { name } });
  };

/** Compares a change, once it is written, with its forecast. @param its where the works are @returns the error `forecast-wrong` */
export const following = (session: Session, its: Kube, seen: Forecast) => async () => {
  const { followForecast } = await import('../../lib/forecast/follow-forecast.ts');
  const { why, error } = await followForecast(its, seen, session.run);
  if (why !== undefined) session.progress.note(`KubeStellar has not followed yet: ${why}.`);
  return error;
};

/** What changes of WECs do to workloads. Objects that others have created are found where a context is proven to lead to the WEC. */
export async function foresee(
  session: Session,
  its: Its,
  changes: readonly WecChange[],
  lookOn?: LookOn,
): Promise<Forecast> {
  const { readForecast } = await import('../../lib/forecast/read-forecast.ts');
  const { provenWec } = await import('../../lib/ocm/hub/find-wecs.ts');
  if (changes.length > 0)
    session.progress.waiting(its.context.name, 'reading its binding policies');
  const provenOn: LookOn = async (wec) =>
    provenWec(wec, its.kube, await session.contextsNamed(wec));
  const sources = await sourcesOf(session, its);
  const seen = await readForecast(changes, { ...sources, lookOn: lookOn ?? provenOn });
  session.foresees(seen, following(session, its.kube, seen));
  return seen;
}

/**
 * Refuses changes of WECs that take workloads away, or may do so, in a command that has no question about it.
 * @param options.maxRemoved `--max-removed`: so many WECs may lose their workloads, whatever is unknown
 * @returns what was read, for the writes @throws StellarError `loss-unknown`
 */
export async function requireForeseen(
  session: Session,
  its: Its,
  changes: readonly WecChange[],
  { maxRemoved, lookOn }: { maxRemoved?: number | undefined; lookOn?: LookOn },
): Promise<Forecast> {
  if (changes.length === 0) return (await import('../../lib/forecast/read-forecast.ts')).noForecast;
  const seen = await foresee(session, its, changes, lookOn);
  session.noteLines([...describeSideEffects(seen), ...describeReleased(seen)]);
  const lost = lostBy(seen);
  const removals = removalsOf(lost, maxRemoved, seen.sentTo);
  if (maxRemoved !== undefined) {
    refuseManyRemovals(removals, 'would lose objects');
    return seen;
  }
  const [unknown] = unknownLosses(seen);
  if (unknown !== undefined) throw lossUnknown(unknown);
  const [first] = describeGrouped(lost);
  if (first !== undefined) throw lossRefused(`WECs would lose ${first}`);
  return seen;
}
