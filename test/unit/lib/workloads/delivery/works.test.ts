import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ManifestWork } from '../../../../../src/lib/ocm/model/manifest-works.ts';
import {
  appliedState,
  trimmer,
  WorksOfWds,
} from '../../../../../src/lib/workloads/delivery/works.ts';

const binding = 'transport.kubestellar.io/originOwnerReferenceBindingKey';
const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'shop' } };

const work = (namespace: string, applied: 'True' | 'False', at: string): ManifestWork =>
  ({
    metadata: {
      ...{
        name: `uid-${namespace}`,
        namespace,
        generation: 1,
        creationTimestamp: '2026-11-20T15:00:00Z',
      },
      labels: { [binding]: 'p', other: 'label' },
      managedFields: [{ time: at }, { time: '2026-11-20T16:00:00Z', subresource: 'status' }],
    },
    spec: { workload: { manifests: [{ ...config, data: { long: 'text' } }] } },
    status: {
      resourceStatus: {
        manifests: [
          {
            resourceMeta: { ordinal: 0, kind: 'ConfigMap', resource: 'configmaps' },
            conditions: [
              { type: 'Applied', status: applied, observedGeneration: 1, lastTransitionTime: at },
              { type: 'StatusFeedbackSynced', status: 'True' },
            ],
          },
        ],
      },
    },
  }) as unknown as ManifestWork;

test('only names are stored for similar works', () => {
  const trim = trimmer();
  const [one, other, failed] = [
    work('w1', 'True', '2026-11-20T15:00:00Z'),
    work('w2', 'True', '2026-11-20T15:00:09Z'),
    work('w3', 'False', '2026-11-20T15:00:00Z'),
  ].map(trim) as [ManifestWork, ManifestWork, ManifestWork];
  assert.equal(one.spec, other.spec);
  assert.equal(one.status, other.status);
  assert.notEqual(one.status, failed.status);
  assert.equal(one.metadata.managedFields, failed.metadata.managedFields);
  assert.deepEqual(one, {
    metadata: {
      ...{
        name: 'uid-w1',
        namespace: 'w1',
        generation: 1,
        labels: { [binding]: 'p' },
        annotations: {},
      },
      // Only when it was last written, for all works that were written in that second.
      managedFields: [{ time: '2026-11-20T15:00:00.000Z' }],
    },
    spec: { workload: { manifests: [config] } },
    status: {
      conditions: [],
      resourceStatus: {
        manifests: [
          {
            resourceMeta: { ordinal: 0, kind: 'ConfigMap', resource: 'configmaps' },
            conditions: [{ type: 'Applied', status: 'True', observedGeneration: 1 }],
          },
        ],
      },
    },
  });
  const works = new WorksOfWds([one, other, failed]);
  const object = { group: '', kind: 'ConfigMap', namespace: 'shop', name: 'c' };
  const applied = ['w1', 'w2', 'w3', 'w4'].map(
    (wec) => works.find('p', wec, object)?.manifest?.conditions?.[0]?.status,
  );
  assert.deepEqual(applied, ['True', 'True', 'False', undefined]);
});

test('agents before OCM 1.2 set the generation of what they have applied on the work only', () => {
  const applied = (ofWork: object | undefined, ofManifest: object, status = 'True') => {
    const one = work('w1', 'True', '2026-11-20T15:00:00Z');
    one.metadata.generation = 2;
    const conditions = [{ type: 'Applied', status, ...ofManifest }] as never;
    const [manifest] = one.status?.resourceStatus?.manifests ?? [];
    one.status = {
      conditions: (ofWork === undefined ? [] : [{ type: 'Applied', status, ...ofWork }]) as never,
      resourceStatus: { manifests: [{ ...manifest, conditions }] },
    };
    const trimmed = trimmer()(one);
    const [stated] = trimmed.status?.resourceStatus?.manifests ?? [];
    return appliedState({ work: trimmed, manifest: stated })?.status;
  };
  const [former, present] = [{ observedGeneration: 1 }, { observedGeneration: 2 }];
  assert.equal(applied(present, {}), 'True');
  assert.equal(applied(present, {}, 'False'), 'False');
  assert.equal(applied(former, {}), undefined);
  assert.equal(applied(undefined, {}), undefined);
  assert.equal(applied({}, {}), undefined);
  assert.equal(applied(present, former), undefined);
  assert.equal(applied(former, present), 'True');
});
