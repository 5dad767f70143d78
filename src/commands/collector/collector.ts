import type { Group } from '../common/entry.ts';

export const collector: Group = {
  name: 'collector',
  summary: 'collect the status that WECs return into tables',
  description: 'Commands for status collectors: tables of the status that WECs return for the objects of a WDS.',
  commands: [
    {
      name: 'create',
      summary: 'create a status collector',
      load: async () => (await import('./create.ts')).collectorCreateCommand,
    },
    {
      name: 'list',
      alias: 'ls',
      summary: 'list the status collectors of a WDS',
      load: async () => (await import('./list.ts')).collectorListCommand,
    },
    {
      name: 'get',
      summary: 'show a status collector',
      load: async () => (await import('./get.ts')).collectorGetCommand,
    },
    {
      name: 'delete',
      summary: 'delete a status collector',
      load: async () => (await import('./delete.ts')).collectorDeleteCommand,
    },
  ],
};
