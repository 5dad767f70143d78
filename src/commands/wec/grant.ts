import { Option } from 'commander';
import { forName, type NamedResult } from '../../lib/core/each-name.ts';
import { readConfirmed } from '../../lib/core/read-confirmed.ts';
import { few } from '../../lib/core/words.ts';
import type { GrantResult, ReachedWec, WecToGrant, WecToRevoke } from '../../lib/wecs/grant.ts';
import { type Confirmation, confirming } from '../common/confirm.ts';
import type { Definition } from '../common/define.ts';
import {
  type ConfirmedOptions,
  dryRunOption,
  type ItsOptions,
  itsOption,
  listOption,
  wecKubeconfigOption,
  yesOption,
} from '../common/options.ts';
import type { Session } from '../common/session.ts';
import { parseWecArguments, withContext } from '../common/wec-argument.ts';

type GrantOptions = ItsOptions & ConfirmedOptions;

const wecArguments = [['<wecs...>', 'the WECs, each with its context if that has another name']] as const;

/** The common options of granting and revoking. */
const grantOptions = (): Option[] => [wecKubeconfigOption(), itsOption(), yesOption(), dryRunOption()];

export const grant: Definition<GrantOptions> = {
  description:
    "By default a work agent may apply what the ClusterRole admin allows, roles, namespaces and custom resource definitions; objects of other kinds fail. Finds the kinds of objects that its works could not apply for lack of rights, by access reviews for the service account of the agent. Shows the rights, asks, and writes ClusterRole stellarctl:work-agent, which is aggregated into the agent's own role. Waits until the WEC allows them.",
  timeout: '1m',
  examples: [
    ['stellarctl wec grant cluster1=kind-cluster1 --from-errors', 'the rights that its failed works lack'],
    ['stellarctl wec grant cluster1 cluster2 --from-errors', 'on two WECs, by the contexts of their names'],
  ],
  usage: 'NAME[=CONTEXT]… --from-errors [options]',
  arguments: wecArguments,
  options: [
    new Option('--from-errors', 'the kinds of objects that its works could not apply').makeOptionMandatory(),
    ...grantOptions(),
  ],
  async run(session, { yes }, positional) {
    const { grant, inspectGrant } = await import('../../lib/wecs/grant.ts');
    const { groupResourceOf } = await import('../../lib/kube/client/objects.ts');
    const all = await reachWecs(session, positional);
    const granting = await readConfirmed<WecToGrant[]>({
      read: () => Promise.all(all.map(inspectGrant)),
      losses: (wecs) => wecs.flatMap(({ name, lacking }) => lacking.map((kind) => `${name} ${groupResourceOf(kind)}`)),
      confirm: confirming(session, {
        show(wecs) {
          for (const { name, kube, lacking } of wecs) {
            const may = `The work agent of ${name} may then create, read, change and delete on ${kube.cluster.context}`;
            const none = `${name}: no work fails for lack of a right that --from-errors can grant; nothing to do`;
            // Each in its own line: a long line would be cut, and the user must see all of them.
            session.noteLines(
              lacking.length === 0 ? [none] : lacking.map((kind) => `${may}: ${groupResourceOf(kind)}`),
            );
          }
        },
        confirmations(wecs) {
          const open = wecs.filter(({ lacking }) => lacking.length > 0);
          return confirmationOf(open, { verb: 'Grant these rights to', doing: 'Granting rights to', yes });
        },
      }),
    });
    await session.finish(await Promise.all(granting.map((wec) => change(wec, session, grant))));
  },
};

export const revoke: Definition<GrantOptions & { rule?: string[] }> = {
  description:
    'Removes kinds from ClusterRole stellarctl:work-agent on WECs; without --rule, all of them. Refuses while a work has applied an object of such a kind, because the agent could no longer remove it.',
  timeout: '30s',
  destroys: true,
  examples: [['stellarctl wec revoke cluster1=kind-cluster1 --rule widgets.example.com', 'one kind']],
  usage: 'NAME[=CONTEXT]… [--rule RESOURCE.GROUP…] [options]',
  arguments: wecArguments,
  options: [listOption('--rule <kind>', 'a kind of objects, as RESOURCE[.GROUP]'), ...grantOptions()],
  async run(session, { rule, yes }, positional) {
    const { parseKind } = await import('../../lib/wecs/granted-kinds.ts');
    const given = rule?.map(parseKind);
    const { revoke, inspectRevocation } = await import('../../lib/wecs/grant.ts');
    const { groupResourceOf } = await import('../../lib/kube/client/objects.ts');
    const all = await reachWecs(session, positional);
    const revoking = await readConfirmed<WecToRevoke[]>({
      read: () => Promise.all(all.map((wec) => inspectRevocation(wec, given))),
      losses: (wecs) => wecs.flatMap(({ name, kinds }) => kinds.map((kind) => `${name} ${groupResourceOf(kind)}`)),
      confirm: confirming(session, {
        show: (wecs) =>
          session.noteLines(
            wecs.map(({ name, kube, kinds }) =>
              kinds.length > 0
                ? `The work agent of ${name} loses its rights on ${kube.cluster.context} to: ${kinds.map(groupResourceOf).join(', ')}`
                : `${name}: no such rights were granted; nothing to do`,
            ),
          ),
        confirmations(wecs) {
          const open = wecs.filter(({ kinds }) => kinds.length > 0);
          return confirmationOf(open, { verb: 'Revoke these rights of', doing: 'Revoking rights of', yes });
        },
      }),
    });
    await session.finish(await Promise.all(revoking.map((wec) => change(wec, session, revoke))));
  },
};

/** Does the work on one WEC: its failure does not stop the others. */
function change<Wec extends ReachedWec>(
  wec: Wec,
  { run }: Session,
  work: (wec: Wec, run: Session['run']) => Promise<GrantResult>,
) {
  const result: GrantResult & NamedResult = { name: wec.name, kinds: [], changed: false };
  return forName(result, run, async () => {
    Object.assign(result, await work(wec, run));
  });
}

/** One question about all WECs. */
function confirmationOf(
  wecs: readonly ReachedWec[],
  words: Pick<Confirmation, 'verb' | 'doing' | 'yes'>,
): Confirmation[] {
  const [first, ...others] = wecs.map(({ name }) => name);
  if (first === undefined) return [];
  const number = others.length === 0 ? undefined : wecs.length;
  return [{ ...words, name: few([first, ...others]).join(', '), oneWec: number === undefined, number }];
}

/** The WECs, each by its context, else by that of its name. @throws StellarError `usage`, `context-unknown` */
async function reachWecs(session: Session, positional: readonly string[]): Promise<ReachedWec[]> {
  const wecs = await session.wecs(parseWecArguments(positional).map(withContext));
  const its = await session.its();
  for (const { kube } of wecs) session.announce(kube, 'WEC');
  return wecs.map((wec) => ({ ...wec, its }));
}
