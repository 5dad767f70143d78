import type { Group } from '../common/entry.ts';
import { spaceCommands } from '../spaces/space.ts';

export const its: Group = {
  name: 'its',
  summary: 'create and manage Inventory and Transport Spaces',
  description: 'Commands for Inventory and Transport Spaces (ITSes): the OCM hubs that WECs register with.',
  commands: [
    {
      name: 'create',
      summary: 'create an Inventory and Transport Space',
      load: async () => (await import('./create.ts')).createItsCommand,
    },
    ...spaceCommands('its'),
    {
      name: 'token',
      summary: 'make a join file for the administrator of a WEC',
      load: async () => (await import('./token.ts')).tokenCommand,
    },
  ],
};
