import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEvents } from '../../../../src/lib/workloads/events.ts';
import type { LogSource } from '../../../../src/lib/workloads/logs.ts';
import { MemoryCluster } from '../../support/space-builders.ts';

const namespace = 'shop';
const at = (minute: number) => `2026-11-29T08:0${minute}:00Z`;
const event = (kind: string, name: string, more: object) => ({
  kind: 'Event',
  metadata: { name: `${name}.1`, namespace, creationTimestamp: at(0) },
  involvedObject: { kind, name, namespace },
  ...more,
});

test('events are those of an object, of its pods and of what its name precedes, in the order of time', async () => {
  const labels = { app: 'web' };
  const { kube } = new MemoryCluster([
    {
      kind: 'Deployment',
      metadata: { name: 'web', namespace },
      spec: { selector: { matchLabels: labels } },
    } as never,
    { kind: 'Pod', metadata: { name: 'web-7d-x', namespace, labels } },
    event('Deployment', 'web', { reason: 'ScalingReplicaSet', lastTimestamp: at(3), count: 2 }),
    event('ReplicaSet', 'web-7d', { reason: 'SuccessfulCreate', eventTime: at(1) }),
    event('Pod', 'web-7d-x', {
      reason: 'Failed',
      type: 'Warning',
      message: 'no image',
      series: { count: 9, lastObservedTime: at(2) },
    }),
    event('Pod', 'web-admin-7d-x', { reason: 'Killing' }),
    event('ReplicaSet', 'webs', { reason: 'Killing' }),
  ]);
  const kind = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    plural: 'deployments',
    namespaced: true,
  };
  const ref = { group: 'apps', kind: 'Deployment', namespace, name: 'web' };
  const source = { wec: 'c1', kube, object: { kind, ref } } as unknown as LogSource;
  const events = await readEvents(source);
  assert.deepEqual(
    events.map(({ object, reason, last, count }) => [object, reason, last, count]),
    [
      ['ReplicaSet/web-7d', 'SuccessfulCreate', at(1), 1],
      ['Pod/web-7d-x', 'Failed', at(2), 9],
      ['Deployment/web', 'ScalingReplicaSet', at(3), 2],
    ],
  );
  assert.deepEqual(events[1], {
    wec: 'c1',
    last: at(2),
    type: 'Warning',
    reason: 'Failed',
    object: 'Pod/web-7d-x',
    message: 'no image',
    count: 9,
  });
});
