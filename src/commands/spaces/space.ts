import { roleWithArticle, type SpaceRole } from '../../lib/model/kubeflex-names.ts';
import type { Entry } from '../common/entry.ts';

/** The commands that `its` and `wds` share. */
export const spaceCommands = (role: SpaceRole): Entry[] => [
  {
    name: 'list',
    alias: 'ls',
    summary: `list the ${role.toUpperCase()}es of the hosting cluster`,
    load: async () => (await import('./list.ts')).spaceListCommand(role),
  },
  {
    name: 'get',
    summary: `show everything about ${roleWithArticle(role)}, and what is wrong with it`,
    load: async () => (await import('./get.ts')).spaceGetCommand(role),
  },
  {
    name: 'context',
    summary: `write the context of ${roleWithArticle(role)} that exists`,
    load: async () => (await import('./context.ts')).spaceContextCommand(role),
  },
  {
    name: 'repair',
    summary: `repair ${roleWithArticle(role)} that does not become ready`,
    load: async () => (await import('./repair.ts')).spaceRepairCommand(role),
  },
  {
    name: 'use',
    summary: `choose the default ${role.toUpperCase()}, or show it`,
    load: async () => (await import('./use.ts')).useCommand(role),
  },
  {
    name: 'delete',
    summary: role === 'its' ? 'delete an Inventory and Transport Space' : 'delete a Workload Description Space',
    load: async () => (await import('./delete.ts')).spaceDeleteCommand(role),
  },
];
