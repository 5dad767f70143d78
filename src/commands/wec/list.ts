import { command } from '../../lib/core/command-line.ts';
import { partial, stepLines, textOf } from '../../lib/core/next-step.ts';
import type { Kube } from '../../lib/kube/client/client.ts';
import type { Definition } from '../common/define.ts';
import { type ItsOptions, itsOption, selectorOption } from '../common/options.ts';
import { watch, watchOption } from '../common/watching.ts';

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
    const { columns, printChanges } = await import('./list-text.ts');
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
