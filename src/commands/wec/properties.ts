import { type Command, Option } from 'commander';
import { isChange } from '../../lib/changes.ts';
import { StellarError } from '../../lib/errors.ts';
import { parsePropertyChanges } from '../../lib/kubestellar/customization.ts';
import type { PropertiesListing } from '../../lib/kubestellar/properties.ts';
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

export function propertiesCommand(io: Io): Command {
  return defineCommand('properties', {
    summary: 'set, change, remove or list customization properties of WECs',
    description:
      'Changes the properties that KubeStellar puts into customized workloads, in the ConfigMap of each WEC: key=value sets, with any text as value, key- removes, and a property that has another value is changed only with --overwrite. Everything is checked for every WEC before anything is written for any. --list shows what is effective: the ConfigMap wins over annotations of the WEC, these over its labels, and these over what is built in.',
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
        const { changeProperties, listProperties } = await import('../../lib/kubestellar/properties.ts');
        const { kube: hub } = await session.its();
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
        await session.finish(await changeProperties(hub, target, changes, options.overwrite === true, session.run));
        session.next(
          `stellarctl properties ${names.join(' ') || (options.all ? '--all' : `-l ${options.selector}`)} --list --its ${hub.cluster.context}`,
        );
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
