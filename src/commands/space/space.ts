import { roleWithArticle, type SpaceRole } from '../../lib/spaces/names.ts';
import type { Entry } from '../shell/entry.ts';

/** The commands that `its` and `wds` share. */
export const spaceCommands = (role: SpaceRole): Entry[] => [
  {
    name: 'list',
    alias: 'ls',
    summary: `list the ${role.toUpperCase()}es of the hosting cluster`,
    define: async (io) => (await import('./list.ts')).spaceListCommand(io, role),
  },
  {
    name: 'get',
    summary: `show everything about ${roleWithArticle(role)}, and what is wrong with it`,
    define: async (io) => (await import('./get.ts')).spaceGetCommand(io, role),
  },
  {
    name: 'context',
    summary: `write the context of ${roleWithArticle(role)} that exists`,
    define: async (io) => (await import('./context.ts')).spaceContextCommand(io, role),
  },
  {
    name: 'repair',
    summary: `repair ${roleWithArticle(role)} that does not become ready`,
    define: async (io) => (await import('./repair.ts')).spaceRepairCommand(io, role),
  },
  {
    name: 'use',
    summary: `choose the default ${role.toUpperCase()}, or show it`,
    define: async (io) => (await import('./use.ts')).useCommand(io, role),
  },
  {
    name: 'delete',
    summary: role === 'its' ? 'delete an Inventory and Transport Space' : 'delete a Workload Description Space',
    define: async (io) => (await import('./delete.ts')).spaceDeleteCommand(io, role),
  },
];
