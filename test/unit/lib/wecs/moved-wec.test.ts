import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import type { SpaceTools } from '../../../../src/lib/spaces/space-tools.ts';
import { availableWecs } from '../../../../src/lib/wecs/moved-wec.ts';
import { hostingCluster, its, kubeconfigOf, MemoryCluster } from '../../support/space-builders.ts';

const hostingContext = { name: hostingCluster.context, server: hostingCluster.server, cluster: {}, user: {} };
const wec = (name: string, status: string): KubeObject => ({
  ...{ kind: 'ManagedCluster', metadata: { name } },
  ...{ status: { conditions: [{ type: 'ManagedClusterConditionAvailable', status }] } },
});

test('a WEC is available on any ITS of the hosting cluster that can be read', async () => {
  const found = async (inside: MemoryCluster) => {
    const { kube } = new MemoryCluster([its('its1'), its('its2', { type: 'external' })]);
    const tools = {
      ...{ hosting: kube, hostingContext, hostingSource: '--hosting-context', kubeconfig: kubeconfigOf({}) },
      connect: () => inside.kube,
    } as unknown as SpaceTools;
    return [...(await availableWecs(tools))];
  };
  assert.deepEqual(await found(new MemoryCluster([wec('c1', 'True'), wec('c2', 'Unknown')])), ['c1']);
  const hidden = new MemoryCluster([wec('c1', 'True')]);
  hidden.forbidden.add('managedclusters');
  assert.deepEqual(await found(hidden), []);
});
