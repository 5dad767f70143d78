import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject } from '../../../../../src/lib/kube/client/objects.ts';
import {
  describePath,
  differencesOf,
  isWithin,
  leftOver,
  writerOf,
} from '../../../../../src/lib/workloads/delivery/compare-fields.ts';

const note = 'operator.openshift.io/spec-hash';
const mark = 'managed-by.kubestellar.io/singletonstatus';

describe('everything that a manifest says stands in an object', () => {
  test('with defaults beside it, and without what it leaves empty', () => {
    const live = { spec: { replicas: 2, paused: false, args: ['a', 'b'] }, status: {} };
    assert.ok(isWithin({ spec: { replicas: 2, args: ['a', 'b'] } }, live));
    assert.ok(isWithin({ metadata: { creationTimestamp: null } }, { metadata: { name: 'a' } }));
  });
  test('not in another order, spelling or type, nor with more items', () => {
    assert.ok(!isWithin({ args: ['b', 'a'] }, { args: ['a', 'b'] }));
    assert.ok(!isWithin({ args: ['a'] }, { args: ['a', 'b'] }));
    assert.ok(!isWithin({ cpu: '1' }, { cpu: '1000m' }));
    assert.ok(!isWithin({ data: { a: '1' } }, { data: ['1'] }));
  });
});

test('differences are named by their fields, and items of lists by their names', () => {
  const containers = (image: string, ...more: object[]) => ({
    spec: { containers: [{ name: 'web', image }, ...more] },
  });
  const found = differencesOf(containers('b'), containers('a', { name: 'log' }));
  assert.deepEqual(
    found.map(({ path, work, wec }) => [describePath(path), work, wec]),
    [
      ['spec.containers[web].image', 'b', 'a'],
      ['spec.containers[log]', undefined, { name: 'log' }],
    ],
  );
  assert.deepEqual(
    differencesOf({ args: ['a'] }, { args: ['b'] }).map(({ path }) => describePath(path)),
    ['args'],
  );
  assert.deepEqual(differencesOf({ a: { b: [1] } }, { a: { b: [1] } }), []);
  assert.equal(
    describePath(['f:metadata', 'f:labels', 'f:example.com/tier']),
    'metadata.labels["example.com/tier"]',
  );
});

const written = (manager: string, fieldsV1: object, time = '2026-11-20T08:00:00Z') => ({
  ...{ manager, operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1' },
  ...{ time, fieldsV1 },
});

describe('what is left over', () => {
  const fields = {
    'f:metadata': { 'f:labels': { '.': {}, 'f:gone': {}, 'f:kept': {} } },
    'f:imagePullSecrets': { 'k:{"name":"old"}': { '.': {}, 'f:name': {} } },
    'f:finalizers': { 'v:"mine"': {} },
  };
  const live = (manager: string) =>
    ({
      metadata: {
        name: 'a',
        labels: { gone: '1', kept: '2' },
        managedFields: [written(manager, fields)],
      },
      imagePullSecrets: [{ name: 'old' }, { name: 'new' }],
      finalizers: ['mine'],
    }) as unknown as KubeObject;
  const wanted = {
    ...{ metadata: { name: 'a', labels: { kept: '2' } } },
    ...{ imagePullSecrets: [{ name: 'new' }], finalizers: [] },
  } as unknown as KubeObject;
  test('is what the agent has applied and the manifest no longer has: labels, and items of lists', () => {
    assert.deepEqual(leftOver(wanted, live('work-agent')).map(describePath), [
      'metadata.labels.gone',
      'imagePullSecrets[old]',
      'finalizers[mine]',
    ]);
  });
  test('is no note of the agent itself, and any label if the manifest has none', () => {
    const labels = { old: '', [mark]: 'true' };
    const metadata = { name: 'a', labels, annotations: { [note]: 'x' } };
    const fields = {
      'f:metadata': {
        'f:labels': { 'f:old': {}, [`f:${mark}`]: {} },
        'f:annotations': { [`f:${note}`]: {} },
      },
    };
    const object = { metadata: { ...metadata, managedFields: [written('work-agent', fields)] } };
    assert.deepEqual(leftOver({ metadata: { name: 'a' } }, object).map(describePath), [
      'metadata.labels.old',
    ]);
  });
  test('is nothing that another program has written', () =>
    assert.deepEqual(leftOver(wanted, live('kubectl-edit')), []));
});

test('a field was written last by the newest manager that has it', () => {
  const replicas = { 'f:spec': { 'f:replicas': {} } };
  const object = {
    metadata: {
      name: 'a',
      managedFields: [
        written('work-agent', replicas),
        written('kubectl', replicas, '2026-11-20T09:00:00Z'),
        written('other', { 'f:spec': { 'f:paused': {} } }, '2026-11-20T10:00:00Z'),
      ],
    },
  } as unknown as KubeObject;
  assert.equal(writerOf(object, ['f:spec', 'f:replicas'])?.manager, 'kubectl');
  assert.equal(writerOf(object, ['f:spec', 'f:selector']), undefined);
});
