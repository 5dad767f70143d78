import { entry, type Group } from '../common/entry.ts';
import { spaceCommands } from '../spaces/space.ts';

export const its: Group = {
  name: 'its',
  summary: 'create and manage Inventory and Transport Spaces',
  description: 'Commands for Inventory and Transport Spaces (ITSes): the OCM hubs that WECs register with.',
  commands: [
    entry('create', 'create an Inventory and Transport Space', () => import('./create.ts')),
    ...spaceCommands('its'),
    entry('upgrade', 'upgrade OCM in an ITS', () => import('./upgrade.ts')),
    entry('token', 'make a join file for the administrator of a WEC', () => import('./token.ts')),
  ],
};
