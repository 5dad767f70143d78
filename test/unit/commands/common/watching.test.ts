import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { stellarctl } from '../../../stellarctl.ts';
import { FakeServer } from '../../support/fake-server.ts';

for (const [status, code] of [
  [401, 'unauthorized'],
  [403, 'forbidden'],
] as const)
  test(`a watch ends at once when its server answers ${status}`, async (t) => {
    const readings = 2;
    let lists = 0;
    const server = await FakeServer.start(({ path: asked }) => {
      if (asked.endsWith('/managedclusters')) lists += 1;
      if (lists <= readings) return { body: { items: [] } };
      return { status, body: { kind: 'Status', message: 'no' } };
    });
    const folder = await mkdtemp(path.join(tmpdir(), 'stellarctl-watch-'));
    t.after(() => Promise.all([server.stop(), rm(folder, { recursive: true })]));
    const { cluster } = server.context();
    const config = {
      clusters: [{ name: 'its1', cluster }],
      contexts: [{ name: 'its1', context: { cluster: 'its1' } }],
    };
    const kubeconfig = path.join(folder, 'kubeconfig');
    await writeFile(kubeconfig, JSON.stringify(config));
    const words = ['wec', 'list', '--watch', '--its', 'its1', '--kubeconfig', kubeconfig, '-o', 'json'];
    const { exitCode, stdout } = await stellarctl(words);
    // Only a 401 is asked about once more, with renewed credentials.
    assert.ok(lists <= readings + 2, `${lists} lists`);
    assert.equal(exitCode, 4);
    assert.match(String(stdout), new RegExp(`"code": ?"${code}"`));
  });
