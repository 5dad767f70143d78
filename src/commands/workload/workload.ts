import { entry, type Group } from '../common/entry.ts';

export const workload: Group = {
  name: 'workload',
  summary: 'follow workloads to WECs',
  description: 'Commands for workloads: the objects of a WDS, on their way to WECs and back.',
  commands: [
    entry('list|ls', 'list the objects that a WDS sends, and on how many WECs they are', () => import('./list.ts')),
    entry('get|trace', 'show where a workload object is, and why it is not on a WEC', () => import('./get.ts')),
    entry('status', 'show the status that WECs have returned for a workload object', () => import('./status.ts')),
    entry('wait', 'wait until a workload object has arrived on WECs', () => import('./wait.ts')),
  ],
};
