import type { Group } from '../common/entry.ts';

export const transform: Group = {
  name: 'transform',
  summary: 'remove fields from objects before they are sent',
  description:
    'Commands for custom transforms: fields to remove from the objects of a kind before they are sent to WECs.',
  commands: [
    {
      name: 'create',
      summary: 'create a custom transform',
      load: async () => (await import('./create.ts')).transformCreateCommand,
    },
    {
      name: 'list',
      alias: 'ls',
      summary: 'list the custom transforms of a WDS',
      load: async () => (await import('./list.ts')).transformListCommand,
    },
    {
      name: 'get',
      summary: 'show a custom transform, and what it removes',
      load: async () => (await import('./get.ts')).transformGetCommand,
    },
    {
      name: 'delete',
      summary: 'delete a custom transform',
      load: async () => (await import('./delete.ts')).transformDeleteCommand,
    },
  ],
};
