import { exitCodeOf, reportOf } from '../../lib/core/errors.ts';
import { errorOf, ifSeen, tryRead } from '../../lib/kube/access.ts';
import type { Definition } from '../common/define.ts';
import { selectClusters } from '../common/installation.ts';
import { hostingContextOption, itsOption, wecKubeconfigOption } from '../common/options.ts';
import { parseWecArguments, withContext } from '../common/wec-argument.ts';

type Options = { client?: boolean };

declare const STELLARCTL_VERSION: string;

export const definition: Definition<Options> = {
  description:
    'Shows the version of stellarctl, and of what runs in the installation that the contexts lead to: KubeFlex, OCM, KubeStellar, and of WECs with their contexts the agents. Versions are those of the containers that run. Requests go to these clusters only.',
  formats: ['table', 'wide', 'json', 'yaml'],
  examples: [
    ['stellarctl version', 'stellarctl, and the installation'],
    ['stellarctl version --client', 'stellarctl alone, without a request'],
    ['stellarctl version cluster1=kind-cluster1 -o json', 'with the agent of a WEC, for scripts'],
  ],
  usage: '[NAME=CONTEXT…] [options]',
  arguments: [['[wecs...]', 'WECs whose agents are shown as well']],
  options: [
    ['--client', 'that of stellarctl alone'],
    hostingContextOption(),
    itsOption(),
    wecKubeconfigOption(),
  ],
  async run(session, { client }, positional) {
    const { hostingContext, its } = session.options;
    const named = parseWecArguments(positional).map(withContext);
    const installed = await tryRead(async () => {
      if (client) return undefined;
      const { readVersions } = await import('../../lib/installation/versions.ts');
      const wecs = await session.wecs(named);
      return readVersions(await selectClusters(session), wecs);
    });
    const view = ifSeen(installed);
    const error = errorOf(installed);
    // A machine without an installation still has a version of stellarctl.
    const isNothing = error?.code === 'usage' || error?.code === 'not-a-hosting-cluster';
    const isAsked = hostingContext !== undefined || its !== undefined || named.length > 0;
    const failure = isNothing && !isAsked ? undefined : error;
    const { describeVersions } = await import('./version-text.ts');
    await session.show(
      { client: STELLARCTL_VERSION, ...view, ...(failure && { error: reportOf(failure) }) },
      (style) => describeVersions(STELLARCTL_VERSION, view, style),
      [],
    );
    if (failure !== undefined && session.isForPeople) throw failure;
    if (failure !== undefined) session.exitCode = exitCodeOf(failure);
    if (view?.fits === false && session.isForPeople) session.next('stellarctl doctor');
  },
};
