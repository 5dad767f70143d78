import type { Command } from 'commander';
import { command } from '../../lib/engine/command-line.ts';
import { formatAge } from '../../lib/engine/duration.ts';
import type { Kube } from '../../lib/kube/client/client.ts';
import { essenceOf } from '../../lib/status/change-key.ts';
import type { Io } from '../../lib/terminal/io.ts';
import type { Column } from '../../lib/terminal/table.ts';
import type { WecListItem } from '../../lib/wecs/list.ts';
import { action } from '../shell/action.ts';
import { defineCommand, type ItsOptions, itsOption, selectorOption } from '../shell/options.ts';
import type { Session } from '../shell/session.ts';
import { printOneOfMany, watch, watchOption } from '../shell/watching.ts';
import { formatLabels } from './label.ts';

interface Options extends ItsOptions {
  selector?: string;
  pending?: boolean;
  watch?: boolean;
}

export function listCommand(io: Io): Command {
  return defineCommand('list', {
    summary: 'list the WECs of the ITS',
    description:
      'Lists the WECs of the ITS with the stage that each registration is at, those included that have only sent a request yet.',
    timeout: '30s',
    examples: [
      ['stellarctl wec list', 'all WECs'],
      ['stellarctl wec list -l location-group=edge -o wide', 'some, with reasons, versions, leases and labels'],
      ['stellarctl wec list --pending -o name', 'the names of those that wait to be accepted'],
      ['stellarctl wec list --watch', 'and every change from now on'],
    ],
  })
    .alias('ls')
    .addOption(itsOption())
    .addOption(selectorOption())
    .option('--pending', 'only WECs with a request that waits for a decision')
    .addOption(watchOption('print what changes'))
    .action(
      action<Options>(io, async (session, options, _positional, command) => {
        const { listWecs } = await import('../../lib/wecs/list.ts');
        const { kube: hub } = await session.its();
        const query = {
          labelSelector: options.selector,
          pending: options.pending === true,
        };
        const look = () => listWecs(hub, query);
        if (options.watch) return watch(session, command, look, await printChanges(session, hub));
        const items = await look();
        await session.print({ items }, items, columns(hub.now(), session.output === 'wide'));
        if (items.length === 0) session.progress.note(nothingThere(hub, options));
      }),
    );
}

/** What is wrong shows beside the table's last column, where the eye ends; wide has a column for all reasons. */
function columns(now: number, wide: boolean): Column<WecListItem>[] {
  return [
    { header: 'NAME', value: ({ name }) => name },
    { header: 'ACCEPTED', value: ({ accepted }) => yesNo(accepted) },
    { header: 'JOINED', value: ({ joined }) => yesNo(joined) },
    {
      header: 'AVAILABLE',
      value: ({ available, joined }) => (available === null ? (joined ? 'unknown' : '-') : yesNo(available)),
    },
    { header: 'STAGE', value: ({ state, problem }) => (problem ? `${state} ✗` : state) },
    { header: 'AGE', value: ({ created }) => age(created, now) },
    ...(wide
      ? []
      : [
          { header: '', value: ({ blockedAt, reason }: WecListItem) => (blockedAt?.state === 'waiting' ? '' : reason) },
        ]),
    { header: 'REASON', value: ({ reason }) => reason || '-', wide: true },
    { header: 'KUBERNETES', value: ({ kubernetesVersion }) => kubernetesVersion ?? '-', wide: true },
    { header: 'LEASE', value: ({ leaseRenewed }) => age(leaseRenewed, now), wide: true },
    { header: 'LABELS', value: ({ labels }) => formatLabels(labels), wide: true },
  ];
}

const yesNo = (value: boolean): string => (value ? 'yes' : 'no');
const age = (time: string | null, now: number): string => (time === null ? '-' : formatAge(now - Date.parse(time)));

function nothingThere({ cluster }: Kube, { selector, pending }: Options): string {
  if (pending) return `No request waits for a decision on ${cluster.context}.`;
  if (selector !== undefined) return `No WEC on ${cluster.context} has labels ${selector}.`;
  return command`${cluster.context} has no WECs yet. To join one: stellarctl wec join NAME=CONTEXT --its ${cluster.context}`;
}

/** Prints all rows, then each row that has changed; in JSON one document a line, also for what is gone. */
async function printChanges(session: Session, hub: Kube): Promise<(items: WecListItem[]) => Promise<void>> {
  const { output } = session;
  const { formatTable, columnWidths } = await import('../../lib/terminal/table.ts');
  const shown = new Map<string, string>();
  let widths: number[] | undefined;
  return async (items) => {
    const changed = items.filter((item) => shown.get(item.name) !== essence(item));
    const gone = [...shown.keys()].filter((name) => !items.some((item) => item.name === name));
    for (const item of changed) shown.set(item.name, essence(item));
    for (const name of gone) shown.delete(name);
    if (output === 'name') {
      session.printLines([...changed.map(({ name }) => name), ...gone]);
    } else if (output === 'table' || output === 'wide') {
      const all = columns(hub.now(), output === 'wide').filter(({ wide }) => !wide || output === 'wide');
      const isFirst = widths === undefined;
      widths ??= columnWidths(
        all,
        items.map((item) => all.map(({ value }) => value(item))),
      );
      const lines = formatTable(all, changed, { widths, headers: isFirst });
      session.printLines([...lines, ...gone.map((name) => `${name}   gone`)]);
    } else {
      for (const document of [...changed, ...gone.map((name) => ({ name, gone: true }))])
        await printOneOfMany(session, document);
    }
  };
}

/** What of an item makes a new line when it changes: neither the lease nor ages, which change all the time. */
function essence({ leaseRenewed: _, ...rest }: WecListItem): string {
  return essenceOf(rest);
}
