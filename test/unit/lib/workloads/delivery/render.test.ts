import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asSent } from '../../../../../src/lib/workloads/delivery/render.ts';

const head = (kind: string, apiVersion: string, metadata: object = {}) => ({
  apiVersion,
  kind,
  metadata: { name: 'web', namespace: 'shop', ...metadata },
});
const sent = (object: object, removed: string[] = [], properties: Record<string, string> = {}) =>
  asSent(object as never, removed, new Map(Object.entries(properties)));

describe('an object is sent', () => {
  test('without its status and what its API server keeps', () => {
    const metadata = {
      ...{ uid: 'u', resourceVersion: '7', generation: 2, generateName: 'web-', finalizers: ['a'] },
      ...{ managedFields: [], ownerReferences: [], creationTimestamp: '2026-11-20T15:00:00Z' },
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', a: 'b' },
    };
    const object = { ...head('ConfigMap', 'v1', metadata), data: { a: 'b' }, status: {} };
    const { manifest } = sent(object);
    assert.deepEqual(manifest, {
      ...head('ConfigMap', 'v1', { creationTimestamp: '2026-11-20T15:00:00Z' }),
      metadata: { ...manifest.metadata, annotations: { a: 'b' } },
      data: { a: 'b' },
    });
    assert.deepEqual(Object.keys(manifest.metadata).sort(), [
      ...['annotations', 'creationTimestamp', 'name', 'namespace'],
    ]);
  });
  test('if it is a Service, without addresses, and with node ports only where they are to stay', () => {
    const spec = {
      ...{
        clusterIP: '10.0.0.7',
        clusterIPs: ['10.0.0.7'],
        ipFamilies: ['IPv4'],
        type: 'NodePort',
      },
      ...{ ipFamilyPolicy: 'SingleStack', sessionAffinity: 'None', selector: { a: 'b' } },
      ports: [{ port: 80, nodePort: 30080 }],
    };
    const rest = { type: 'NodePort', selector: { a: 'b' } };
    const service = head('Service', 'v1');
    const { spec: plain } = sent({ ...service, spec }).manifest as { spec?: object };
    assert.deepEqual(plain, { ...rest, ports: [{ port: 80, nodePort: null }] });
    const annotations = { 'control.kubestellar.io/preserve': 'nodeport' };
    const kept = sent({ ...head('Service', 'v1', { annotations }), spec });
    assert.deepEqual((kept.manifest as { spec?: object }).spec, { ...rest, ports: spec.ports });
    const headless = { clusterIP: 'None', clusterIPs: ['None'] };
    const none = sent({ ...service, spec: headless }).manifest as { spec?: object };
    assert.deepEqual(none.spec, headless);
  });
  test('if it is a Job, without what identifies its pods', () => {
    const labels = { 'controller-uid': 'u', 'batch.kubernetes.io/controller-uid': 'u', app: 'a' };
    const annotations = { 'batch.kubernetes.io/job-tracking': '' };
    const spec = {
      selector: {},
      suspend: false,
      template: { metadata: { labels } },
      completions: 1,
    };
    const { manifest } = sent({ ...head('Job', 'batch/v1', { labels, annotations }), spec });
    assert.deepEqual([manifest.metadata.labels, manifest.metadata.annotations], [{ app: 'a' }, {}]);
    assert.deepEqual((manifest as { spec?: object }).spec, {
      template: { metadata: { labels: { app: 'a' } } },
      completions: 1,
    });
  });
  test('without the fields of transforms, as far as KubeStellar reads their paths', () => {
    const spec = { replicas: 2, 'a b': { c: 1, d: 2 }, list: [{ x: 1 }] };
    const paths = [
      '$.spec.replicas',
      '$.spec["a b"].c',
      '$.spec.list.x',
      '$',
      '$.spec[*]',
      '$.no.x',
    ];
    const { manifest } = sent({ ...head('Deployment', 'apps/v1'), spec }, paths);
    assert.deepEqual((manifest as { spec?: object }).spec, { 'a b': { d: 2 }, list: [{ x: 1 }] });
  });
  test('with the properties of the WEC, if it asks for that', () => {
    const annotations = { 'control.kubestellar.io/expand-templates': 'true' };
    const data = { a: 'in {{.region}}/{{ .tier }}', '{{.key}}': 'x' };
    const properties = { region: 'eu', tier: '$1' };
    const filled = sent({ ...head('ConfigMap', 'v1', { annotations }), data }, [], properties);
    assert.deepEqual((filled.manifest as { data?: object }).data, {
      a: 'in eu/$1',
      '{{.key}}': 'x',
    });
    const plain = sent({ ...head('ConfigMap', 'v1'), data }, [], properties);
    assert.deepEqual((plain.manifest as { data?: object }).data, data);
    const other = { b: '{{.none}}', c: ['{{if .region}}x{{end}} {{.region}}'], d: '{{.region' };
    const { manifest, open } = sent(
      { ...head('ConfigMap', 'v1', { annotations }), data: other },
      [],
      properties,
    );
    assert.deepEqual((manifest as { data?: object }).data, other);
    assert.deepEqual(open, [
      { field: 'data.b', missing: 'none' },
      { field: 'data.c[0]' },
      { field: 'data.d' },
    ]);
  });
});
