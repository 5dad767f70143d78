/** The real kubectl reads the same in kubeconfigs, tells their plugins the same, and shares their locks. */
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { Credentials } from '../../../src/lib/kube/client/credentials.ts';
import { loadKubeconfig, selectContext } from '../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { linkKubectl } from '../../../testbed/index.ts';
import { FakeServer } from '../../unit/support/fake-server.ts';
import { newPath, temporaryFolder } from '../../unit/support/folder.ts';
import { addContexts, addedContexts } from '../../unit/support/kubeconfig-writers.ts';
import { content, plain, simple, toFile, write } from '../../unit/support/kubeconfigs.ts';
import { oneContext } from '../../unit/support/one-context.ts';
import { plugin, pluginHost } from '../../unit/support/plugin-host.ts';

const kubectl = path.join(temporaryFolder(), 'kubectl');
before(() => linkKubectl(kubectl));

describe('kubectl reads the same:', () => {
  type Entries = { name: string; [key: string]: unknown }[] | null | undefined;
  const entries = (items: Entries, key: string) =>
    Object.fromEntries((items ?? []).map((item) => [item.name, item[key]]));
  const seenByKubectl = (env: NodeJS.ProcessEnv) => {
    const output = execFileSync(kubectl, ['config', 'view', '--raw', '-o', 'json'], {
      env: { PATH: process.env.PATH, HOME: path.dirname(kubectl), ...env },
      encoding: 'utf8',
    });
    const view = JSON.parse(output) as Record<string, Entries> & { 'current-context': string };
    return {
      clusters: entries(view.clusters, 'cluster'),
      users: entries(view.users, 'user'),
      contexts: entries(view.contexts, 'context'),
      current: view['current-context'] || undefined,
    };
  };

  test('several files', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(content, { minLength: 1, maxLength: 3 }), async (contents) => {
        const files = [...contents.map((each) => write(toFile(each))), newPath()];
        const env = { KUBECONFIG: files.join(path.delimiter) };
        assert.deepEqual(plain(await loadKubeconfig(undefined, env)), seenByKubectl(env));
      }),
      { numRuns: 8 },
    );
  });

  // Kubectl then uses no file at all.
  test('a list of empty names', async () => {
    const home = newPath();
    mkdirSync(path.join(home, '.kube'), { recursive: true });
    writeFileSync(path.join(home, '.kube', 'config'), stringify(toFile(simple('https://home'))));
    const before = process.env.HOME;
    process.env.HOME = home;
    try {
      assert.deepEqual(
        plain(await loadKubeconfig(undefined, { KUBECONFIG: ':' })),
        seenByKubectl({ HOME: home, KUBECONFIG: ':' }),
      );
    } finally {
      process.env.HOME = before;
    }
  });
});

describe('a plugin receives, as from kubectl,', () => {
  const heard = newPath();
  const authority = newPath();
  before(async () => {
    const server = await FakeServer.start(() => ({}));
    const { 'certificate-authority-data': data = '' } = server.context().cluster;
    writeFileSync(authority, Buffer.from(data, 'base64'));
    await server.stop();
  });

  const clusters = {
    plain: { server: 'https://127.0.0.1:1/path/' },
    full: {
      server: 'https://127.0.0.1:1',
      'certificate-authority': authority,
      'tls-server-name': 'other.example',
      'proxy-url': 'http://127.0.0.1:2',
      'disable-compression': true,
      extensions: [
        { name: 'other', extension: { not: 'this' } },
        { name: 'client.authentication.k8s.io/exec', extension: { audience: 'me', list: [1] } },
      ],
    },
    insecure: { server: 'https://127.0.0.1:1', 'insecure-skip-tls-verify': true },
  };
  const v1 = 'client.authentication.k8s.io/v1';
  for (const apiVersion of [v1, `${v1}beta1`])
    for (const [name, cluster] of Object.entries(clusters))
      for (const provideClusterInfo of [true, false])
        test(`${apiVersion}, cluster ${name}, provideClusterInfo ${provideClusterInfo}`, async () => {
          const exec = plugin(`printf %s "$KUBERNETES_EXEC_INFO" > ${heard}; exit 1`, {
            apiVersion,
            provideClusterInfo,
          });
          const file = newPath();
          writeFileSync(file, JSON.stringify(oneContext(cluster, { exec })));
          const hear = () => {
            const text = readFileSync(heard, 'utf8');
            rmSync(heard);
            return JSON.parse(text);
          };
          spawnSync(kubectl, ['--kubeconfig', file, 'get', '--raw', '/version'], {
            stdio: 'ignore',
          });
          const expected = hear();
          const selected = selectContext(await loadKubeconfig(file, {}), 'x');
          await new Credentials(selected, pluginHost()).server().catch(() => {});
          assert.deepEqual(hear(), expected);
        });
});

test("kubectl and stellarctl respect each other's lock, and kubectl reads our output", {
  timeout: 180_000,
}, async (t) => {
  const run = promisify(execFile);
  const env = { ...process.env, KUBECONFIG: write(toFile(simple('https://a'))) };
  const ours = once(addContexts(env.KUBECONFIG, 'ours', 25), 'exit');
  let refused = 0;
  for (let i = 0; i < 8; ) {
    // kubectl does not wait for a lock.
    const done = await run(kubectl, ['config', 'set-context', `theirs${i}`, '--cluster=c'], {
      env,
    }).then(
      () => true,
      (error: Error) => assert.match(error.message, /config\.lock: file exists/),
    );
    if (done) i++;
    else refused++;
  }
  assert.equal((await ours)[0], 0);
  t.diagnostic(`kubectl was refused ${refused} times`);
  const view = JSON.parse(
    execFileSync(kubectl, ['config', 'view', '-o', 'json'], { env, encoding: 'utf8' }),
  ) as { contexts: { name: string }[] };
  // kubectl reads before it locks, and then removes contexts that were added in between (clientcmd.ModifyConfig).
  const written = ['x', ...addedContexts('theirs', 8)];
  const names = view.contexts.map(({ name }) => name);
  const kept = names.filter((each) => !each.startsWith('ours'));
  assert.deepEqual(kept.sort(), written.sort());
  assert.ok(names.length > written.length, 'kubectl has kept contexts of stellarctl');
});
