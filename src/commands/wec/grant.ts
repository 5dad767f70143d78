import { Option } from 'commander';
import { StellarError } from '../../lib/core/errors.ts';
import { command, partial } from '../../lib/core/next-step.ts';
import { readConfirmed } from '../../lib/core/read-confirmed.ts';
import type { ReachedWec, WecToGrant, WecToRevoke } from '../../lib/wecs/grant.ts';
import { confirming } from '../common/confirm.ts';
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
import { parseWecArguments } from '../common/wec-argument.ts';

type GrantOptions = ItsOptions & ConfirmedOptions;

/** The common options of granting and revoking. */
const grantOptions = (): Option[] => [wecKubeconfigOption(), itsOption(), yesOption(), dryRunOption()];

export const grant: Definition<GrantOptions> = {
  description:
    "By default a work agent may apply what the ClusterRole admin allows, roles, namespaces and custom resource definitions; objects of other kinds fail. Finds the kinds of objects that its works could not apply for lack of rights, by access reviews for the service account of the agent. Shows the rights, asks, and writes ClusterRole stellarctl:work-agent, which is aggregated into the agent's own role. Waits until the WEC allows them.",
  timeout: '1m',
  examples: [['stellarctl wec grant cluster1=kind-cluster1 --from-errors', 'the rights that its failed works lack']],
  usage: 'NAME=CONTEXT --from-errors [options]',
  arguments: [['<wec>', 'the WEC with its context']],
  options: [
    new Option('--from-errors', 'the kinds of objects that its works could not apply').makeOptionMandatory(),
    ...grantOptions(),
  ],
  async run(session, options, positional) {
    const { grant, inspectGrant } = await import('../../lib/wecs/grant.ts');
    const { groupResourceOf } = await import('../../lib/kube/client/objects.ts');
    const reached = await reachWec(session, positional);
    const granting = await readConfirmed<WecToGrant>({
      read: () => inspectGrant(reached),
      losses: ({ lacking }) => lacking.map(groupResourceOf),
      confirm: confirming(session, {
        show({ lacking }) {
          const may = `The work agent of ${reached.name} may then create, read, change and delete on ${reached.kube.cluster.context}`;
          const none = `${reached.name}: no work fails for lack of a right that --from-errors can grant; nothing to do`;
          // Each in its own line: a long line would be cut, and the user must see all of them.
          session.noteLines(lacking.length === 0 ? [none] : lacking.map((kind) => `${may}: ${groupResourceOf(kind)}`));
        },
        confirmations: ({ lacking }) =>
          lacking.length === 0
            ? []
            : [{ verb: 'Grant these rights to', doing: 'Granting rights to', ...ofWec(reached, options) }],
      }),
    });
    await session.finish([await grant(granting, session.run)]);
  },
};

export const revoke: Definition<GrantOptions & { rule?: string[] }> = {
  description:
    'Removes kinds from ClusterRole stellarctl:work-agent on a WEC; without --rule, all of them. Refuses while a work has applied an object of such a kind, because the agent could no longer remove it.',
  timeout: '30s',
  destroys: true,
  examples: [['stellarctl wec revoke cluster1=kind-cluster1 --rule widgets.example.com', 'one kind']],
  usage: 'NAME=CONTEXT [--rule RESOURCE.GROUP…] [options]',
  arguments: [['<wec>', 'the WEC with its context']],
  options: [listOption('--rule <kind>', 'a kind of objects, as RESOURCE[.GROUP]'), ...grantOptions()],
  async run(session, options, positional) {
    const { parseKind } = await import('../../lib/wecs/granted-kinds.ts');
    const given = options.rule?.map(parseKind);
    const { revoke, inspectRevocation } = await import('../../lib/wecs/grant.ts');
    const { groupResourceOf } = await import('../../lib/kube/client/objects.ts');
    const reached = await reachWec(session, positional);
    const revoking = await readConfirmed<WecToRevoke>({
      read: () => inspectRevocation(reached, given),
      losses: ({ kinds }) => kinds.map(groupResourceOf),
      confirm: confirming(session, {
        show: ({ kinds }) =>
          session.progress.note(
            kinds.length > 0
              ? `The work agent of ${reached.name} loses its rights on ${reached.kube.cluster.context} to: ${kinds.map(groupResourceOf).join(', ')}`
              : `${reached.name}: no such rights were granted; nothing to do`,
          ),
        confirmations: ({ kinds }) =>
          kinds.length === 0
            ? []
            : [{ verb: 'Revoke these rights of', doing: 'Revoking rights of', ...ofWec(reached, options) }],
      }),
    });
    await session.finish([await revoke(revoking, session.run)]);
  },
};

const ofWec = ({ name }: ReachedWec, { yes }: GrantOptions) => ({ name, oneWec: true, yes });

/** @throws StellarError `usage` */
async function reachWec(session: Session, positional: readonly string[]): Promise<ReachedWec> {
  const parsed = parseWecArguments(positional);
  const [wec] = await session.wecs(parsed);
  if (wec?.kube === undefined)
    throw new StellarError('usage', 'The rights are on the WEC itself: give its context.', {
      next: [partial(command`stellarctl wec grant ${`${parsed[0]?.name ?? 'NAME'}=CONTEXT`} --from-errors`)],
    });
  const its = await session.its();
  session.announce(wec.kube, 'WEC');
  return { its, name: wec.name, kube: wec.kube };
}
