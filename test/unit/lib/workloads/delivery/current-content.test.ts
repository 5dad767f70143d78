import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { removalsOf, staleTemplate } from '../../../../../src/lib/workloads/delivery/current-content.ts';
import { trimmer, WorksOfWds } from '../../../../../src/lib/workloads/delivery/works.ts';

const properties = new Map([
  ['region', 'eu'],
  ['clusterName', 'w1'],
]);
const stale = (data: Record<string, string>, sent: Record<string, string>) =>
  staleTemplate({ metadata: { name: 'c' }, data }, { metadata: { name: 'c' }, data: sent }, properties);

describe('the content of a work', () => {
  test('is current if templates give the same', () =>
    assert.equal(stale({ a: '{{.region}}-{{ .clusterName }}', b: 'x' }, { a: 'eu-w1', b: 'x' }), undefined));
  test('is outdated if a property has another value', () =>
    assert.equal(stale({ a: '{{.region}}-x' }, { a: 'us-x' }), '$.data.a'));
  test('is not judged by template actions other than properties', () => {
    for (const text of ['{{if .region}}a{{end}}', '{{.region}} {{.region | len}}', '{{- .region}}', '{{.unknown}}'])
      assert.equal(stale({ a: text }, { a: 'old' }), undefined, text);
  });
});

describe("the stored part of a work's content", () => {
  const kinds = [
    { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments', namespaced: true, versions: [], aliases: [] },
  ];
  const transform = (remove: string[], resource = 'deployments') => ({
    metadata: { name: 't' },
    spec: { apiGroup: 'apps', resource, remove },
  });
  const sent = (content: object, ...transforms: ReturnType<typeof transform>[]) => {
    const manifest = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, ...content };
    const object = { metadata: { name: 'p-0', namespace: 'w1' }, spec: { workload: { manifests: [manifest] } } };
    const works = new WorksOfWds([trimmer(removalsOf(transforms, kinds))(object)]);
    return works.find('', 'w1', { group: 'apps', kind: 'Deployment', name: 'web' });
  };
  test('is the first field that transforms now remove', () => {
    const remove = transform(['$.spec.paused', '$.spec["replicas"]', '$..[bad']);
    assert.equal(sent({ spec: { replicas: 1 } }, remove)?.left, '$.spec.replicas');
    assert.equal(sent({ spec: { other: 1 } }, remove)?.left, undefined);
    assert.equal(sent({ spec: { replicas: 1 } }, transform(['$.spec.replicas'], 'daemonsets'))?.left, undefined);
  });
  test('is all of it if templates must be expanded', () => {
    const asking = (value: string) => ({
      metadata: { name: 'web', annotations: { 'control.kubestellar.io/expand-templates': value } },
      spec: { replicas: 1 },
    });
    assert.deepEqual(sent(asking('true'))?.expanded, {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
      ...asking('true'),
    });
    assert.equal(sent(asking('false'))?.expanded, undefined);
  });
});
