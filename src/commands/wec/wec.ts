import type { Group } from '../shell/entry.ts';

export const wec: Group = {
  name: 'wec',
  summary: 'register and manage Workload Execution Clusters',
  description: 'Commands for Workload Execution Clusters (WECs): the clusters that workloads run on.',
  commands: [
    {
      name: 'create',
      summary: 'create local clusters for WECs',
      define: async (io) => (await import('./create.ts')).createWecCommand(io),
    },
    {
      name: 'join',
      summary: 'join clusters to the ITS as WECs',
      define: async (io) => (await import('./join.ts')).joinCommand(io),
    },
    {
      name: 'accept',
      summary: 'accept or deny WECs that request to join the ITS',
      define: async (io) => (await import('./accept.ts')).acceptCommand(io),
    },
    {
      name: 'label',
      summary: 'set, change, remove or list labels of WECs',
      define: async (io) => (await import('./label.ts')).labelCommand(io),
    },
    {
      name: 'properties',
      summary: 'set, change, remove or list customization properties of WECs',
      define: async (io) => (await import('./properties.ts')).propertiesCommand(io),
    },
    {
      name: 'list',
      alias: 'ls',
      summary: 'list the WECs of the ITS',
      define: async (io) => (await import('./list.ts')).listCommand(io),
    },
    {
      name: 'get',
      summary: 'show everything about a WEC, and what is wrong with it',
      define: async (io) => (await import('./get.ts')).getCommand(io),
    },
    {
      name: 'wait',
      summary: 'wait until WECs reach a stage',
      define: async (io) => (await import('./wait.ts')).waitCommand(io),
    },
    {
      name: 'grant',
      summary: 'give the work agent of a WEC the rights that its works need',
      define: async (io) => (await import('./grant.ts')).grantCommand(io),
    },
    {
      name: 'revoke',
      summary: 'revoke rights granted by wec grant',
      define: async (io) => (await import('./revoke.ts')).revokeCommand(io),
    },
    {
      name: 'deregister',
      summary: 'deregister WECs from the ITS',
      define: async (io) => (await import('./deregister.ts')).deregisterCommand(io),
    },
    {
      name: 'delete',
      summary: 'delete local clusters (to keep the clusters: deregister)',
      define: async (io) => (await import('./delete.ts')).deleteWecCommand(io),
    },
  ],
};
