import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { comparison, staleTemplate } from '../../../../../src/lib/workloads/delivery/current-content.ts';

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

describe('a work compared with what would be sent today', () => {
  const kindOf = (apiVersion: string, kind: string) => ({
    ...{ apiVersion, kind, plural: `${kind.toLowerCase()}s`, namespaced: true, versions: [], aliases: [] },
  });
  const kinds = [kindOf('apps/v1', 'Deployment'), kindOf('v1', 'Service'), kindOf('batch/v1', 'Job')];
  const transform = (remove: string[], resource = 'deployments') => ({
    metadata: { name: 't' },
    spec: { apiGroup: 'apps', resource, remove },
  });
  type Content = { metadata?: object } & Record<string, unknown>;
  const object = (content: Content, { apiVersion, kind }: { apiVersion: string; kind: string }) => ({
    ...{ apiVersion, kind, ...content },
    metadata: { name: 'web', ...content.metadata },
  });
  /** @param now what the WDS has; undefined if it could not be read */
  const staleField = (
    now: Content | undefined,
    sent: Content,
    transforms: ReturnType<typeof transform>[] = [],
    kind = kinds[0] as (typeof kinds)[number],
  ) => {
    const group = kind.apiVersion.split('/').slice(0, -1).join('');
    const key = `${group}/${kind.kind}//web`;
    const objects = new Map(now === undefined ? [] : [[key, object(now, kind)]]);
    return comparison({ transforms, objects, inventory: new Map(), configMaps: new Map() }, kinds)(
      object(sent, kind),
      'w1',
    );
  };
  const one = { spec: { replicas: 1 } };

  test('has a field that transforms now remove', () => {
    const remove = transform(['$.spec.paused', '$.spec["replicas"]', '$..[bad']);
    assert.equal(staleField(one, one, [remove]), '$.spec.replicas');
    assert.equal(staleField(undefined, one, [remove]), '$.spec.replicas');
    assert.equal(staleField(undefined, { spec: { other: 1 } }, [remove]), undefined);
    assert.equal(staleField(one, one, [transform(['$.spec.replicas'], 'daemonsets')]), undefined);
  });
  test('lacks a field that no transform removes any longer', () => {
    assert.equal(staleField(one, { spec: {} }), '$.spec.replicas');
    assert.equal(staleField(one, {}), '$.spec');
    assert.equal(staleField(undefined, {}), undefined);
    assert.equal(staleField(one, {}, [transform(['$.spec.replicas'])]), undefined);
    assert.equal(staleField(one, {}, [transform(['$.spec'])]), undefined);
    const labelled = { metadata: { labels: { a: '1' } } };
    assert.equal(staleField(labelled, {}), '$.metadata.labels');
  });
  test('may differ in values, and in what KubeStellar never sends', () => {
    assert.equal(
      staleField({ spec: { replicas: 2, paused: null, list: [1, 2] } }, { spec: { replicas: 1, list: [] } }),
      undefined,
    );
    const unsent = {
      metadata: {
        ...{ uid: 'u', generation: 2, resourceVersion: '7', managedFields: [{}], ownerReferences: [{}] },
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
      },
      status: { replicas: 1 },
    };
    assert.equal(staleField(unsent, {}), undefined);
    const [, service, job] = kinds;
    const ports = [{ port: 80, nodePort: 30080 }];
    const spec = {
      clusterIP: '10.0.0.1',
      clusterIPs: ['10.0.0.1'],
      ipFamilies: ['IPv4'],
      sessionAffinity: 'None',
      ports,
    };
    assert.equal(staleField({ spec }, { spec: { ports: [{ port: 80, nodePort: null }] } }, [], service), undefined);
    assert.equal(staleField({ spec }, { spec: {} }, [], service), '$.spec.ports');
    const labels = { 'batch.kubernetes.io/controller-uid': 'u', app: 'a' };
    const template = { metadata: { labels }, spec: { containers: [] } };
    const sent = { spec: { template: { metadata: { labels: { app: 'a' } }, spec: { containers: [] } } } };
    const now = { metadata: { labels }, spec: { selector: { matchLabels: labels }, suspend: false, template } };
    assert.equal(staleField(now, sent, [], job), undefined);
  });
});
