import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { staleContent } from '../../../../../src/lib/workloads/delivery/stale-content.ts';

const properties = new Map([
  ['region', 'eu'],
  ['clusterName', 'w1'],
]);
const object = (data: Record<string, string>, isTemplate = true) => ({
  metadata: {
    name: 'c',
    annotations: { 'control.kubestellar.io/expand-templates': String(isTemplate) },
    managedFields: [{ manager: '{{.region}}' }],
  },
  data,
});
const stale = (data: Record<string, string>, sent: Record<string, string>, isTemplate?: boolean) =>
  staleContent(object(data, isTemplate), { metadata: { name: 'c' }, data: sent }, { properties, removed: [] });

describe('the content of a work', () => {
  test('is what templates give today', () =>
    assert.equal(stale({ a: '{{.region}}-{{ .clusterName }}', b: 'x' }, { a: 'eu-w1', b: 'x' }), undefined));
  test('is not: a property has another value', () =>
    assert.equal(stale({ a: '{{.region}}-x' }, { a: 'us-x' }), '$.data.a'));
  test('is not judged by actions that are more than a property', () => {
    for (const text of ['{{if .region}}a{{end}}', '{{.region}} {{.region | len}}', '{{- .region}}', '{{.unknown}}'])
      assert.equal(stale({ a: text }, { a: 'old' }), undefined, text);
  });
  test('is not expanded where the object does not ask for it', () =>
    assert.equal(stale({ a: '{{.region}}' }, { a: 'us' }, false), undefined));
  test('is not what transforms leave today', () => {
    const removed = [['spec', 'replicas']];
    const sent = (spec: object) => staleContent({ metadata: { name: 'w' } }, { spec }, { properties, removed });
    assert.equal(sent({ replicas: 1 }), '$.spec.replicas');
    assert.equal(sent({ paused: true }), undefined);
  });
});
