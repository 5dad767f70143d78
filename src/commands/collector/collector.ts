import { entry, type Group } from '../common/entry.ts';

export const collector: Group = {
  name: 'collector',
  summary: 'collect the status that WECs return into tables',
  description: 'Commands for status collectors: tables of the status that WECs return for the objects of a WDS.',
  commands: [
    entry('create', 'create a status collector', () => import('./create.ts')),
    entry('list|ls', 'list the status collectors of a WDS', () => import('./list.ts')),
    entry('get', 'show a status collector', () => import('./get.ts')),
    entry('delete', 'delete a status collector', () => import('./delete.ts')),
  ],
};
