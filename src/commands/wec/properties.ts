import { type Command, Option } from 'commander';
import { isChange } from '../../lib/engine/changes.ts';
import { command } from '../../lib/engine/command-line.ts';
import { StellarError } from '../../lib/engine/errors.ts';
import type { Io } from '../../lib/terminal/io.ts';
import { parsePropertyChanges } from '../../lib/wecs/customization.ts';
import type { PropertiesListing } from '../../lib/wecs/properties.ts';
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
import { approveRemoval, propertyChanges } from './approve-removal.ts';

interface Options extends HostingOptions, ItsOptions, WritingOptions {
  yes?: boolean;
  all?: boolean;
  selector?: string;
  overwrite?: boolean;
  list?: boolean;
}

export function propertiesCommand(io: Io): Command {
  return defineCommand('properties', {
    summary: 'set, change, remove or list customization properties of WECs',
    description:
      'Changes the properties that KubeStellar puts into customized workloads, in the ConfigMap of each WEC: key=value sets, with any text as value, key- removes, and a property that has another value is changed only with --overwrite. Everything is checked for every WEC before anything is written for any. --list shows what is effective: the ConfigMap wins over annotations of the WEC, these over its labels, and these over what is built in. Before a removal that breaks a template, it says which workloads are lost, and asks.',
    timeout: '1m',
    examples: [
      ['stellarctl properties cluster1 clusterURL=https://my.clusters/1001-abcd maxPods=100', 'set two properties'],
      ['stellarctl properties cluster1 maxPods=200 --overwrite', 'change a property'],
      ['stellarctl properties cluster1 maxPods-', 'remove a property'],
      ['stellarctl properties --all --list', 'list what is effective for each WEC, and where it comes from'],
    ],
  })
    .usage('NAME… key=value… key-… | -l SELECTOR | --all [options]')
    .argument('[arguments...]', 'WECs, then changes: key=value sets, key- removes')
    .addOption(itsOption())
    .addOption(selectorOption())
    .option('--all', 'all WECs of the ITS')
    .option('--overwrite', 'change properties that have another value')
    .addOption(new Option('--list', 'list the effective properties'))
    .option('-y, --yes', 'do not ask before a removal that breaks a template')
    .addOption(hostingContextOption())
    .addOption(dryRunOption())
    .action(
      action<Options>(io, async (session, options, positional) => {
        const names = positional.filter((argument) => !isChange(argument));
        const changes = parsePropertyChanges(positional.filter(isChange));
        const target = parseWecTarget(names, options);
        const changing = Object.keys(changes).length > 0;
        if (changing === (options.list === true))
          throw new StellarError(
            'usage',
            changing
              ? 'Give changes or --list, not both.'
              : 'Give changes: key=value sets, key- removes. To see properties: --list',
          );
        const { changeProperties, listProperties } = await import('../../lib/wecs/properties.ts');
        await refuseUnnamedIts(session, options);
        const its = await session.its();
        const { kube: hub } = its;
        if (options.list) {
          const results = await listProperties(hub, target);
          if (session.output === 'table' || session.output === 'wide') {
            await session.print({}, results.flatMap(rowsOf), [
              { header: 'NAME', value: ({ name }) => name },
              { header: 'PROPERTY', value: ({ key }) => key },
              { header: 'VALUE', value: ({ value }) => value },
              { header: 'SOURCE', value: ({ source }) => source },
              { header: 'SHADOWS', value: ({ shadows }) => shadows },
            ]);
          }
          for (const { name, ignored } of results.filter((result) => result.ignored.length > 0))
            session.progress.note(`KubeStellar ignores ${ignored.join(', ')} of ${name}: not Go identifiers.`);
          return session.finish(results);
        }
        session.announce(hub);
        const approve = approveRemoval(
          session,
          its,
          'properties',
          { changes, positional, options },
          propertyChanges(changes),
        );
        await session.finish(
          await changeProperties(hub, target, changes, options.overwrite === true, approve, session.run),
        );
        session.next(command`stellarctl properties ${targetWords(target)} --list --its ${hub.cluster.context}`);
      }),
    );
}

/** A line for each property; values are shown in one line. */
function rowsOf({ name, effective }: PropertiesListing) {
  return effective.map(({ key, value, source, shadows }) => ({
    name,
    key,
    value: oneLine(value),
    source,
    shadows: shadows.map((hidden) => `${hidden.source} ${oneLine(hidden.value)}`).join(', ') || '-',
  }));
}

const oneLine = (value: string): string => (/^[^\s"]+$/.test(value) ? value : JSON.stringify(value));
