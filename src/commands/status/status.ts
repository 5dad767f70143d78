import type { StatusView } from '../../lib/installation/status.ts';
import type { Definition } from '../common/define.ts';
import { selectClusters } from '../common/installation.ts';
import { hostingContextOption, itsOption } from '../common/options.ts';
import { outputFormats } from '../terminal/io.ts';

declare const STELLARCTL_VERSION: string;

export const definition: Definition = {
  description:
    'Shows the hosting cluster, its ITSes with their WECs, and its WDSes, as one tree. What does not answer is marked, and the rest is still shown; the exit code says only whether the hosting cluster could be read. An ITS chosen by --its, STELLARCTL_ITS or `its use` is shown even if it belongs to no hosting cluster.',
  examples: [
    ['stellarctl status', 'everything at a glance'],
    ['stellarctl status --watch', 'and every change from now on'],
    ['stellarctl status -o html > status.html', 'a page for a team, with policies and findings'],
  ],
  formats: [...outputFormats, 'html'],
  options: [hostingContextOption(), itsOption()],
  async run(session) {
    if (session.output === 'html') {
      const { doctorInput } = await import('../doctor/input.ts');
      const { statusPage } = await import('./page.ts');
      const page = await statusPage(
        await doctorInput(session, []),
        STELLARCTL_VERSION,
        session.style,
      );
      return session.printLines(page.split('\n'), Infinity);
    }
    const { readStatus } = await import('../../lib/installation/status.ts');
    const clusters = await selectClusters(session);
    const { spaces: { hosting, hostingSource } = {} } = clusters;
    session.progress.waiting('status', 'reading the installation');
    const view = await readStatus(clusters);
    const { describeStatus, nextOf } = await import('./status-text.ts');
    await session.show(
      view,
      (style, isWide) => describeStatus(view, style, isWide),
      partNames(view),
    );
    if (!session.isForPeople) return;
    if (hosting && view.hosting === null)
      session.progress.note(
        `${hosting.cluster.context} is not a hosting cluster; only what commands use is shown.`,
      );
    const named = hostingSource === '--hosting-context' ? view.hosting : null;
    const next = nextOf(view, named === null ? [] : ['--hosting-context', named.name]);
    if (next !== undefined) session.next(next);
  },
};

/** Names can be those of different kinds here. */
function partNames({ itses, wdses }: StatusView): { name: string }[] {
  return [
    ...itses.flatMap(({ name, wecs }) => [
      `its/${name}`,
      ...(wecs ?? []).map((wec) => `wec/${wec.name}`),
    ]),
    ...wdses.map(({ name }) => `wds/${name}`),
  ].map((name) => ({ name }));
}
