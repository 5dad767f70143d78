import type { Group } from '../shell/entry.ts';

export const transform: Group = {
  name: 'transform',
  summary: 'remove fields from objects before they are sent',
  description:
    'Commands for custom transforms: fields to remove from the objects of a kind before they are sent to WECs.',
  commands: [
    {
      name: 'create',
      summary: 'create a custom transform',
      define: async (io) => (await import('./create.ts')).transformCreateCommand(io),
    },
    {
      name: 'list',
      alias: 'ls',
      summary: 'list the custom transforms of a WDS',
      define: async (io) => (await import('./list.ts')).transformListCommand(io),
    },
    {
      name: 'get',
      summary: 'show a custom transform, and what it removes',
      define: async (io) => (await import('./get.ts')).transformGetCommand(io),
    },
    {
      name: 'delete',
      summary: 'delete a custom transform',
      define: async (io) => (await import('./delete.ts')).transformDeleteCommand(io),
    },
  ],
};
