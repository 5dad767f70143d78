import type { Group } from '../shell/entry.ts';

export const policy: Group = {
  name: 'policy',
  summary: 'choose which workloads go to which WECs',
  description: 'Commands for binding policies: which objects of a WDS go to which WECs.',
  commands: [
    {
      name: 'create',
      summary: 'create a binding policy, and show what it selects',
      define: async (io) => (await import('./create.ts')).policyCreateCommand(io),
    },
    {
      name: 'list',
      alias: 'ls',
      summary: 'list the binding policies of a WDS',
      define: async (io) => (await import('./list.ts')).policyListCommand(io),
    },
    {
      name: 'get',
      summary: 'show where the objects of a binding policy are, and what has failed',
      define: async (io) => (await import('./get.ts')).policyGetCommand(io),
    },
    {
      name: 'explain',
      summary: 'show what a binding policy selects now, and what is wrong',
      define: async (io) => (await import('./explain.ts')).policyExplainCommand(io),
    },
    {
      name: 'refresh',
      summary: 'have the works of a binding policy rewritten',
      define: async (io) => (await import('./refresh.ts')).policyRefreshCommand(io),
    },
    {
      name: 'delete',
      summary: 'delete a binding policy, with or without its workloads',
      define: async (io) => (await import('./delete.ts')).policyDeleteCommand(io),
    },
  ],
};
