import { Option } from 'commander';
import { StellarError } from '../../lib/core/errors.ts';
import { command, run, textOf } from '../../lib/core/next-step.ts';
import type { Confirm } from '../../lib/core/read-confirmed.ts';
import type { HubAccess } from '../../lib/ocm/hub/hub-access.ts';
import { agentModes, type JoinOptions, type Moving } from '../../lib/wecs/join/join-options.ts';
import { confirming } from '../common/confirm.ts';
import type { Definition } from '../common/define.ts';
import {
  dryRunOption,
  itsOption,
  maxRemovedByLabels,
  refuseWithout,
  repeatable,
  type SessionOptions,
  wecKubeconfigOption,
  yesOption,
} from '../common/options.ts';
import { type RehearsalOptions, rareRehearsal, rehearsalOptions } from '../common/rehearsal.ts';
import type { Session } from '../common/session.ts';
import { parseWecArguments, withContext } from '../common/wec-argument.ts';
import { requireForeseenJoin } from './foreseen-join.ts';
import {
  checkAddresses,
  connectionOptions,
  type JoiningOptions,
  nextAfterJoin,
  openAccess,
  toJoinOptions,
} from './join-options.ts';

type Options = SessionOptions &
  JoiningOptions &
  RehearsalOptions & { printManifests?: boolean; replaceHub?: boolean; maxRemoved?: number };

export const definition: Definition<Options> = {
  description:
    'Installs the klusterlet on each cluster, so that it requests registration with the ITS under NAME, and waits for the request; with --accept it accepts the WEC and waits until it is available. Refuses a cluster that is registered elsewhere, and a name that another cluster has. It can be rerun to resume, also after a registration was lost. With --join-file, works on the WEC only, without access to the ITS.',
  timeout: '5m',
  examples: [
    [
      'stellarctl wec join cluster1=kind-cluster1 cluster2 --accept --label tier=edge',
      'register and accept two clusters',
    ],
    ['stellarctl wec join cluster1', 'request registration; another person accepts'],
    [
      'stellarctl wec join cluster1 --join-file cluster1.join',
      'the same without access to the ITS',
    ],
    ['stellarctl wec join cluster1 --print-manifests > cluster1.yaml', 'the objects, for GitOps'],
  ],
  usage: 'NAME[=CONTEXT]… [options]',
  arguments: [['<wecs...>', 'names of the WECs; a bare NAME means the context of that name']],
  rare: [
    '--wec-kubeconfig',
    '--hub-apiserver',
    '--ca-file',
    '--proxy-url',
    '--ocm-version',
    '--image-registry',
    '--mode',
    '--image-pull-secret',
    '--print-manifests',
    '--max-removed',
    ...rareRehearsal,
  ],
  options: [
    itsOption(),
    wecKubeconfigOption(),
    new Option(
      '--join-file <file>',
      'a join file of the ITS instead of its context; - reads stdin',
    ).conflicts(['accept', 'label', 'its']),
    ['--accept', 'accept the WECs, and wait until they are available'],
    repeatable(
      '--label <key=value>',
      'a label for the WECs; {name} in its value is the name of each',
    ),
    ...connectionOptions,
    ['--ocm-version <version>', "the version of the agents (default: the hub's own)"],
    ['--image-registry <registry>', "the registry of the agents' images (default: the hub's)"],
    new Option(
      '--mode <mode>',
      'Singleton: one Deployment for both agents; Default: one for each',
    ).choices(agentModes),
    ['--image-pull-secret <file>', 'a docker config.json with the credentials for it'],
    [
      '--replace-hub',
      'move WECs that are registered with another hub, after showing what happens to their workloads',
    ],
    yesOption('with --replace-hub: skip the confirmation'),
    maxRemovedByLabels(),
    ...rehearsalOptions(),
    ['--print-manifests', 'print what would be applied, for GitOps; the token is a placeholder'],
    dryRunOption(),
  ],
  run: joinWecs,
};

async function joinWecs(session: Session, options: Options, positional: string[]) {
  const wecs = parseWecArguments(positional);
  checkAddresses(options);
  if (!options.replaceHub) refuseWithout('--replace-hub', { '--yes': options.yes });
  if (options.printManifests && wecs.length !== 1)
    throw new StellarError('usage', '--print-manifests prints the objects of a single NAME.');
  const replaceHub = options.replaceHub ? await confirmMove(session) : undefined;
  const joinOptions = { ...(await toJoinOptions(options)), replaceHub };
  const access = await openAccess(session, options, joinOptions.certificateAuthority);
  if (options.printManifests) {
    return printManifests(session, access, wecs[0]?.name ?? '', joinOptions);
  }
  const { join } = await import('../../lib/wecs/join/join.ts');
  const clusters = await session.wecs(wecs.map(withContext));
  const effects = await requireForeseenJoin(session, access, clusters, joinOptions, options);
  const results = await join(access, clusters, { ...joinOptions, effects }, session.run);
  await session.finish(results);
  session.next(nextAfterJoin(access, results));
}

/** Shows a user what happens to a WEC that moves, and asks. */
async function confirmMove(session: Session): Promise<Confirm<Moving>> {
  const { describeCluster } = await import('../../lib/kube/client/errors.ts');
  const { describeRemainingWorks } = await import('../../lib/wecs/join/evict-from-former-hub.ts');
  const effects = ({ works, its }: Moving) =>
    works === undefined
      ? 'which works of that hub run on it could not be read'
      : (describeRemainingWorks(works, its) ?? 'no work of that hub runs on it');
  return confirming(session, {
    show(moving) {
      const { name, cluster, from, its } = moving;
      session.noteLines([
        `${name}: ${describeCluster(cluster)} is registered with the hub ${from}, and will be moved to ${its}.`,
        `  On that hub: its ManagedCluster ${name} stays, becomes unavailable after some minutes, and has to be deregistered there.`,
        `  Labels: those that it has there are not set on ${its}; --label sets them.`,
        `  Workloads: ${effects(moving)}.`,
      ]);
    },
    confirmations: ({ name }) => [{ verb: 'Move', name }],
  });
}

/** Prints what a join would apply, as a List in JSON or as YAML documents. */
async function printManifests(
  session: Session,
  access: HubAccess,
  name: string,
  options: JoinOptions,
) {
  const { joinManifests, tokenPlaceholder } = await import(
    '../../lib/wecs/join/install-klusterlet.ts'
  );
  const objects = await joinManifests(access, name, options, session.run);
  if (session.output === 'json') {
    await session.printDocument({ apiVersion: 'v1', kind: 'List', items: objects });
  } else {
    for (const object of objects) await session.printDocument(object, { isOneOfMany: true });
  }
  const token = command`stellarctl its token -o json --its ${access.its}`;
  session.progress.note(textOf(run(token, command`Put a token in place of ${tokenPlaceholder}`)));
}
