import { exitCodeOf, reportOf, StellarError } from '../../lib/core/errors.ts';
import type { VersionsView } from '../../lib/installation/versions.ts';
import { tryRead } from '../../lib/kube/access.ts';
import type { Definition } from '../common/define.ts';
import { selectClusters } from '../common/installation.ts';
import { hostingContextOption, itsOption, wecKubeconfigOption } from '../common/options.ts';
import type { Session } from '../common/session.ts';
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
  async run(session, options, positional) {
    const installed = options.client ? undefined : await readInstalled(session, positional);
    const failure = installed instanceof StellarError ? installed : undefined;
    const view = installed === failure ? undefined : (installed as VersionsView);
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

/**
 * Returns the versions behind the contexts; undefined if KubeStellar is not found there and the user named no context; or the error
 * that prevents the reading.
 */
async function readInstalled(
  session: Session,
  positional: readonly string[],
): Promise<VersionsView | StellarError | undefined> {
  const named = parseWecArguments(positional).map(withContext);
  const { hostingContext, its } = session.options;
  const isAsked = hostingContext !== undefined || its !== undefined || named.length > 0;
  const installed = await tryRead(async () => {
    const { readVersions } = await import('../../lib/installation/versions.ts');
    const wecs = await session.wecs(named);
    return readVersions(await selectClusters(session), wecs);
  });
  if (installed.state === 'seen') return installed.value;
  const error = installed.state === 'hidden' ? installed.error : undefined;
  const isNothing = error?.code === 'usage' || error?.code === 'not-a-hosting-cluster';
  return isNothing && !isAsked ? undefined : error;
}
