import { Option } from 'commander';
import { StellarError } from '../../lib/core/errors.ts';
import { advice } from '../../lib/core/next-step.ts';
import type { Fleet } from '../../lib/fleet/fleet-file.ts';
import type { SpacePlan } from '../../lib/fleet/fleet-spaces.ts';
import type { FleetOptions, FleetWork } from '../../lib/fleet/plan.ts';
import { foresee } from '../common/forecast-text.ts';
import {
  hostingContextOption,
  itsOption,
  listOption,
  maxRemovedOption,
  wecKubeconfigOption,
} from '../common/options.ts';
import type { Session } from '../common/session.ts';

/** Options of the commands that compare a file with an ITS. */
export interface FileOptions extends FleetOptions {
  filename: string[];
  its?: string;
  trustKubeconfigs?: boolean;
}

export const fileOptions = () => [
  listOption(
    '-f, --filename <file>',
    'the file; a folder with files, or - for stdin',
  ).makeOptionMandatory(),
  itsOption(),
  wecKubeconfigOption(),
  listOption(
    '--force-conflicts <keys>',
    'labels, annotations and properties that other programs have set, to own from now on',
  ),
  new Option('--prune', 'deregister WECs that this fleet has joined and that left the file'),
  maxRemovedOption('with --prune: so many at most (default: 1, or 10 % of the WECs)'),
  new Option(
    '--replace-hub',
    'move WECs that are registered with another hub; what that has sent keeps running',
  ),
  new Option('--evict-works', 'let agents delete what another hub has sent, and the ITS has not'),
  new Option(
    '--trust-kubeconfigs',
    'let kubeconfigs that the file names run programs, read files and use proxies',
  ),
  hostingContextOption(),
];

/** The spaces of a file, which are created before its WECs. */
export async function readSpaces(session: Session, fleet: Fleet): Promise<SpacePlan[]> {
  if (fleet.its.length + fleet.wds.length === 0) return [];
  const { planSpaces } = await import('../../lib/fleet/fleet-spaces.ts');
  return planSpaces(fleet, await session.spaceTools());
}

/** The name of the ITS, if only the file gives it. */
export const itsOfFile = ({ its }: FileOptions, fleet: Fleet) =>
  its === undefined && fleet.its.length === 1 ? fleet.its[0]?.name : undefined;

/** Opens the ITS, and prepares to open the WECs. */
export async function openClusters(
  session: Session,
  fleet: Fleet,
  options: FileOptions,
): Promise<FleetWork> {
  const given = itsOfFile(options, fleet);
  const its = await (given === undefined
    ? session.its()
    : session.openIts({ given, source: '--its' }));
  session.announce(its.kube);
  const contextIn = async (file: string | undefined, name: string) => {
    if (file === undefined || options.trustKubeconfigs) return session.contextOf(name, file);
    // Who writes the file of a fleet must not run programs where it is planned.
    const { contextFromCluster } = await import('../../lib/kube/kubeconfig/kubeconfig.ts');
    const { readNamed } = await import('../../lib/core/named-file.ts');
    const context = await contextFromCluster(await readNamed(file, 'kubeconfig'), file, name);
    if (Object.keys(context.user).length > 0) return context;
    throw new StellarError(
      'kubeconfig-invalid',
      `Context ${name} of ${file} has no credentials of its own.`,
      advice('If you trust that file with programs, files and proxies: --trust-kubeconfigs'),
    );
  };
  return {
    fleet,
    options,
    run: session.run,
    its,
    async open({ context: name = '', kubeconfig }) {
      return session.connectWec(await contextIn(kubeconfig, name));
    },
    foresee: (changes, lookOn) => foresee(session, its, changes, lookOn),
  };
}
