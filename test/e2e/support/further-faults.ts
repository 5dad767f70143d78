import {
  type AnyObject,
  type ManagedCluster,
  type registrationFaults,
  resources,
  until,
} from '../../../testbed/index.ts';
import { seenBy, type Trial } from './doctor-trials.ts';
import type { Cli } from './harness.ts';
import { statusOf } from './registration.ts';

type FaultRow = (typeof registrationFaults)[number];

const agentNamespace = 'open-cluster-management-agent';

/** Faults of a WEC that the command line has registered: that what it did before is its own matters to them. */
export function furtherFaults(cli: () => Cli): readonly FaultRow[] {
  const deregister = async (wec: string) => {
    await cli().succeed(['deregister', `${wec}=${wec}`, '--cleanup', '--yes', '--its', 'its1']);
  };
  return [
    {
      // Like the test bed's fault, in which the successor of a dead pod is dead as well; here only that pod is dead.
      id: 'agent-frozen',
      cause: 'The agent does nothing, though its pod looks well',
      async arrange(bed, wec = 'cluster1') {
        const [its1, own] = [bed.plane('its1').admin, bed.plane(wec).admin];
        await cli().succeed(['wec', 'join', wec, '--accept', '--its', 'its1']);
        const { items } = await own.list<AnyObject>(resources.pods, { namespace: agentNamespace });
        const pod = `${agentNamespace}/${items[0]?.metadata.name}`;
        const mend = await bed.fault({ kind: 'dead', plane: wec, pod });
        await its1.patch<AnyObject>(resources.managedClusters, wec, {
          spec: { leaseDurationSeconds: 1 },
        });
        const isSilent = async () =>
          statusOf(
            await its1.find<ManagedCluster>(resources.managedClusters, wec),
            'ManagedClusterConditionAvailable',
          ) === 'Unknown';
        await until(isSilent, 'silence of the agent');
        return async () => {
          await mend();
          await deregister(wec);
        };
      },
    },
  ];
}

/** What doctor finds then. */
export const furtherTrials: readonly Trial[] = [
  {
    fault: 'agent-frozen',
    ...seenBy('wec-reports agent-silent'),
    person: /If its log shows no reason, restart it/,
  },
];
