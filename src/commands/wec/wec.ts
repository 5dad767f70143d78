import type { Group } from '../common/entry.ts';

export const wec: Group = {
  name: 'wec',
  summary: 'register and manage Workload Execution Clusters',
  description: 'Commands for Workload Execution Clusters (WECs): the clusters that workloads run on.',
  commands: [
    {
      name: 'create',
      summary: 'create local clusters for WECs',
      load: async () => (await import('./create.ts')).createWecCommand,
    },
    {
      name: 'join',
      summary: 'join clusters to the ITS as WECs',
      load: async () => (await import('./join.ts')).joinCommand,
    },
    {
      name: 'accept',
      summary: 'accept or deny WECs that request to join the ITS',
      load: async () => (await import('./accept.ts')).acceptCommand,
    },
    {
      name: 'label',
      summary: 'set, change, remove or list labels of WECs',
      load: async () => (await import('./label.ts')).labelCommand,
    },
    {
      name: 'properties',
      summary: 'set, change, remove or list customization properties of WECs',
      load: async () => (await import('./properties.ts')).propertiesCommand,
    },
    {
      name: 'list',
      alias: 'ls',
      summary: 'list the WECs of the ITS',
      load: async () => (await import('./list.ts')).listCommand,
    },
    {
      name: 'get',
      summary: 'show everything about a WEC, and what is wrong with it',
      load: async () => (await import('./get.ts')).getCommand,
    },
    {
      name: 'wait',
      summary: 'wait until WECs reach a stage',
      load: async () => (await import('./wait.ts')).waitCommand,
    },
    {
      name: 'grant',
      summary: 'give the work agent of a WEC the rights that its works need',
      load: async () => (await import('./grant.ts')).grantCommand,
    },
    {
      name: 'revoke',
      summary: 'revoke rights granted by wec grant',
      load: async () => (await import('./revoke.ts')).revokeCommand,
    },
    {
      name: 'deregister',
      summary: 'deregister WECs from the ITS',
      load: async () => (await import('./deregister.ts')).deregisterCommand,
    },
    {
      name: 'delete',
      summary: 'delete local clusters (to keep the clusters: deregister)',
      load: async () => (await import('./delete.ts')).deleteWecCommand,
    },
  ],
};
