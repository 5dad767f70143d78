import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { execa } from 'execa';
import { parse } from 'yaml';
import { officialNode } from '../../scripts/official-node.ts';

const root = path.resolve(import.meta.dirname, '..', '..');

interface Workflow {
  permissions: Record<string, string>;
  jobs: Record<
    string,
    { permissions?: Record<string, string>; steps: { uses?: string; run?: string }[] }
  >;
}
const workflow = async (name: string): Promise<Workflow> =>
  parse(await readFile(path.join(root, '.github', 'workflows', `${name}.yml`), 'utf8'));

test('what builds a release may write nothing, and what publishes it builds nothing', async () => {
  const { permissions, jobs } = await workflow('release');
  assert.deepEqual(permissions, { contents: 'read' });
  const publishing = Object.entries(jobs).filter(([, job]) => job.permissions !== undefined);
  assert.deepEqual(publishing.map(([name]) => name).sort(), ['image', 'npm', 'release']);
  for (const [name, { steps }] of publishing)
    for (const { uses = '', run = '' } of steps) {
      assert.doesNotMatch(uses, /^actions\/checkout@/, name);
      assert.doesNotMatch(run, /\bnp[mx] (?!publish\b)|\bnode\b|\bscripts\//, name);
      if (run.includes('npm publish')) assert.match(run, /--ignore-scripts/);
    }
});

test('what a release is made of is named by its digest', async () => {
  for (const name of ['ci', 'release'])
    for (const { steps } of Object.values((await workflow(name)).jobs))
      for (const { uses } of steps)
        if (uses !== undefined) assert.match(uses, /^[\w/-]+@[0-9a-f]{40}$/);
  assert.match(
    await readFile(path.join(root, 'Dockerfile'), 'utf8'),
    /^FROM \S+@sha256:[0-9a-f]{64}$/m,
  );
});

test('the Node of an executable is used only with its published checksum', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'stellarctl-test-'));
  const name = `node-v1.2.3-${process.platform}-${process.arch}`;
  await mkdir(path.join(folder, name, 'bin'), { recursive: true });
  await writeFile(path.join(folder, name, 'bin', 'node'), 'the program');
  await writeFile(path.join(folder, name, 'LICENSE'), 'its licence');
  await execa('tar', ['-czf', `${name}.tar.gz`, name], { cwd: folder });
  const archive = await readFile(path.join(folder, `${name}.tar.gz`));
  const sum = createHash('sha256').update(archive).digest('hex');
  let sums = '';
  let served = archive;
  const server = createServer(({ url }, response) => {
    if (url === '/v1.2.3/SHASUMS256.txt') return response.end(sums);
    if (url === `/v1.2.3/${name}.tar.gz`) return response.end(served);
    return response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const source = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const bring = (version = '1.2.3') =>
      officialNode(path.join(folder, 'brought'), version, source);
    const other = '0'.repeat(64);
    sums = `${other}  node-v1.2.3.tar.gz\n${sum}  ${name}.tar.gz\n${other}  ${name}.tar.xz\n`;
    const { node, license } = await bring();
    assert.equal(await readFile(node, 'utf8'), 'the program');
    assert.equal(await readFile(license, 'utf8'), 'its licence');

    served = Buffer.concat([archive, Buffer.from('x')]);
    await assert.rejects(bring(), /has the checksum .*; [0-9a-f]{64} was published/);
    served = archive;
    for (const without of [
      '',
      `${sum}  ${name}.tar.xz\n`,
      `${sum.slice(1)}  ${name}.tar.gz\n`,
      `${sums}${sums}`,
    ]) {
      sums = without;
      await assert.rejects(bring(), /SHASUMS256\.txt has [02] checksums/);
    }
    await assert.rejects(bring('9.9.9'), /404/);
  } finally {
    server.close();
    await rm(folder, { recursive: true });
  }
});
