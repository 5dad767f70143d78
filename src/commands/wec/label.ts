import { type Command, Option } from 'commander';
import { isChange } from '../../lib/engine/changes.ts';
import { command } from '../../lib/engine/command-line.ts';
import { StellarError } from '../../lib/engine/errors.ts';
import type { Io } from '../../lib/terminal/io.ts';
import { parseLabelChanges } from '../../lib/wecs/labels.ts';
import { action } from '../shell/action.ts';
import { refuseUnnamedIts } from '../shell/its-named.ts';
import {
  defineCommand,
  dryRunOption,
  type HostingOptions,
  hostingContextOption,
  type ItsOptions,
  itsOption,
  selectorOption,
  type WritingOptions,
} from '../shell/options.ts';
import { parseWecTarget, targetWords } from '../shell/wec-argument.ts';
import { approveRemoval, labelChanges } from './approve-removal.ts';

interface Options extends HostingOptions, ItsOptions, WritingOptions {
  yes?: boolean;
  all?: boolean;
  selector?: string;
  overwrite?: boolean;
  list?: boolean;
}

export function labelCommand(io: Io): Command {
  return defineCommand('label', {
    summary: 'set, change, remove or list labels of WECs',
    description:
      "Changes labels of WECs with kubectl's rules: key=value sets, key- removes, and a label that has another value is changed only with --overwrite. Everything is checked for every WEC before anything is written for any. Labels are properties that workload templates expand: before a removal that breaks a template, it says which workloads are lost, and asks.",
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
    .option('-y, --yes', 'do not ask before a removal that breaks a template')
    .addOption(hostingContextOption())
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
        const { changeLabels, listLabels } = await import('../../lib/wecs/label.ts');
        await refuseUnnamedIts(session, options);
        const its = await session.its();
        const { kube: hub } = its;
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
        const approve = approveRemoval(
          session,
          its,
          'label',
          { changes, positional, options },
          labelChanges(hub, changes),
        );
        const results = await changeLabels(hub, target, changes, options.overwrite === true, approve, session.run);
        await session.finish(results);
        if (results.length === 0) return session.progress.note(`No WEC on ${hub.cluster.context} was meant.`);
        session.next(command`stellarctl label ${targetWords(target)} --list --its ${hub.cluster.context}`);
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
