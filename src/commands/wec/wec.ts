import { entry, type Group } from '../common/entry.ts';

export const wec: Group = {
  name: 'wec',
  summary: 'register and manage Workload Execution Clusters',
  description: 'Commands for Workload Execution Clusters (WECs): the clusters that workloads run on.',
  commands: [
    entry('create', 'create local clusters for WECs', () => import('./create.ts')),
    entry('join', 'join clusters to the ITS as WECs', () => import('./join.ts')),
    entry('accept', 'accept or deny WECs that request to join the ITS', () => import('./accept.ts')),
    entry('label', 'set, change, remove or list labels of WECs', () => import('./label.ts')),
    entry(
      'properties',
      'set, change, remove or list customization properties of WECs',
      () => import('./properties.ts'),
    ),
    entry('list|ls', 'list the WECs of the ITS', () => import('./list.ts')),
    entry('get', 'show everything about a WEC, and what is wrong with it', () => import('./get.ts')),
    entry('wait', 'wait until WECs reach a stage', () => import('./wait.ts')),
    entry('grant', 'give the work agent of a WEC the rights that its works need', () => import('./grant.ts')),
    entry('revoke', 'revoke rights granted by wec grant', () => import('./revoke.ts')),
    entry('upgrade', 'upgrade the agents of WECs', () => import('./upgrade.ts')),
    entry('deregister', 'deregister WECs from the ITS', () => import('./deregister.ts')),
    entry('delete', 'delete local clusters (to keep the clusters: deregister)', () => import('./delete.ts')),
  ],
};
