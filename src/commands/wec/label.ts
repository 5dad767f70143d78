import { type Command, Option } from 'commander';
import { isChange } from '../../lib/changes.ts';
import { StellarError } from '../../lib/errors.ts';
import { parseLabelChanges } from '../../lib/ocm/labels.ts';
import type { Io } from '../../lib/terminal/io.ts';
import { action } from '../action.ts';
import {
  defineCommand,
  dryRunOption,
  type ItsOptions,
  itsOption,
  selectorOption,
  type WritingOptions,
} from '../options.ts';
import { parseWecTarget } from '../wec-argument.ts';

interface Options extends ItsOptions, WritingOptions {
  all?: boolean;
  selector?: string;
  overwrite?: boolean;
  list?: boolean;
}

export function labelCommand(io: Io): Command {
  return defineCommand('label', {
    summary: 'set, change, remove or list labels of WECs',
    description:
      "Changes labels of WECs with kubectl's rules: key=value sets, key- removes, and a label that has another value is changed only with --overwrite. Everything is checked for every WEC before anything is written for any.",
    timeout: '1m',
    examples: [
      ['stellarctl label cluster1 cluster2 location-group=edge', 'label two WECs'],
      ['stellarctl label cluster1 location-group=core --overwrite', 'change a label'],
      ['stellarctl label cluster1 location-group-', 'remove a label'],
      ['stellarctl label --all --list', 'list the labels of all WECs'],
    ],
  })
    .usage('NAME… key=value… key-… | -l SELECTOR | --all [options]')
    .argument('[arguments...]', 'WECs, then changes: key=value sets, key- removes')
    .addOption(itsOption())
    .addOption(selectorOption())
    .option('--all', 'all WECs of the ITS')
    .option('--overwrite', 'change labels that have another value')
    .addOption(new Option('--list', 'list the labels'))
    .addOption(dryRunOption())
    .action(
      action<Options>(io, async (session, options, positional) => {
        const names = positional.filter((argument) => !isChange(argument));
        const changes = parseLabelChanges(positional.filter(isChange));
        const target = parseWecTarget(names, options);
        const changing = Object.keys(changes).length > 0;
        if (changing === (options.list === true))
          throw new StellarError(
            'usage',
            changing
              ? 'Give changes or --list, not both.'
              : 'Give changes: key=value sets, key- removes. To see labels: --list',
          );
        const { changeLabels, listLabels } = await import('../../lib/ocm/label.ts');
        const { kube: hub } = await session.its();
        if (options.list) {
          const results = await listLabels(hub, target);
          const found = results.filter(({ error }) => error === undefined);
          if (session.output === 'table' || session.output === 'wide') {
            await session.print({}, found, [
              { header: 'NAME', value: ({ name }) => name },
              { header: 'LABELS', value: ({ labels }) => formatLabels(labels) },
            ]);
          }
          return session.finish(results);
        }
        session.announce(hub);
        const results = await changeLabels(hub, target, changes, options.overwrite === true, session.run);
        await session.finish(results);
        if (results.length === 0) return session.progress.note(`No WEC on ${hub.cluster.context} was meant.`);
        session.next(
          `stellarctl label ${names.join(' ') || (options.all ? '--all' : `-l ${options.selector}`)} --list --its ${hub.cluster.context}`,
        );
      }),
    );
}

export function formatLabels(labels: Record<string, string>): string {
  return (
    Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .sort()
      .join(',') || '<none>'
  );
}
