import { type Changes, isChange } from '../../lib/core/changes.ts';
import { StellarError } from '../../lib/core/errors.ts';
import { command } from '../../lib/core/next-step.ts';
import type { Kube } from '../../lib/kube/client/client.ts';
import type { Approval, ListedValues, ValueStore } from '../../lib/wecs/values.ts';
import type { Its } from '../../lib/workloads/read-policies.ts';
import { refuseUnnamedIts } from '../common/confirm.ts';
import type { Definition } from '../common/define.ts';
import {
  type ConfirmedOptions,
  dryRunOption,
  type HostingOptions,
  hostingContextOption,
  type ItsOptions,
  itsOption,
  maxRemovedOption,
  selectionOptions,
  yesOption,
} from '../common/options.ts';
import type { Session } from '../common/session.ts';
import { noneMatches, parseWecTarget, type SelectionOptions, targetWords } from '../common/wec-argument.ts';

export interface Options extends HostingOptions, ItsOptions, ConfirmedOptions, SelectionOptions {
  overwrite?: boolean;
  list?: boolean;
  maxRemoved?: number;
}

/** What differs between labels and properties. */
export interface ValueKind<Source, More extends object> {
  /** The name of the values, and of the field in a result. */
  plural: 'labels' | 'properties';
  text: Pick<Definition, 'description' | 'examples'>;
  /** What --list does. */
  listing: string;
  /** @throws StellarError `usage` */
  parse(words: readonly string[]): Changes;
  open(hub: Kube): Promise<ValueStore<Source, More>>;
  /** What the changes are for one WEC, if they are not the same for all. */
  changesFor?(name: string, changes: Changes): Changes;
  /** Asks about what a change takes away; without it, changes take nothing away. */
  approve?(session: Session, its: Its, changes: Changes, options: Options): Approval<Source>;
  show(session: Session, listed: readonly ListedValues<More>[]): Promise<void>;
}

/** Defines the command that sets, removes and lists named values of WECs. */
export function valuesCommand<Source, More extends object>(kind: ValueKind<Source, More>): Definition<Options> {
  const { plural } = kind;
  return {
    ...kind.text,
    timeout: '1m',
    usage: 'NAME… KEY=VALUE… KEY-… [options]',
    arguments: [['[arguments...]', 'WECs, then changes: key=value sets, key- removes']],
    rare: ['--allow-none', '--hosting-context'],
    options: [
      itsOption(),
      ...selectionOptions(),
      ['--overwrite', `change ${plural} that have another value`],
      ['--list', kind.listing],
      ...(kind.approve ? [yesOption('skip the confirmation of what takes workloads away'), maxRemovedOption()] : []),
      hostingContextOption(),
      dryRunOption(),
    ],
    async run(session, options, positional) {
      const changes = kind.parse(positional.filter(isChange));
      const names = positional.filter((argument) => !isChange(argument));
      const target = parseWecTarget(names, options);
      const changing = Object.keys(changes).length > 0;
      const toGive = `Give changes: key=value sets, key- removes. To see ${plural}: --list`;
      if (changing === (options.list === true))
        throw new StellarError('usage', changing ? 'Give changes or --list, not both.' : toGive);
      const { changeValues, listValues } = await import('../../lib/wecs/values.ts');
      await refuseUnnamedIts(session, options.yes);
      const its = await session.its();
      const { kube: hub } = its;
      const store = await kind.open(hub);
      if (options.list) {
        const listed = await listValues(hub, store, target);
        await kind.show(session, listed);
        return session.finish(
          listed.map(({ name, values, more, ...rest }) => ({ name, [plural]: values, ...more, ...rest })),
        );
      }
      session.announce(hub);
      const approve = kind.approve?.(session, its, changes, options) ?? (async () => true);
      const changesOf = (name: string) => kind.changesFor?.(name, changes) ?? changes;
      const how = { changes: changesOf, overwrite: options.overwrite === true, approve };
      const results = await changeValues(hub, store, target, how, session.run);
      await session.finish(results.map(({ values, ...result }) => ({ ...result, [plural]: values })));
      if (results.length === 0) return session.progress.note(noneMatches(hub));
      session.next(command`stellarctl ${store.command} ${targetWords(target)} --list --its ${hub.cluster.context}`);
    },
  };
}
