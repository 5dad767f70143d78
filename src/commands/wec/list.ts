import { formatAge } from '../../lib/core/deadline.ts';
import { command, partial, stepLines, textOf } from '../../lib/core/next-step.ts';
import type { Kube } from '../../lib/kube/client/client.ts';
import type { WecListItem } from '../../lib/wecs/list.ts';
import type { Definition } from '../common/define.ts';
import { formatLabels } from '../common/labels.ts';
import { type ItsOptions, itsOption, selectorOption } from '../common/options.ts';
import type { Session } from '../common/session.ts';
import { essenceOf, printOneOfMany, watch, watchOption } from '../common/watching.ts';
import { isForPeople } from '../terminal/io.ts';
import { type Column, columnWidths, formatTable } from '../terminal/output.ts';

type Options = ItsOptions & { selector?: string; pending?: boolean; watch?: boolean };

export const definition: Definition<Options> = {
  description:
    'Lists the WECs of the ITS with the stage of each registration, including clusters that have only sent a request.',
  timeout: '30s',
  examples: [
    ['stellarctl wec list', 'all WECs'],
    ['stellarctl wec list -l location-group=edge -o wide', 'some, with reasons, versions, leases and labels'],
    ['stellarctl wec list --pending -o name', 'the names of those that are pending'],
    ['stellarctl wec list --watch', 'and every change from now on'],
  ],
  options: [
    itsOption(),
    selectorOption(),
    ['--pending', 'only WECs with a pending request'],
    watchOption('print changes'),
  ],
  async run(session, options, _positional, command) {
    const { listWecs } = await import('../../lib/wecs/list.ts');
    const { kube: hub } = await session.its();
    const query = { labelSelector: options.selector, pending: options.pending === true };
    const read = () => listWecs(hub, query);
    const now = () => hub.now();
    if (options.watch) return watch(session, command, read, printChanges(session, now));
    const items = await listWecs(hub, query, (text) => session.progress.note(text));
    await session.print({ items }, items, columns(hub.now(), session.output === 'wide'));
    if (items.length === 0) session.noteLines(await nothingThere(hub, options));
  },
};

async function nothingThere(hub: Kube, { selector, pending }: Options): Promise<string[]> {
  const { cluster } = hub;
  if (pending) return [`No requests are pending on ${cluster.context}.`];
  if (selector !== undefined) {
    const { message, next } = await (await import('../../lib/ocm/find-wecs.ts')).noneHas(selector, hub);
    return [message, ...stepLines(next, '  ')];
  }
  const join = command`stellarctl wec join NAME=CONTEXT --its ${cluster.context}`;
  return [textOf(partial(join, command`${cluster.context} has no WECs yet. To join one`))];
}

/**
 * Problems are next to the last column of the table, where they are easy to see; wide output has a column for all reasons.
 * @param now milliseconds since the epoch, by the ITS's clock
 */
export function columns(now: number, wide: boolean): Column<WecListItem>[] {
  const reasonOf = ({ blockedAt, reason }: WecListItem) => (blockedAt?.state === 'waiting' ? '' : reason);
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
    ...(wide ? [] : [{ header: '', value: reasonOf }]),
    { header: 'REASON', value: ({ reason }) => reason || '-', wide: true },
    { header: 'KUBERNETES', value: ({ kubernetesVersion }) => kubernetesVersion ?? '-', wide: true },
    { header: 'LEASE', value: ({ leaseRenewed }) => age(leaseRenewed, now), wide: true },
    { header: 'LABELS', value: ({ labels }) => formatLabels(labels), wide: true },
  ];
}

const yesNo = (value: boolean): string => (value ? 'yes' : 'no');
const age = (time: string | null, now: number): string => (time === null ? '-' : formatAge(now - Date.parse(time)));

/** Prints all rows, then each changed row; in JSON one document per line, also for deleted WECs. */
function printChanges(session: Session, now: () => number): (items: WecListItem[]) => Promise<void> {
  const { output } = session;
  const lastLines = new Map<string, string>();
  let widths: number[] | undefined;
  return async (items) => {
    const changed = items.filter((item) => lastLines.get(item.name) !== essence(item));
    const gone = [...lastLines.keys()].filter((name) => !items.some((item) => item.name === name));
    for (const item of changed) lastLines.set(item.name, essence(item));
    for (const name of gone) lastLines.delete(name);
    if (output === 'name') {
      session.printLines([...changed.map(({ name }) => name), ...gone]);
    } else if (isForPeople(output)) {
      const all = columns(now(), output === 'wide').filter(({ wide }) => !wide || output === 'wide');
      const headers = widths === undefined;
      const cellsOf = (item: WecListItem) => all.map(({ value }) => value(item));
      widths ??= columnWidths(all, items.map(cellsOf));
      session.printLines([
        ...formatTable(all, changed, { widths, headers }),
        ...gone.map((name) => `${name}   deleted`),
      ]);
    } else {
      for (const document of [...changed, ...gone.map((name) => ({ name, deleted: true }))])
        await printOneOfMany(session, document);
    }
  };
}

/** The part of an item whose change prints a new line: without the lease and ages, which change all the time. */
const essence = ({ leaseRenewed: _, ...rest }: WecListItem): string => essenceOf(rest);
