import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { originWdsLabel } from '../../../../../src/lib/ocm/model/kubestellar-names.ts';
import type { ManifestWork } from '../../../../../src/lib/ocm/model/manifest-works.ts';
import { readSent } from '../../../../../src/lib/workloads/delivery/sent-counts.ts';
import { MemoryCluster } from '../../../support/space-builders.ts';

/** A work of so many objects, which the agent has reported as applied, or not. */
const work = (wec: string, wds: string, objects: number, ...stated: string[]): ManifestWork =>
  ({
    kind: 'ManifestWork',
    metadata: {
      name: `${wds}-${stated.join()}`,
      namespace: wec,
      labels: { [originWdsLabel]: wds },
    },
    spec: {
      workload: { manifests: Array.from({ length: objects }, () => ({ kind: 'ConfigMap' })) },
    },
    status: {
      resourceStatus: {
        manifests: stated.map((status, ordinal) => ({
          resourceMeta: { ordinal },
          conditions: [{ type: 'Applied', status }],
        })),
      },
    },
  }) as ManifestWork;

test('objects are counted by WEC and WDS; unreported ones count as waiting', async () => {
  const works = [
    work('w1', 'b', 2, 'True', 'False'),
    work('w1', 'a', 3, 'True'),
    work('w1', 'b', 1),
    work('w2', 'a', 1),
  ];
  const { kube } = new MemoryCluster([], { list: async () => works as never });
  assert.deepEqual(
    [...((await readSent(kube)) ?? [])],
    [
      [
        'w1',
        [
          { wds: 'a', applied: 1, failed: 0, waiting: 2 },
          { wds: 'b', applied: 1, failed: 1, waiting: 1 },
        ],
      ],
      ['w2', [{ wds: 'a', applied: 0, failed: 0, waiting: 1 }]],
    ],
  );
});

test('reports of an agent about an earlier work count as waiting', async () => {
  const changed = work('w1', 'a', 1, 'True');
  changed.metadata.generation = 2;
  const { kube } = new MemoryCluster([], { list: async () => [changed] as never });
  assert.deepEqual((await readSent(kube))?.get('w1'), [
    { wds: 'a', applied: 0, failed: 0, waiting: 1 },
  ]);
});

test('an object that its WDS was deleting when the guard kept it has not failed', async () => {
  const held = work('w1', 'a', 1, 'False');
  held.spec = {
    workload: {
      manifests: [{ metadata: { name: 'c', deletionTimestamp: '2026-01-01T00:00:00Z' } }],
    },
  };
  const its = new MemoryCluster([], { list: async (_, { trim } = {}) => [trim?.(held)] as never });
  assert.deepEqual((await readSent(its.kube))?.get('w1'), [
    { wds: 'a', applied: 1, failed: 0, waiting: 0 },
  ]);
});
