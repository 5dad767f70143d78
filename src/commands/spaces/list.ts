import { command } from '../../lib/core/next-step.ts';
import type { SpaceRole } from '../../lib/ocm/model/kubeflex-names.ts';
import type { SpaceListItem } from '../../lib/spaces/list-spaces.ts';
import type { Definition } from '../common/define.ts';
import { age } from '../common/lines.ts';
import { hostingContextOption } from '../common/options.ts';
import type { Columns } from '../terminal/output.ts';

/** `its list` and `wds list`. */
export function definition(role: SpaceRole): Definition {
  const noun = role.toUpperCase();
  return {
    description: `Lists the ${noun}es of the hosting cluster with their stages and contexts.`,
    examples: [[command`stellarctl ${role} list`, `all ${noun}es`]],
    options: [hostingContextOption()],
    async run(session) {
      const { listSpaces } = await import('../../lib/spaces/list-spaces.ts');
      const tools = await session.spaceTools();
      const items = await listSpaces(role, tools);
      const its: Columns<SpaceListItem> = role === 'wds' ? { ITS: (item) => item.its ?? '-' } : {};
      const now = tools.hosting.now();
      await session.print({ items }, items, {
        NAME: ({ name }) => name,
        TYPE: ({ type }) => type,
        READY: ({ ready }) => (ready ? 'yes' : 'no'),
        STAGE: ({ stage, blockedAt }) =>
          blockedAt?.state === 'failed' ? `${blockedAt.stage} ✗` : (stage ?? '-'),
        ...its,
        CONTEXT: ({ context }) => context ?? '-',
        AGE: ({ created }) => age(created, now),
        '': ({ ready, reason }) => (ready ? '' : reason),
      });
      const { context } = tools.hosting.cluster;
      if (items.length === 0)
        session.noneIn(
          context,
          noun,
          command`stellarctl ${role} create ${role}1 --hosting-context ${context}`,
        );
    },
  };
}
