import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { setContext } from '../../../../src/lib/kube/kubeconfig/contexts.ts';
import { loadKubeconfig } from '../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import {
  controlPlaneOf,
  forControlPlane,
  hostingContext,
  markHostingContext,
} from '../../../../src/lib/spaces/hosting/hosting.ts';
import { run } from '../../support/builders.ts';
import { newPath } from '../../support/folder.ts';

function target(content: string) {
  const file = newPath();
  writeFileSync(file, content);
  return { file, env: {} };
}
const waiting = run(20_000);
const hosting = async (content: string) =>
  hostingContext(await loadKubeconfig(target(content).file));

/** A kubeconfig as `kflex init` and `kflex create its1` of v0.9.3 leave it, on a minikube cluster. */
const byKflex = `apiVersion: v1
clusters:
- cluster: {server: https://its1.localtest.me:9443}
  name: its1-cluster
- cluster: {server: https://127.0.0.1:5000}
  name: kind-kubeflex
contexts:
- context:
    cluster: its1-cluster
    extensions:
    - extension:
        data:
          controlplane-name: its1
        metadata:
          creationTimestamp: "2026-01-02T03:04:05Z"
          name: kubeflex
      name: kubeflex
    user: its1-admin
  name: its1
- context:
    cluster: kind-kubeflex
    extensions:
    - extension: {provider: minikube.sigs.k8s.io}
      name: context_info
    - extension:
        data:
          is-hosting-cluster-ctx: "true"
          of-later: x
        metadata:
          creationTimestamp: "2026-01-02T03:04:05Z"
          name: kubeflex
      name: kubeflex
    user: kind-kubeflex
  name: kind-kubeflex
- context: {cluster: kind-kubeflex, user: kind-kubeflex}
  name: other
current-context: its1
extensions:
- extension: {a: 1}
  name: foreign
- extension:
    data:
      hosting-cluster-ctx-name: kind-kubeflex
    metadata:
      creationTimestamp: "2026-01-02T03:04:05Z"
      name: kubeflex
  name: kubeflex
kind: Config
preferences: {}
users:
- name: its1-admin
  user: {token: t}
- name: kind-kubeflex
  user: {token: t}
`;
const clusters = 'contexts: [{name: a, context: {}}, {name: b, context: {}}]\n';
const mark = (value: string) =>
  `{name: kubeflex, extension: {data: {is-hosting-cluster-ctx: "${value}"}}}`;

describe('the records of kflex are understood:', () => {
  test('the hosting context, and the control planes of contexts', async () => {
    const config = await loadKubeconfig(target(byKflex).file);
    assert.equal(hostingContext(config), 'kind-kubeflex');
    assert.deepEqual(
      ['its1', 'kind-kubeflex', 'other', 'gone'].map((name) =>
        controlPlaneOf(config.contexts.get(name)),
      ),
      ['its1', undefined, undefined, undefined],
    );
  });
  for (const [what, extension, expected] of [
    [
      'at the top',
      'extensions: [{name: kubeflex, extension: {data: {hosting-cluster-ctx-name: b}}}]',
      'b',
    ],
    [
      'as a context that is gone',
      'extensions: [{name: kubeflex, extension: {data: {hosting-cluster-ctx-name: c}}}]',
      undefined,
    ],
    ['nowhere', 'extensions: [{name: kubeflex, extension: null}, {name: 7}, 8]', undefined],
  ] as const) {
    test(`the hosting context ${what}`, async () =>
      assert.equal(await hosting(clusters + extension), expected));
  }
  test('the hosting context by its own mark, if it is the only one', async () => {
    const marked = (a: string, b: string) =>
      `contexts: [{name: a, context: {extensions: [${mark(a)}]}}, {name: b, context: {extensions: [${mark(b)}]}}]`;
    assert.deepEqual(
      [await hosting(marked('false', 'true')), await hosting(marked('true', 'true'))],
      ['b', undefined],
    );
  });
});

describe('our record', () => {
  test('has kflex’s own layout', async () => {
    const where = target(clusters);
    assert.equal(await markHostingContext(where, 'a', waiting), true);
    await setContext(
      where,
      {
        context: 'its1',
        cluster: { name: 'c', entry: {} },
        user: { name: 'u', entry: {} },
        ...forControlPlane('its1', 'a'),
      },
      waiting,
    );
    const { extensions, contexts } = parse(readFileSync(where.file, 'utf8'));
    const [top, ofHosting, ofControlPlane] = [
      extensions,
      contexts[0].context.extensions,
      contexts[2].context.extensions,
    ];
    for (const [list, data] of [
      [top, { 'hosting-cluster-ctx-name': 'a' }],
      [ofHosting, { 'is-hosting-cluster-ctx': 'true' }],
      [ofControlPlane, { 'controlplane-name': 'its1', 'hosting-cluster-ctx-name': 'a' }],
    ]) {
      const [{ name, extension }] = list;
      assert.equal(name, 'kubeflex');
      assert.deepEqual(extension.data, data);
      assert.match(extension.metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.deepEqual(
        [extension.metadata.name, Object.keys(extension.metadata).length],
        ['kubeflex', 2],
      );
    }
  });

  test('is empty if kflex has recorded it already', async () => {
    const where = target(byKflex);
    assert.equal(await markHostingContext(where, 'kind-kubeflex', waiting), false);
    assert.equal(readFileSync(where.file, 'utf8'), byKflex);
  });

  test('is added to another context, and changes nothing else', async () => {
    const where = target(byKflex);
    await markHostingContext(where, 'other', waiting);
    const expected = parse(byKflex);
    const { creationTimestamp, ...mark } = parse(readFileSync(where.file, 'utf8')).contexts[2]
      .context.extensions[0].extension.metadata;
    assert.deepEqual(mark, { name: 'kubeflex' });
    expected.extensions[1].extension.data['hosting-cluster-ctx-name'] = 'other';
    delete expected.contexts[1].context.extensions[1].extension.data['is-hosting-cluster-ctx'];
    expected.contexts[2].context.extensions = [
      {
        name: 'kubeflex',
        extension: {
          data: { 'is-hosting-cluster-ctx': 'true' },
          metadata: { creationTimestamp, name: 'kubeflex' },
        },
      },
    ];
    assert.deepEqual(parse(readFileSync(where.file, 'utf8')), expected);
  });

  const elsewhere = {
    context: 'its1',
    cluster: { name: 'its1-cluster', entry: { server: 'https://elsewhere.example.com' } },
    user: { name: 'its1-admin', entry: { token: 't' } },
  };
  test('allows replacing the context of the same control plane, and no other', async () => {
    const where = target(byKflex);
    const moved = (name: string, hosting = 'kind-kubeflex') =>
      setContext(
        where,
        {
          context: 'its1',
          cluster: { name: 'its1-cluster', entry: { server: 'https://its1.example.com' } },
          user: { name: 'its1-admin', entry: { token: 't' } },
          ...forControlPlane(name, hosting),
        },
        waiting,
      );
    // The record of kflex does not contain the control plane.
    await assert.rejects(moved('its1'), /its1\.localtest\.me/);
    await setContext(
      where,
      { ...elsewhere, ...forControlPlane('its1', 'kind-kubeflex'), isOurs: () => true },
      waiting,
    );
    await assert.rejects(moved('its2'), /elsewhere\.example/);
    await assert.rejects(moved('its1', 'other'), /elsewhere\.example/);
    assert.equal((await moved('its1')).changed, true);
  });
});
