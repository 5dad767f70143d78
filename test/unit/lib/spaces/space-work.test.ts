import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import {
  type Kubeconfig,
  loadKubeconfig,
  selectContext,
} from '../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import type { SpaceTools } from '../../../../src/lib/spaces/hosting/hosting.ts';
import {
  entriesOf,
  knownEntries,
  ownEntries,
  requireContextFree,
  writeSpaceContext,
} from '../../../../src/lib/spaces/space-work.ts';
import { writtenApart } from '../../support/folder.ts';
import { contextsOf } from '../../support/one-context.ts';
import {
  hostingCluster,
  its,
  kubeconfigOf,
  MemoryCluster,
  soon,
} from '../../support/space-builders.ts';
import { failsWith } from '../../support/steps.ts';

const toolsFor = (kubeconfig: Kubeconfig, file: string) =>
  ({
    kubeconfig,
    target: { file, env: {} },
    hostingContext: { name: 'kind-kubeflex' },
  }) as SpaceTools;

test('a name that refers to something else is rejected before a space is created', async () => {
  const text = JSON.stringify(contextsOf({ server: 'https://c:6443' }, { token: 'x' }, 'its1'));
  const file = writtenApart('config', text);
  const kubeconfig = await loadKubeconfig(file);
  const check = (name: string, from: Parameters<typeof requireContextFree>[1]) =>
    requireContextFree(name, from, toolsFor(kubeconfig, file), soon());
  await assert.rejects(
    check('its1', undefined),
    failsWith({
      code: 'context-taken',
      message: /for another cluster \(https:\/\/c:6443\); it was not replaced\.$/,
      steps: /rename-context its1 NEW-NAME/,
    }),
  );
  await check('its2', undefined);
  await check('its1', entriesOf('its1', kubeconfig));
  assert.equal(await readFile(file, 'utf8'), text);
});

const entries = ownEntries('its1', {
  name: 'its1',
  server: 'https://its1.localtest.me:9443',
  cluster: { server: 'https://its1.localtest.me:9443' },
  user: { token: 'y' },
});

test('the context of a space is named as kflex names it, and marked as its', async () => {
  const before = contextsOf({ server: 'https://c:6443' }, { token: 'x' }, 'mine');
  const file = writtenApart('config', JSON.stringify(before));
  await writeSpaceContext('its1', entries, toolsFor(await loadKubeconfig(file), file), soon());
  const { contexts, clusters, 'current-context': current } = parse(await readFile(file, 'utf8'));
  const [, { name, context }] = contexts;
  assert.deepEqual([name, context.cluster, context.user], ['its1', 'its1-cluster', 'its1-admin']);
  assert.deepEqual([clusters[1].name, current], ['its1-cluster', 'mine']);
  const [extension] = context.extensions;
  assert.equal(extension.name, 'kubeflex');
  assert.deepEqual(extension.extension.data, {
    'controlplane-name': 'its1',
    'hosting-cluster-ctx-name': 'kind-kubeflex',
  });
});

describe('the source of the entries is known', () => {
  const kubeconfig = kubeconfigOf({
    host: { cluster: 'h', user: 'h' },
    own: { cluster: 'e', user: 'e', of: 'ext1' },
  });
  const hostingContext = { ...selectContext(kubeconfig, 'host') };
  const known = (plane: ReturnType<typeof its> | undefined) => {
    const hosting = new MemoryCluster([plane], { cluster: hostingCluster }).kube;
    return knownEntries(plane?.metadata.name ?? 'x', plane?.spec?.type ?? 'vcluster', {
      hosting,
      hostingContext,
      hostingSource: 'kubeconfig',
      kubeconfig,
      target: { file: '/no/such/file', env: {} },
      connect: () => assert.fail(),
    });
  };
  test('of a host: the context of the hosting cluster', async () =>
    assert.deepEqual(await known(its('its1')), { cluster: { name: 'h' }, user: { name: 'h' } }));
  test('of an external cluster: the marked context', async () =>
    assert.deepEqual(await known(its('ext1', { type: 'external' })), {
      cluster: { name: 'e' },
      user: { name: 'e' },
    }));
  test('of a space that does not exist (yet)', async () => {
    assert.equal(await known(its('ext2', { type: 'external' })), undefined);
    assert.equal(await known(its('its1', { type: 'vcluster' })), undefined);
    assert.equal(await known(undefined), undefined);
  });
});
