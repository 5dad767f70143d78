import type { Group } from '../shell/entry.ts';

export const collector: Group = {
  name: 'collector',
  summary: 'collect the status that WECs return into tables',
  description: 'Commands for status collectors: tables of the status that WECs return for the objects of a WDS.',
  commands: [
    {
      name: 'create',
      summary: 'create a status collector',
      define: async (io) => (await import('./create.ts')).collectorCreateCommand(io),
    },
    {
      name: 'list',
      alias: 'ls',
      summary: 'list the status collectors of a WDS',
      define: async (io) => (await import('./list.ts')).collectorListCommand(io),
    },
    {
      name: 'get',
      summary: 'show a status collector',
      define: async (io) => (await import('./get.ts')).collectorGetCommand(io),
    },
    {
      name: 'delete',
      summary: 'delete a status collector',
      define: async (io) => (await import('./delete.ts')).collectorDeleteCommand(io),
    },
  ],
};
