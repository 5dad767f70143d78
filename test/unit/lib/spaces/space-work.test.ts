import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
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
import { newPath } from '../../support/folder.ts';
import {
  hostingCluster,
  its,
  kubeconfigOf,
  MemoryCluster,
  soon,
} from '../../support/space-builders.ts';
import { failsWith } from '../../support/steps.ts';

interface Named {
  name: string;
}
interface Raw {
  contexts: (Named & {
    context: {
      cluster: string;
      user: string;
      extensions?: (Named & { extension: { data: object } })[];
    };
  })[];
  clusters: Named[];
  users: Named[];
  'current-context': string;
}

const toolsFor = (kubeconfig: Kubeconfig, file: string) =>
  ({
    kubeconfig,
    target: { file, env: {} },
    hostingContext: { name: 'kind-kubeflex' },
  }) as SpaceTools;

/** Writes the context of its1 into a kubeconfig that has a context `mine`. */
async function written(from: Parameters<typeof writeSpaceContext>[1], times = 1) {
  const file = newPath();
  await writeFile(
    file,
    stringify({
      contexts: [{ name: 'mine', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server: 'https://c:6443' } }],
      users: [{ name: 'u', user: { token: 'x' } }],
      'current-context': 'mine',
    }),
  );
  const changes: boolean[] = [];
  for (let time = 0; time < times; time += 1) {
    const kubeconfig = await loadKubeconfig(file);
    changes.push(
      (await writeSpaceContext('its1', from, toolsFor(kubeconfig, file), soon())).changed,
    );
  }
  const raw = parse(await readFile(file, 'utf8')) as Raw;
  return { raw, changes, context: raw.contexts.find(({ name }) => name === 'its1')?.context };
}

test('a name that refers to something else is rejected before a space is created', async () => {
  const file = newPath();
  const at = (server: string) => ({ name: 'c', cluster: { server } });
  const contexts = [{ name: 'its1', context: { cluster: 'c', user: 'u' } }];
  const text = stringify({
    contexts,
    clusters: [at('https://c:6443')],
    users: [{ name: 'u', user: { token: 'x' } }],
  });
  await writeFile(file, text);
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

describe('the context of a space', () => {
  test('is named as kflex names it, and marked as its', async () => {
    const { raw, context } = await written(entries);
    assert.deepEqual([context?.cluster, context?.user], ['its1-cluster', 'its1-admin']);
    assert.deepEqual(
      raw.clusters.map(({ name }) => name),
      ['c', 'its1-cluster'],
    );
    const [extension] = context?.extensions ?? [];
    assert.equal(extension?.name, 'kubeflex');
    assert.deepEqual(extension?.extension.data, {
      'controlplane-name': 'its1',
      'hosting-cluster-ctx-name': 'kind-kubeflex',
    });
    assert.equal(raw['current-context'], 'mine');
  });
  test("refers to the user's own cluster and user if they are used", async () => {
    const { raw, context } = await written({ cluster: { name: 'c' }, user: { name: 'u' } });
    assert.deepEqual([context?.cluster, context?.user], ['c', 'u']);
    assert.deepEqual([raw.clusters.length, raw.users.length], [1, 1]);
  });
  test('is written once', async () =>
    assert.deepEqual((await written(entries, 2)).changes, [true, false]));
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
