import { roleWithArticle, type SpaceRole } from '../../lib/ocm/kubeflex-names.ts';
import type { Definition } from '../common/define.ts';
import { type Entry, entry } from '../common/entry.ts';

/** The commands that `its` and `wds` share. */
export const spaceCommands = (role: SpaceRole): Entry[] => {
  type Made = Promise<{ definition(role: SpaceRole): Definition }>;
  const ofRole = (names: string, summary: string, load: () => Made) =>
    entry(names, summary, async () => ({ definition: (await load()).definition(role) }));
  const a = roleWithArticle(role);
  return [
    ofRole('list|ls', `list the ${role.toUpperCase()}es of the hosting cluster`, () => import('./list.ts')),
    ofRole('get', `show everything about ${a}, and what is wrong with it`, () => import('./get.ts')),
    ofRole('context', `write the context of ${a} that exists`, () => import('./context.ts')),
    ofRole('repair', `repair ${a} that does not become ready`, () => import('./repair.ts')),
    ofRole('use', `choose the default ${role.toUpperCase()}, or show it`, () => import('./use.ts')),
    ofRole(
      'delete',
      `delete ${role === 'its' ? 'an Inventory and Transport Space' : 'a Workload Description Space'}`,
      () => import('./delete.ts'),
    ),
  ];
};
