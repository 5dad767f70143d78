import { type Changes, isChange } from '../../lib/core/changes.ts';
import { StellarError } from '../../lib/core/errors.ts';
import { command } from '../../lib/core/next-step.ts';
import { addedTo, type Effect, removalsOf } from '../../lib/core/read-confirmed.ts';
import type { Forecast } from '../../lib/forecast/forecast.ts';
import { lostBy } from '../../lib/forecast/losses.ts';
import type { WecChange } from '../../lib/forecast/wec-change.ts';
import type { Kube } from '../../lib/kube/client/client.ts';
import type { Its } from '../../lib/ocm/hub/its.ts';
import type {
  Approval,
  FoundValues,
  ListedValues,
  ValueStore,
} from '../../lib/wecs/values/values.ts';
import { type Confirmation, confirming } from '../common/confirm.ts';
import type { Definition } from '../common/define.ts';
import {
  describeReleased,
  describeSideEffects,
  foresee,
  refreshSteps,
  unknownLosses,
} from '../common/forecast-text.ts';
import {
  dryRunOption,
  hostingContextOption,
  itsOption,
  maxRemovedOption,
  selectionOptions,
  yesOption,
} from '../common/options.ts';
import {
  openRehearsal,
  type RehearsalOptions,
  type Rehearsing,
  rareRehearsal,
  rehearsalOptions,
} from '../common/rehearsal.ts';
import type { Session } from '../common/session.ts';
import {
  noneMatches,
  parseWecTarget,
  type SelectionOptions,
  targetWords,
} from '../common/wec-argument.ts';

export interface Options extends SelectionOptions, RehearsalOptions {
  overwrite?: boolean;
  list?: boolean;
  maxRemoved?: number;
}

interface Removing {
  maxRemoved: number | undefined;
  changes: Changes;
  rehearsal: Rehearsing | undefined;
}

/** What differs between labels and properties. */
export interface ValueKind<Source> {
  /** The name of the values, and of the field in a result. */
  plural: 'labels' | 'properties';
  text: Pick<Definition, 'description' | 'examples'>;
  /** What --list does. */
  listing: string;
  /** @throws StellarError `usage` */
  parse(words: readonly string[]): Changes;
  open(hub: Kube): Promise<ValueStore<Source>>;
  /** What the changes are for one WEC, if they are not the same for all. */
  changesFor?(name: string, changes: Changes): Changes;
  /** The changes that may take workloads away, or that works do not have yet. */
  effectsOf(
    its: Its,
    found: readonly FoundValues<Source>[],
    changes: Changes,
  ): Promise<WecChange[]>;
  show(session: Session, listed: readonly ListedValues[]): Promise<void>;
}

/** Defines the command that sets, removes and lists named values of WECs. */
export function valuesCommand<Source>(kind: ValueKind<Source>): Definition<Options> {
  const { plural } = kind;
  return {
    ...kind.text,
    timeout: plural === 'labels' ? '3m' : '1m',
    usage: 'NAME… KEY=VALUE… KEY-… [options]',
    arguments: [['[arguments...]', 'WECs, then changes: key=value sets, key- removes']],
    rare: ['--allow-none', ...rareRehearsal, '--hosting-context'],
    options: [
      itsOption(),
      ...selectionOptions(),
      ['--overwrite', `change ${plural} that have another value`],
      ['--list', kind.listing],
      yesOption('skip the confirmation of what takes workloads away'),
      maxRemovedOption(),
      ...(plural === 'labels' ? rehearsalOptions() : []),
      hostingContextOption(),
      dryRunOption(),
    ],
    async run(session, options, positional) {
      const { changes, target } = parseValues(kind, options, positional);
      const { changeValues, listValues } = await import('../../lib/wecs/values/values.ts');
      const its = await (options.list ? session.its() : session.itsToWrite());
      const { kube: hub } = its;
      const store = await kind.open(hub);
      if (options.list) return showValues(session, kind, await listValues(store, target));
      // The Bindings do not depend on properties.
      const rehearsal = plural === 'labels' ? await openRehearsal(session, options) : undefined;
      const removing = { changes, rehearsal, maxRemoved: options.maxRemoved };
      const { approve, refresh } = approveRemoval(session, its, removing, kind);
      const changesOf = (name: string) => kind.changesFor?.(name, changes) ?? changes;
      const how = { changes: changesOf, overwrite: options.overwrite === true, approve, rehearsal };
      const results = await changeValues(store, target, how, session.run);
      await session.finish(
        results.map(({ values, ...result }) => ({ ...result, [plural]: values })),
      );
      if (results.length === 0) return session.progress.note(noneMatches(hub));
      const list = command`stellarctl ${store.command} ${targetWords(target)} --list --its ${hub.cluster.context}`;
      session.next(...(refresh.length === 0 ? [list] : refresh));
    },
  };
}

