import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { chown, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import type { KubeObject, Secret } from '../../../../src/lib/kube/client/objects.ts';
import { loadKubeconfig, selectContext } from '../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import type { SpaceRole } from '../../../../src/lib/ocm/model/kubeflex-names.ts';
import { managedBy, managedByLabel } from '../../../../src/lib/ocm/model/ocm-names.ts';
import type { SpaceTools } from '../../../../src/lib/spaces/hosting/hosting.ts';
import { shareAccess, writeContext } from '../../../../src/lib/spaces/write-context.ts';
import { modeOf, temporaryFolder } from '../../support/folder.ts';
import { contextsOf, oneContext } from '../../support/one-context.ts';
import {
  its,
  kindOf,
  kubeconfigSecret,
  MemoryCluster,
  soon,
  wds,
} from '../../support/space-builders.ts';
import { failsWith } from '../../support/steps.ts';

const folder = temporaryFolder();

const credentials = (space: string, ...secret: [name?: string, key?: string]) =>
  kubeconfigSecret(
    space,
    { server: `https://${space}.localtest.me:9443` },
    { token: `token-of-${space}` },
    ...secret,
  );

const spaces = [
  its('its1', { type: 'vcluster' }),
  credentials('its1', 'vc-vcluster', 'config'),
  its('its2'),
  its('its3', { type: 'vcluster' }),
  wds('wds1', 'its1', { type: 'k8s' }),
  credentials('wds1'),
];

const file = path.join(folder, 'kubeconfig');
const exported = path.join(folder, 'exported');

beforeEach(async () => {
  await rm(exported, { force: true });
  const own = contextsOf({ server: 'https://127.0.0.1:6443' }, { token: 'own' }, 'kind-kubeflex');
  await writeFile(file, JSON.stringify(own));
});

async function toolsWith(connect: SpaceTools['connect'] = () => assert.fail()) {
  const kubeconfig = await loadKubeconfig(file);
  const hostingContext = selectContext(kubeconfig, 'kind-kubeflex');
  const hosting = new MemoryCluster(spaces).kube;
  const hostingSource = 'kubeconfig' as const;
  const target = { file, env: {} };
  return { hosting, hostingContext, hostingSource, kubeconfig, target, connect };
}

async function write(
  name: string,
  given: { role?: SpaceRole; exportTo?: string; makeCurrent?: true } = {},
) {
  const { role = 'its', exportTo, makeCurrent } = given;
  return writeContext({ name, role, exportTo, makeCurrent }, await toolsWith(), soon());
}

const tokenIn = async (kubeconfig: string, context: string) =>
  selectContext(await loadKubeconfig(kubeconfig), context).user.token;

describe('the context of an existing space', () => {
  test('is written into the kubeconfig, once; the current context stays', async () => {
    const first = await write('wds1', { role: 'wds' });
    assert.deepEqual(first, {
      name: 'wds1',
      type: 'k8s',
      context: 'wds1',
      server: 'https://wds1.localtest.me:9443',
      file,
      changed: true,
    });
    assert.equal((await write('wds1', { role: 'wds' })).changed, false);
    assert.equal(await tokenIn(file, 'wds1'), 'token-of-wds1');
    assert.equal((await loadKubeconfig(file)).currentContext, 'kind-kubeflex');
    assert.equal(modeOf(file), '600');
  });
  test('becomes current if that is requested, once', async () => {
    assert.equal((await write('wds1', { role: 'wds', makeCurrent: true })).changed, true);
    assert.equal((await loadKubeconfig(file)).currentContext, 'wds1');
    assert.equal((await write('wds1', { role: 'wds', makeCurrent: true })).changed, false);
  });
  test('of type host refers to the cluster and user of the hosting cluster', async () => {
    await write('its2');
    assert.equal(await tokenIn(file, 'its2'), 'own');
    assert.equal((await loadKubeconfig(file)).clusters.size, 1);
  });
  test('does not replace a context of another cluster', async () => {
    const both = JSON.parse(await readFile(file, 'utf8'));
    both.clusters.push({ name: 'other', cluster: { server: 'https://other:6443' } });
    both.users.push({ name: 'other', user: { token: 'other' } });
    both.contexts.push({ name: 'its1', context: { cluster: 'other', user: 'other' } });
    await writeFile(file, JSON.stringify(both));
    await assert.rejects(write('its1'), { code: 'context-taken' });
    assert.equal(await tokenIn(file, 'its1'), 'other');
  });
});

describe('its export', () => {
  test('is a private kubeconfig of its own; the second export is the same', async () => {
    const before = await readFile(file, 'utf8');
    assert.equal((await write('its1', { exportTo: exported })).changed, true);
    const text = await readFile(exported, 'utf8');
    assert.equal((await write('its1', { exportTo: exported })).changed, false);
    assert.equal(await readFile(exported, 'utf8'), text);
    const { contexts, currentContext } = await loadKubeconfig(exported);
    assert.deepEqual([[...contexts.keys()], currentContext], [['its1'], 'its1']);
    assert.equal(await tokenIn(exported, 'its1'), 'token-of-its1');
    assert.equal(modeOf(exported), '600');
    assert.equal(await readFile(file, 'utf8'), before);
  });
  test('includes the credentials of a space of type host', async () => {
    await write('its2', { exportTo: exported });
    assert.equal(await tokenIn(exported, 'its2'), 'own');
  });
  test('fills an empty file, as created by mktemp', async () => {
    await writeFile(exported, '', { mode: 0o644 });
    assert.equal((await write('its1', { exportTo: exported })).changed, true);
    assert.equal(modeOf(exported), '600');
  });
  for (const [what, text] of [
    ['another kubeconfig', JSON.stringify(oneContext({ server: 'https://other' }, {}))],
    ['notes of a user', 'my notes: [\n'],
    ['a list', '- a\n'],
  ] as const)
    test(`does not replace ${what}`, async () => {
      await writeFile(exported, text);
      await assert.rejects(write('its1', { exportTo: exported }), StellarError);
      assert.equal(await readFile(exported, 'utf8'), text);
    });
  test('is not stdout', async () =>
    assert.rejects(write('its1', { exportTo: '-' }), { code: 'usage', message: /writes a file/ }));
  test('is not one of another user, who would own the credentials, and no pipe or device', async () => {
    if (process.getuid?.() === 0) {
      await writeFile(exported, '');
      await chown(exported, 65534, 65534);
      await assert.rejects(write('its1', { exportTo: exported }), {
        code: 'file-error',
        message: /another user/,
      });
      assert.equal(await readFile(exported, 'utf8'), '');
    }
    await assert.rejects(write('its1', { exportTo: '/dev/null' }), { code: 'file-error' });
    await rm(exported, { force: true });
    execFileSync('mkfifo', [exported]);
    await assert.rejects(write('its1', { exportTo: exported }), {
      code: 'file-error',
      message: /is not a file/,
    });
  });
  test('does not replace that of another space', async () => {
    await write('its1', { exportTo: exported });
    await assert.rejects(write('wds1', { role: 'wds', exportTo: exported }), {
      code: 'file-error',
    });
  });
});

describe('access', () => {
  const share = async (exportTo: string, inside: MemoryCluster) =>
    shareAccess(
      {
        space: { name: 'its1', role: 'its' },
        role: 'viewer',
        who: 'anna',
        kinds: undefined,
        seconds: 3600,
        exportTo,
        argocd: undefined,
      },
      await toolsWith(() => inside.kube),
      soon(),
    );
  test('is not given before its file can be written', async () => {
    await writeFile(exported, '');
    const inside = new MemoryCluster();
    await assert.rejects(
      share(path.join(exported, 'kubeconfig'), inside),
      failsWith({ code: 'file-error', steps: /--export FILE/ }),
    );
    assert.deepEqual(inside.writes, []);
  });
  test('that was given is named, if its file cannot be written afterwards', async () => {
    const inside = new MemoryCluster([], {
      create: async () => {
        mkdirSync(exported);
        return { status: { token: 't', expirationTimestamp: new Date().toISOString() } };
      },
    });
    await assert.rejects(
      share(exported, inside),
      failsWith({
        code: 'file-error',
        steps: /stellarctl access revoke its1-anna-viewer --in its1/,
      }),
    );
    await rm(exported, { recursive: true });
  });
});

describe('access for Argo CD', () => {
  const share = async (...secrets: KubeObject[]) => {
    const namespace = kindOf('Namespace', { metadata: { name: 'argocd' } });
    const inside = kubeconfigSecret(
      'wds1',
      { server: 'https://wds1.wds1-system' },
      { token: 'inside' },
      'admin-kubeconfig',
      'kubeconfig-incluster',
    );
    const [own] = spaces.filter(({ metadata: { name } }) => name === 'admin-kubeconfig');
    const both = {
      ...own,
      data: { ...(own as Secret).data, ...(inside as Secret).data },
    } as Secret;
    const others = spaces.filter((each) => each !== own);
    const hosting = new MemoryCluster([both, ...others, namespace, ...secrets]);
    const created = async () => ({ status: { token: 't' } });
    const space = new MemoryCluster([], { create: created });
    const tools = { ...(await toolsWith(() => space.kube)), hosting: hosting.kube };
    const shared = shareAccess(
      {
        space: { name: 'wds1', role: 'wds' },
        role: 'deployer',
        who: 'ci',
        kinds: [],
        seconds: 3600,
        exportTo: '-',
        argocd: 'argocd',
      },
      tools,
      soon(),
    );
    const result = await shared.then(
      () => undefined,
      ({ code }) => code,
    );
    return [result, [...space.writes, ...hosting.writes].filter((write) => /Secret/.test(write))];
  };
  const secret = (labels?: Record<string, string>): KubeObject => ({
    kind: 'Secret',
    metadata: { name: 'wds1-ci-deployer', namespace: 'argocd', ...(labels && { labels }) },
  });
  test('does not replace a Secret of somebody else, and is written again over its own', async () => {
    const written = [undefined, ['apply Secret wds1-ci-deployer']];
    assert.deepEqual(await share(), written);
    assert.deepEqual(await share(secret({ [managedByLabel]: managedBy })), written);
    assert.deepEqual(await share(secret()), ['name-taken', []]);
  });
});

test('no context is written of a space that does not exist', () =>
  assert.rejects(write('its9'), { code: 'not-found' }));
test('no context is written of a space whose API server does not run yet', () =>
  assert.rejects(
    write('its3'),
    failsWith({ code: 'unreachable', steps: /stellarctl its get its3/ }),
  ));
