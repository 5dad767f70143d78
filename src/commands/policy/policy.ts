import type { Group } from '../common/entry.ts';

export const policy: Group = {
  name: 'policy',
  summary: 'choose which workloads go to which WECs',
  description: 'Commands for binding policies: which objects of a WDS go to which WECs.',
  commands: [
    {
      name: 'create',
      summary: 'create a binding policy, and show what it selects',
      load: async () => (await import('./create.ts')).policyCreateCommand,
    },
    {
      name: 'list',
      alias: 'ls',
      summary: 'list the binding policies of a WDS',
      load: async () => (await import('./list.ts')).policyListCommand,
    },
    {
      name: 'get',
      summary: 'show where the objects of a binding policy are, and what has failed',
      load: async () => (await import('./get.ts')).policyGetCommand,
    },
    {
      name: 'explain',
      summary: 'show what a binding policy selects now, and what is wrong',
      load: async () => (await import('./explain.ts')).policyExplainCommand,
    },
    {
      name: 'refresh',
      summary: 'have the works of a binding policy rewritten',
      load: async () => (await import('./refresh.ts')).policyRefreshCommand,
    },
    {
      name: 'delete',
      summary: 'delete a binding policy, with or without its workloads',
      load: async () => (await import('./delete.ts')).policyDeleteCommand,
    },
  ],
};
