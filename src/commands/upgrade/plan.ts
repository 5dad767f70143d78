import { ExitCode, StellarError } from '../../lib/core/errors.ts';
import type { Definition } from '../common/define.ts';
import { selectClusters } from '../common/installation.ts';
import { hostingContextOption, itsOption, wecKubeconfigOption } from '../common/options.ts';
import { parseWecArguments, withContext } from '../common/wec-argument.ts';

type Options = { to?: string; exitCode?: boolean };

export const definition: Definition<Options> = {
  description:
    'Shows each part of an installation with the version that runs and the one that an upgrade leads to, what that does to running workloads, and the commands in their order: KubeFlex and hooks, ITSes, WDSes, WECs. It only reads.',
  formats: ['table', 'wide', 'json', 'yaml'],
  examples: [
    ['stellarctl upgrade plan', 'what to upgrade on the hosting cluster and in its spaces'],
    ['stellarctl upgrade plan cluster1=kind-cluster1', 'with the agent of a WEC'],
    [
      'stellarctl upgrade plan --exit-code',
      'for scripts: exits with 5 if there is something to do',
    ],
  ],
  usage: '[NAME=CONTEXT…] [options]',
  arguments: [['[wecs...]', 'WECs whose agents are shown as well']],
  options: [
    ['--to <version>', 'the version of KubeStellar (default: the one that init installs)'],
    ['--exit-code', 'exit with 5 if there is something to do'],
    hostingContextOption(),
    itsOption(),
    wecKubeconfigOption(),
  ],
  async run(session, { to, exitCode }, positional) {
    const { findVersion } = await import('../../lib/core/text/version.ts');
    if (to !== undefined && findVersion(to) !== to)
      throw new StellarError(
        'usage',
        `"${to}" is not a version of KubeStellar: it has the form 0.30.0.`,
      );
    const { planUpgrades, readVersions } = await import('../../lib/installation/versions.ts');
    const wecs = await session.wecs(parseWecArguments(positional).map(withContext));
    const contexts = new Map(wecs.map(({ name, kube }) => [name, kube.cluster.context]));
    const versions = await readVersions(await selectClusters(session), wecs);
    const plan = planUpgrades(versions, to, (wec) => contexts.get(wec) ?? wec);
    await session.print(plan, plan.items, {
      PART: ({ name }) => name,
      PRODUCT: ({ product }) => product,
      RUNNING: ({ running }) => running ?? '-',
      WANTED: ({ wanted }) => wanted ?? '-',
      STATE: ({ state }) => state,
      'WHY NOW': ({ why }) => why ?? '-',
      WORKLOADS: ({ state, workloads }) => (state === 'behind' ? workloads : '-'),
    });
    if (wecs.length === 0 && versions.itses.length > 0)
      session.progress.note('No agents of WECs are shown: stellarctl upgrade plan NAME=CONTEXT');
    const commands = [...new Set(plan.items.flatMap((row) => row.command ?? []))];
    if (session.isForPeople) session.next(...commands);
    if (exitCode && commands.length > 0) session.exitCode = ExitCode.different;
  },
};
