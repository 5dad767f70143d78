import type { Group } from '../common/entry.ts';

export const workload: Group = {
  name: 'workload',
  summary: 'follow workloads to WECs',
  description: 'Commands for workloads: the objects of a WDS, on their way to WECs and back.',
  commands: [
    {
      name: 'list',
      alias: 'ls',
      summary: 'list the objects that a WDS sends, and on how many WECs they are',
      load: async () => (await import('./list.ts')).workloadListCommand,
    },
    {
      name: 'get',
      alias: 'trace',
      summary: 'show where a workload object is, and why it is not on a WEC',
      load: async () => (await import('./get.ts')).workloadGetCommand,
    },
    {
      name: 'status',
      summary: 'show the status that WECs have returned for a workload object',
      load: async () => (await import('./status.ts')).workloadStatusCommand,
    },
    {
      name: 'wait',
      summary: 'wait until a workload object has arrived on WECs',
      load: async () => (await import('./wait.ts')).workloadWaitCommand,
    },
  ],
};
