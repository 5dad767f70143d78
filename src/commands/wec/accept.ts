import { Option } from 'commander';
import { StellarError } from '../../lib/core/errors.ts';
import { command } from '../../lib/core/next-step.ts';
import type { Kube } from '../../lib/kube/client/client.ts';
import type { Its } from '../../lib/ocm/hub/its.ts';
import type { Definition } from '../common/define.ts';
import {
  dryRunOption,
  itsOption,
  maxRemovedByLabels,
  wecKubeconfigOption,
} from '../common/options.ts';
import type { Session } from '../common/session.ts';
import { checkChoice, parseWecArguments } from '../common/wec-argument.ts';

interface Options {
  all?: boolean;
  clusters?: string;
  agent?: string;
  deny?: boolean;
  wait?: 'for-request' | false;
  maxRemoved?: number;
}

export const definition: Definition<Options> = {
  description:
    'Approves the registration request of each WEC if it is valid for a WEC of that name, accepts the WEC, and waits until it is available. A name that the ITS does not know is an error, unless --wait is given or the cluster of its context is registering. If several agents request one name, none is approved unless --agent chooses one.',
  timeout: '5m',
  examples: [
    ['stellarctl accept cluster1', 'accept one WEC and wait until it is available'],
    ['stellarctl accept cluster1,cluster2,cluster3', 'accept several'],
    ['stellarctl accept --all --no-wait', 'accept all pending requests, without waiting'],
    [
      'stellarctl accept cluster1=kind-cluster1',
      "prove which request comes from the WEC's own Klusterlet",
    ],
    ['stellarctl accept --deny cluster1', 'deny a request'],
  ],
  usage: 'NAME[=CONTEXT]… | --all [options]',
  arguments: [
    ['[wecs...]', "WECs; with a context, only the request of that cluster's own agent is accepted"],
  ],
  rare: ['--agent', '--wec-kubeconfig', '--max-removed'],
  options: [
    itsOption(),
    ['--all', 'every WEC with a pending request'],
    ['--agent <id>', 'approve only the request of this agent (its ID or a prefix of it)'],
    ['--deny', 'deny the requests instead'],
    ['--no-wait', 'do not wait until the WECs are available'],
    new Option('--wait', 'wait also for WECs that the ITS does not know yet').preset('for-request'),
    // Names in clusteradm's syntax.
    new Option('--clusters <names>').hideHelp(),
    wecKubeconfigOption(),
    maxRemovedByLabels(),
    dryRunOption(),
  ],
  async run(session, options, positional) {
    const named = options.clusters === undefined ? positional : [...positional, options.clusters];
    const wecs = parseWecArguments(named);
    checkChoice(named, options);
    const { agent, wait = true } = options;
    if (agent === '')
      throw new StellarError(
        'usage',
        '--agent is empty; give the ID of an agent or a prefix of it.',
      );
    if (agent !== undefined && wecs.length !== 1)
      throw new StellarError('usage', '--agent chooses among the requests of a single NAME.');
    const { accept, deny, findPending } = await import('../../lib/wecs/accept.ts');
    const its = await session.itsToWrite();
    const { kube: hub } = its;
    const targets = options.all
      ? (await findPending(hub)).map((name) => ({ name, kube: undefined }))
      : await session.wecs(wecs);
    if (targets.length === 0) session.progress.note('No requests are pending.');
    const effects = options.deny
      ? undefined
      : await requireAccepted(session, its, targets, options.maxRemoved);
    const results =
      effects === undefined
        ? await deny(hub, targets, agent, session.run)
        : await accept(hub, { wecs: targets, agent, wait, effects }, session.run);
    await session.finish(results);
    // An accepted WEC that has failed is no error: accept has done its work.
    const dead = results.find(({ blockedAt }) => blockedAt?.state === 'failed');
    const { context } = hub.cluster;
    session.next(
      dead === undefined
        ? command`stellarctl wec list --its ${context}`
        : command`stellarctl wec get ${dead.name} --its ${context}`,
    );
  },
};

/** Refuses WECs whose acceptance takes workloads away from others, or may do so: policies may select them before. */
async function requireAccepted(
  session: Session,
  its: Its,
  targets: readonly { name: string; kube: Kube | undefined }[],
  maxRemoved: number | undefined,
) {
  const { findWecs } = await import('../../lib/ocm/hub/find-wecs.ts');
  const { labelChanges } = await import('../../lib/wecs/values/label-changes.ts');
  const { requireForeseen } = await import('../common/forecast-text.ts');
  const found = await findWecs(its.kube, { names: targets.map(({ name }) => name) });
  const waiting = found.filter(({ cluster }) => cluster?.spec?.hubAcceptsClient !== true);
  const changes = await labelChanges(
    its.kube,
    waiting.map((wec) => ({ ...wec, labels: {}, isNew: true })),
  );
  const lookOn = async (name: string) => targets.find((wec) => wec.name === name)?.kube;
  return requireForeseen(session, its, changes, { maxRemoved, lookOn });
}
