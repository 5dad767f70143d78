import { readConfirmed } from '../../lib/core/read-confirmed.ts';
import type { WecToRevoke } from '../../lib/wecs/grant.ts';
import { confirming } from '../common/confirm.ts';
import type { Definition } from '../common/define.ts';
import { listOption } from '../common/options.ts';
import { type GrantOptions, grantOptions, reachWec } from './grant-options.ts';

export const definition: Definition<GrantOptions & { rule?: string[] }> = {
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
    const { groupResourceOf } = await import('../../lib/kube/client/resources.ts');
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
            : [{ verb: 'Revoke these rights of', doing: 'Revoking rights of', name: reached.name, yes: options.yes }],
      }),
    });
    await session.finish([await revoke(revoking, session.run)]);
  },
};
