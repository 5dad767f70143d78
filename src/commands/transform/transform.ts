import { entry, type Group } from '../common/entry.ts';

export const transform: Group = {
  name: 'transform',
  summary: 'remove fields from objects before they are sent',
  description:
    'Commands for custom transforms: fields to remove from the objects of a kind before they are sent to WECs.',
  commands: [
    entry('create', 'create a custom transform', () => import('./create.ts')),
    entry('list|ls', 'list the custom transforms of a WDS', () => import('./list.ts')),
    entry('get', 'show a custom transform', () => import('./get.ts')),
    entry('delete', 'delete a custom transform', () => import('./delete.ts')),
  ],
};
