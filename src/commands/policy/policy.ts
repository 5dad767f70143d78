import { entry, type Group } from '../common/entry.ts';

export const policy: Group = {
  name: 'policy',
  summary: 'choose which workloads go to which WECs',
  description: 'Commands for binding policies: which objects of a WDS go to which WECs.',
  commands: [
    entry('create', 'create a binding policy, and show what it selects', () => import('./create.ts')),
    entry('apply', 'create or change the binding policy in a file', () => import('./apply.ts')),
    entry('list|ls', 'list the binding policies of a WDS', () => import('./list.ts')),
    entry('get', 'show where the objects of a binding policy are, and what has failed', () => import('./get.ts')),
    entry('explain', 'show what a binding policy selects now, and what is wrong', () => import('./explain.ts')),
    entry('refresh', 'have the works of a binding policy rewritten', () => import('./refresh.ts')),
    entry('prune', 'remove what the guard of a WDS keeps of a binding policy', () => import('./prune.ts')),
    entry('delete', 'delete a binding policy, with or without its workloads', () => import('./delete.ts')),
  ],
};
