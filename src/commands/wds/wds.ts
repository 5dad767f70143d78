import { entry, type Group } from '../common/entry.ts';
import { spaceCommands } from '../spaces/space.ts';

export const wds: Group = {
  name: 'wds',
  summary: 'create and manage Workload Description Spaces',
  description:
    'Commands for Workload Description Spaces (WDSes): the API servers where workloads and binding policies are defined.',
  commands: [
    entry('create', 'create a Workload Description Space', () => import('./create.ts')),
    ...spaceCommands('wds'),
    entry('restart', 'restart the controllers of a WDS, keeping its workloads', () => import('./restart.ts')),
    entry('upgrade', 'upgrade the controllers of a WDS to the installed hooks', () => import('./upgrade.ts')),
    entry('guard', 'keep workloads running whenever its controllers start', () => import('./guard.ts')),
    entry('unguard', 'delete the guard of a WDS', () => import('./unguard.ts')),
  ],
};