/** @throws StellarError `usage` */
function parseValues<Source>(
  { parse, plural }: ValueKind<Source>,
  options: Options,
  words: readonly string[],
) {
  const changes = parse(words.filter(isChange));
  const names = words.filter((word) => !isChange(word));
  const target = parseWecTarget(names, options);
  const changing = Object.keys(changes).length > 0;
  const toGive = `Give changes: key=value sets, key- removes. To see ${plural}: --list`;
  if (changing === (options.list === true))
    throw new StellarError('usage', changing ? 'Give changes or --list, not both.' : toGive);
  return { changes, target };
}

async function showValues<Source>(
  session: Session,
  { plural, show }: ValueKind<Source>,
  listed: ListedValues[],
) {
  await show(session, listed);
  return session.finish(
    listed.map(({ name, values, more, ...rest }) => ({ name, [plural]: values, ...more, ...rest })),
  );
}

/**
 * Judges, before anything is written, how a change affects binding policies. Asks for confirmation if policies take workloads away, and
 * judges again after the answer: only confirmed losses are allowed.
 * @returns also the commands that rewrite works with earlier values afterwards, once it is approved
 * @throws StellarError `not-confirmed`, `loss-unknown`, `interrupted`
 */
function approveRemoval<Source>(
  session: Session,
  its: Its,
  removing: Removing,
  { effectsOf, plural }: ValueKind<Source>,
): { approve: Approval<Source>; refresh: string[] } {
  const { rehearsal } = removing;
  let changed: WecChange[] = [];
  let approved: Effect[] | undefined;
  const ask = confirming<Forecast>(session, {
    show: (effects) =>
      session.noteLines([
        ...describeSideEffects(effects),
        ...describeReleased(effects),
        ...(rehearsal?.lines() ?? []),
      ]),
    confirmations: (effects) => confirmationsOf(effects, changed, removing),
  });
  const refresh: string[] = [];
  const approve: Approval<Source> = async (found) => {
    changed = await effectsOf(its, found, removing.changes);
    // What stays as it is, or is only added, takes nothing away.
    if (changed.length === 0)
      return (await import('../../lib/forecast/read-forecast.ts')).noForecast;
    const effects = await foresee(session, its, changed);
    const names = changed.map(({ name }) => name).join(',');
    const { triedLabels } = await import('../../lib/maintenance/tried.ts');
    await rehearsal?.prepare({
      ...{ what: `label ${names}`, subject: its.context.name, effects },
      tried: changed.map(({ name, before, after }) => triedLabels(name, before ?? {}, after)),
    });
    refresh.splice(0, refresh.length, ...refreshSteps(effects));
    // Another value takes nothing away.
    if (plural === 'properties' && !changed.some(({ lacks }) => lacks.length > 0)) return effects;
    const losses = [
      ...lostBy(effects),
      ...unknownLosses(effects).map((unknown) => ({
        object: 'text' in unknown ? unknown.text : unknown.what,
      })),
    ];
    if (losses.length > 0 && !approved && plural === 'labels')
      await (await import('../../lib/wecs/values/values.ts')).requireToLabel(its.kube);
    const more = approved && addedTo(approved, losses);
    if (more?.length === 0) return effects;
    approved = losses;
    const isAsked = await ask(effects, more ?? []);
    return isAsked && session.options.yes !== true ? undefined : effects;
  };
  return { approve, refresh };
}

/** Nothing is asked about what takes nothing away. */
function confirmationsOf(
  effects: Forecast,
  changed: readonly WecChange[],
  { changes, maxRemoved }: Removing,
): Confirmation[] {
  const details = describeReleased(effects);
  const unknown = unknownLosses(effects);
  if (details.length + unknown.length === 0) return [];
  const removals = removalsOf(lostBy(effects), maxRemoved, effects.sentTo);
  const oneWec = removals.wecs <= 1 && changed.length === 1;
  const name = Object.keys(changes).join(',');
  return [{ verb: 'Change', name, oneWec, details, unknown, removals }];
}
