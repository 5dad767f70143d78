import type { StatusTools, StatusView } from '../../lib/doctor/status.ts';
import type { Definition } from '../common/define.ts';
import { type HostingOptions, hostingContextOption, type ItsOptions, itsOption } from '../common/options.ts';
import type { Session } from '../common/session.ts';
import { printOneOfMany, watch, watchOption } from '../common/watching.ts';
import { canAnimate, isForPeople } from '../terminal/io.ts';

type Options = HostingOptions & ItsOptions & { watch?: boolean };

export const definition: Definition<Options> = {
  description:
    'Shows the hosting cluster, its ITSes with their WECs, and its WDSes, as one tree. What does not answer is marked, and the rest is still shown; the exit code says only whether the hosting cluster could be read. An ITS chosen by --its, STELLARCTL_ITS or `its use` is shown even if it belongs to no hosting cluster.',
  timeout: '30s',
  examples: [
    ['stellarctl status', 'everything at a glance'],
    ['stellarctl status --watch', 'and every change from now on'],
  ],
  options: [hostingContextOption(), itsOption(), watchOption('show changes')],
  async run(session, options, _positional, command) {
    const { readStatus } = await import('../../lib/doctor/status.ts');
    const tools = await statusTools(session);
    session.progress.waiting(tools.hosting.cluster.context, 'reading the installation');
    const read = () => readStatus(tools);
    if (options.watch) return watch(session, command, read, await onChange(session, options));
    const view = await read();
    if (!isForPeople(session.output)) return session.print(view, namesOf(view), []);
    session.printLines(await linesOf(view, session));
    if (view.hosting === null)
      session.progress.note(`${tools.hosting.cluster.context} is not a hosting cluster; only the ITS is shown.`);
    const { nextStep } = await import('./status-text.ts');
    const named = tools.hostingSource === '--hosting-context' ? view.hosting : null;
    const next = nextStep(view, named === null ? [] : ['--hosting-context', named.name]);
    if (next !== undefined) session.next(next);
  },
};

/** Returns the tools to read the installation that the options select. */
export const statusTools = async (session: Session): Promise<StatusTools> => ({
  ...(await session.spaceTools()),
  chosen: await session.itsIfAny(),
});

async function linesOf(view: StatusView, session: Session): Promise<string[]> {
  const { describeStatus } = await import('./status-text.ts');
  return describeStatus(view, session.style, session.output === 'wide');
}

/** Names can be those of different kinds here. */
function namesOf({ itses, wdses }: StatusView): { name: string }[] {
  return [
    ...itses.flatMap(({ name, wecs }) => [`its/${name}`, ...(wecs ?? []).map((wec) => `wec/${wec.name}`)]),
    ...wdses.map(({ name }) => `wds/${name}`),
  ].map((name) => ({ name }));
}

/** Redraws the tree on a terminal; elsewhere prints everything again after a change. */
async function onChange(session: Session, { verbose }: Options): Promise<(view: StatusView) => Promise<void>> {
  const { io } = session;
  if (isForPeople(session.output) && canAnimate({ ...io, stderr: io.stdout }) && !verbose) {
    const { redrawOn } = await import('../terminal/redraw.ts');
    const draw = redrawOn(io.stdout);
    return async (view) => {
      const lines = await linesOf(view, session);
      session.progress.stop();
      draw(lines);
    };
  }
  const { essenceOf } = await import('../common/watching.ts');
  let last: string | undefined;
  return async (view) => {
    const essence = essenceOf(view);
    if (essence === last) return;
    if (last !== undefined && isForPeople(session.output)) session.printLines(['']);
    await printOnce(view, session);
    last = essence;
  };
}

async function printOnce(view: StatusView, session: Session): Promise<void> {
  const { output } = session;
  if (isForPeople(output)) return session.printLines(await linesOf(view, session));
  if (output === 'name') return session.printLines(namesOf(view).map(({ name }) => name));
  return printOneOfMany(session, view);
}
