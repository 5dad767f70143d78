import { Option } from 'commander';
import { readConfirmed } from '../../lib/core/read-confirmed.ts';
import type { Run } from '../../lib/core/run.ts';
import { few } from '../../lib/core/text/words.ts';
import type {
  GrantResult,
  ReachedWec,
  WecToGrant,
  WecToRevoke,
} from '../../lib/wecs/registration/grant.ts';
import { confirming } from '../common/confirm.ts';
import type { Definition } from '../common/define.ts';
import {
  dryRunOption,
  itsOption,
  listOption,
  wecKubeconfigOption,
  yesOption,
} from '../common/options.ts';
import type { Session } from '../common/session.ts';
import { parseWecArguments } from '../common/wec-argument.ts';

const wecArguments = [
  ['<wecs...>', 'the WECs, each with its context if that has another name'],
] as const;

/** The common options of granting and revoking. */
const grantOptions = () => [wecKubeconfigOption(), itsOption(), yesOption(), dryRunOption()];

export const grant: Definition = {
  description:
    "By default a work agent may apply what the ClusterRole admin allows, roles, namespaces and custom resource definitions; objects of other kinds fail. Finds the kinds of objects that its works could not apply for lack of rights, by access reviews for the service account of the agent. Shows the rights, asks, and writes ClusterRole stellarctl:work-agent, which is aggregated into the agent's own role. Waits until the WEC allows them.",
  timeout: '1m',
  examples: [
    [
      'stellarctl wec grant cluster1=kind-cluster1 --from-errors',
      'the rights that its failed works lack',
    ],
    [
      'stellarctl wec grant cluster1 cluster2 --from-errors',
      'on two WECs, by the contexts of their names',
    ],
  ],
  usage: 'NAME[=CONTEXT]… --from-errors [options]',
  arguments: wecArguments,
  options: [
    new Option(
      '--from-errors',
      'the kinds of objects that its works could not apply',
    ).makeOptionMandatory(),
    ...grantOptions(),
  ],
  async run(session, _options, positional) {
    const { grant, inspectGrant } = await import('../../lib/wecs/registration/grant.ts');
    await changeRights<WecToGrant>(session, positional, {
      inspect: inspectGrant,
      // Each in its own line: a long line would be cut, and the user must see all of them.
      describe({ name, kube }, kinds) {
        const may = `The work agent of ${name} may then create, read, change and delete on ${kube.cluster.context}`;
        const none = `${name}: no work fails for lack of a right that --from-errors can grant; nothing to do`;
        return kinds.length === 0 ? [none] : kinds.map((kind) => `${may}: ${kind}`);
      },
      verb: 'Grant these rights to',
      work: grant,
    });
  },
};

export const revoke: Definition<{ rule?: string[] }> = {
  description:
    'Removes kinds from ClusterRole stellarctl:work-agent on WECs; without --rule, all of them. Refuses while a work has applied an object of such a kind, because the agent could no longer remove it.',
  destroys: true,
  examples: [
    ['stellarctl wec revoke cluster1=kind-cluster1 --rule widgets.example.com', 'one kind'],
  ],
  usage: 'NAME[=CONTEXT]… [--rule RESOURCE.GROUP…] [options]',
  arguments: wecArguments,
  options: [
    listOption('--rule <kind>', 'a kind of objects, as RESOURCE[.GROUP]'),
    ...grantOptions(),
  ],
  async run(session, { rule }, positional) {
    const { parseKind } = await import('../../lib/wecs/registration/granted-kinds.ts');
    const given = rule?.map(parseKind);
    const { revoke, inspectRevocation } = await import('../../lib/wecs/registration/grant.ts');
    await changeRights<WecToRevoke>(session, positional, {
      inspect: (wec) => inspectRevocation(wec, given),
      describe: ({ name, kube }, kinds) => [
        kinds.length > 0
          ? `The work agent of ${name} loses its rights on ${kube.cluster.context} to: ${kinds.join(', ')}`
          : `${name}: no such rights were granted; nothing to do`,
      ],
      verb: 'Revoke these rights of',
      work: revoke,
    });
  },
};

interface RightsChange<Inspected> {
  inspect(wec: ReachedWec): Promise<Inspected>;
  /** @param kinds as `widgets.example.com` */
  describe(wec: ReachedWec, kinds: string[]): string[];
  verb: string;
  work(wec: Inspected, run: Run): Promise<GrantResult>;
}

/**
 * Shows what changes on the WECs, each reached by its context, else by that of its name. Asks one question about all of them, and
 * changes each: a failure does not stop the others.
 * @throws StellarError `usage`, `context-unknown`
 */
async function changeRights<Inspected extends Omit<WecToRevoke, 'role'>>(
  session: Session,
  positional: string[],
  change: RightsChange<Inspected>,
) {
  const { groupResourceOf } = await import('../../lib/kube/client/objects.ts');
  const named = parseWecArguments(positional);
  const its = await session.its();
  const wecs = await session.registeredWecs(named, its.kube);
  for (const { kube } of wecs) session.announce(kube, 'WEC');
  const changing = await readConfirmed<Inspected[]>({
    read: () => Promise.all(wecs.map((wec) => change.inspect({ ...wec, its }))),
    effects: (seen) =>
      seen.flatMap(({ name: wec, kinds }) =>
        kinds.map((kind) => ({ object: groupResourceOf(kind), wec })),
      ),
    confirm: confirming(session, {
      show: (seen) =>
        session.noteLines(
          seen.flatMap((wec) => change.describe(wec, wec.kinds.map(groupResourceOf))),
        ),
      confirmations(seen) {
        const names = seen.filter(({ kinds }) => kinds.length > 0).map(({ name }) => name);
        const number = names.length > 1 ? names.length : undefined;
        const confirmation = {
          verb: change.verb,
          name: few(names).join(', '),
          oneWec: number === undefined,
          number,
        };
        return names.length === 0 ? [] : [confirmation];
      },
    }),
  });
  await session.finish(await Promise.all(changing.map((wec) => change.work(wec, session.run))));
}
