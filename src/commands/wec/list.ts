import { formatLabels } from '../../lib/core/changes.ts';
import { command, partial, stepLines, textOf } from '../../lib/core/next-step.ts';
import type { Kube } from '../../lib/kube/client/client.ts';
import type { WecListItem } from '../../lib/wecs/list.ts';
import type { Definition } from '../common/define.ts';
import { age } from '../common/lines.ts';
import { itsOption, selectorOption } from '../common/options.ts';

type Options = { selector?: string; pending?: boolean };

export const definition: Definition<Options> = {
  description:
    'Lists the WECs of the ITS with the stage of each registration, including clusters that have only sent a request.',
  examples: [
    ['stellarctl wec list', 'all WECs'],
    [
      'stellarctl wec list -l location-group=edge -o wide',
      'some, with reasons, versions, leases and labels',
    ],
    ['stellarctl wec list --pending -o name', 'the names of those that are pending'],
    ['stellarctl wec list --watch', 'and every change from now on'],
  ],
  options: [itsOption(), selectorOption(), ['--pending', 'only WECs with a pending request']],
  async run(session, options) {
    const { listWecs } = await import('../../lib/wecs/list.ts');
    const { kube: hub } = await session.its();
    const query = { labelSelector: options.selector, pending: options.pending === true };
    const items = await listWecs(hub, query, (text) => session.progress.note(text));
    const now = hub.now();
    const reasonOf = ({ blockedAt, reason }: WecListItem) =>
      blockedAt?.state === 'waiting' ? '' : reason;
    // Problems are next to the last column of the table, where they are easy to see; wide output has a column for all reasons.
    await session.print({ items }, items, {
      NAME: ({ name }) => name,
      ACCEPTED: ({ accepted }) => yesNo(accepted),
      JOINED: ({ joined }) => yesNo(joined),
      AVAILABLE: ({ available, joined }) =>
        available === null ? (joined ? 'unknown' : '-') : yesNo(available),
      STAGE: ({ state, problem }) => (problem ? `${state} ✗` : state),
      AGE: ({ created }) => ageOf(created, now),
      ...(session.output === 'wide'
        ? {
            REASON: ({ reason }) => reason || '-',
            KUBERNETES: ({ kubernetesVersion }) => kubernetesVersion ?? '-',
            LEASE: ({ leaseRenewed }) => ageOf(leaseRenewed, now),
            LABELS: ({ labels }) => formatLabels(labels),
          }
        : { '': reasonOf }),
    });
    if (items.length === 0) session.noteLines(await nothingThere(hub, options));
  },
};

async function nothingThere(hub: Kube, { selector, pending }: Options) {
  const { cluster } = hub;
  if (pending) return [`No requests are pending on ${cluster.context}.`];
  if (selector !== undefined) {
    const { message, next } = await (await import('../../lib/ocm/hub/find-wecs.ts')).noneHas(
      selector,
      hub,
    );
    return [message, ...stepLines(next, '  ')];
  }
  return [
    textOf(
      partial(
        command`stellarctl wec join NAME=CONTEXT --its ${cluster.context}`,
        command`${cluster.context} has no WECs yet. To join one`,
      ),
    ),
  ];
}

const yesNo = (value: boolean) => (value ? 'yes' : 'no');
const ageOf = (time: string | null, now: number) => (time === null ? '-' : age(time, now));
