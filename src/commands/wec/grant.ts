import { Option } from 'commander';
import { readConfirmed } from '../../lib/core/read-confirmed.ts';
import type { WecToGrant } from '../../lib/wecs/grant.ts';
import { confirming } from '../common/confirm.ts';
import type { Definition } from '../common/define.ts';
import { type GrantOptions, grantOptions, reachWec } from './grant-options.ts';

export const definition: Definition<GrantOptions> = {
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
    const { groupResourceOf } = await import('../../lib/kube/client/resources.ts');
    const reached = await reachWec(session, positional);
    const granting = await readConfirmed<WecToGrant>({
      read: () => inspectGrant(reached),
      losses: ({ lacking }) => lacking.map(groupResourceOf),
      confirm: confirming(session, {
        show: ({ lacking }) => {
          // Each in its own line: a long line would be cut, and the user must see all of them.
          for (const kind of lacking)
            session.progress.note(
              `The work agent of ${reached.name} may then create, read, change and delete on ${reached.kube.cluster.context}: ${groupResourceOf(kind)}`,
            );
          if (lacking.length === 0)
            session.progress.note(
              `${reached.name}: no work fails for lack of a right that --from-errors can grant; nothing to do`,
            );
        },
        confirmations: ({ lacking }) =>
          lacking.length === 0
            ? []
            : [{ verb: 'Grant these rights to', doing: 'Granting rights to', name: reached.name, yes: options.yes }],
      }),
    });
    await session.finish([await grant(granting, session.run)]);
  },
};
