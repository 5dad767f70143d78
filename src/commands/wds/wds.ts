import type { Group } from '../common/entry.ts';
import { spaceCommands } from '../spaces/space.ts';

export const wds: Group = {
  name: 'wds',
  summary: 'create and manage Workload Description Spaces',
  description:
    'Commands for Workload Description Spaces (WDSes): the API servers where workloads and binding policies are defined.',
  commands: [
    {
      name: 'create',
      summary: 'create a Workload Description Space',
      load: async () => (await import('./create.ts')).createWdsCommand,
    },
    ...spaceCommands('wds'),
    {
      name: 'restart',
      summary: 'restart the controllers of a WDS, keeping its workloads',
      load: async () => (await import('./restart.ts')).restartWdsCommand,
    },
  ],
};
