import { type Command, Option } from 'commander';
import { type Changes, isChange } from '../../lib/engine/changes.ts';
import { command } from '../../lib/engine/command-line.ts';
import { StellarError } from '../../lib/engine/errors.ts';
import type { Kube } from '../../lib/kube/client/client.ts';
import type { Io } from '../../lib/terminal/io.ts';
import type { ListedValues, ValueStore } from '../../lib/wecs/values.ts';
import { action } from '../shell/action.ts';
import { refuseUnnamedIts } from '../shell/confirm.ts';
import {
  allowNoneOption,
  defineCommand,
  dryRunOption,
  type HostingOptions,
  hostingContextOption,
  type ItsOptions,
  itsOption,
  selectorOption,
  type WritingOptions,
} from '../shell/options.ts';
import type { Session } from '../shell/session.ts';
import { noneMatches, parseWecTarget, targetWords } from '../shell/wec-argument.ts';
import { approveRemoval, type ChangesOf } from './approve-removal.ts';

interface Options extends HostingOptions, ItsOptions, WritingOptions {
  yes?: boolean;
  all?: boolean;
  selector?: string;
  allowNone?: boolean;
  overwrite?: boolean;
  list?: boolean;
}

/** What differs between labels and properties. */
export interface ValueKind<Source, More extends object> {
  verb: 'label' | 'properties';
  /** The name of the values, and of the field in a result. */
  plural: 'labels' | 'properties';
  text: Omit<Parameters<typeof defineCommand>[1], 'timeout'>;
  /** What --list does. */
  listing: string;
  /** @throws StellarError `usage` */
  parse(words: readonly string[]): Changes;
  open(hub: Kube): Promise<ValueStore<Source, More>>;
  /** How a removal affects templates. */
  removals(hub: Kube, changes: Changes): ChangesOf<Source>;
  show(session: Session, listed: readonly ListedValues<More>[]): Promise<void>;
}

/** Defines the command that sets, removes and lists named values of WECs. */
export function valuesCommand<Source, More extends object>(io: Io, kind: ValueKind<Source, More>): Command {
  const { verb, plural } = kind;
  return defineCommand(verb, { ...kind.text, timeout: '1m' })
    .usage('NAME… key=value… key-… | -l SELECTOR | --all [options]')
    .argument('[arguments...]', 'WECs, then changes: key=value sets, key- removes')
    .addOption(itsOption())
    .addOption(selectorOption())
    .addOption(allowNoneOption())
    .option('--all', 'all WECs of the ITS')
    .option('--overwrite', `change ${plural} that have another value`)
    .addOption(new Option('--list', kind.listing))
    .option('-y, --yes', 'skip the confirmation of a removal that breaks a template')
    .addOption(hostingContextOption())
    .addOption(dryRunOption())
    .action(
      action<Options>(io, async (session, options, positional) => {
        const changes = kind.parse(positional.filter(isChange));
        const names = positional.filter((argument) => !isChange(argument));
        const target = parseWecTarget(names, options);
        const changing = Object.keys(changes).length > 0;
        if (changing === (options.list === true))
          throw new StellarError(
            'usage',
            changing
              ? 'Give changes or --list, not both.'
              : `Give changes: key=value sets, key- removes. To see ${plural}: --list`,
          );
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
        const removal = { changes, positional, options };
        const approve = approveRemoval(session, its, store.command, removal, kind.removals(hub, changes));
        const how = { changes, overwrite: options.overwrite === true, approve };
        const results = await changeValues(hub, store, target, how, session.run);
        await session.finish(results.map(({ values, ...result }) => ({ ...result, [plural]: values })));
        if (results.length === 0) return session.progress.note(noneMatches(hub));
        session.next(command`stellarctl ${store.command} ${targetWords(target)} --list --its ${hub.cluster.context}`);
      }),
    );
}
