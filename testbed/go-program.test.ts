import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildGoModule, GoProgress } from './plane/go-program.ts';
import { machineEnvironment, machineVariable } from './plane/machine.ts';

test('the output of go becomes a count of modules and packages', (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setInterval'] });
  const lines: string[] = [];
  const progress = new GoProgress((line) => lines.push(line));
  progress.hear('go: downloading k8s.io/api v0.36.3\ngo: downlo');
  progress.hear('ading k8s.io/utils v0.0.0\n');
  t.mock.timers.tick(10_000);
  progress.total = 3;
  progress.hear('errors\nk8s.io/api/core/v1\n# k8s.io/api\nwarning: something else\n');
  t.mock.timers.tick(10_000);
  progress.stop();
  t.mock.timers.tick(10_000);
  assert.deepEqual(lines, [
    '10 s: 2 modules downloaded, none compiled yet',
    '20 s: 2 modules downloaded, 2 of 3 packages compiled',
  ]);
});

test('a program is built once, and a build failure is reported', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'stellarctl-go-'));
  const before = process.env[machineVariable];
  const machine = machineEnvironment();
  // Go's own cache stays where it is.
  const GOCACHE = machine.GOCACHE ?? join(machine.XDG_CACHE_HOME || join(machine.HOME ?? '', '.cache'), 'go-build');
  process.env[machineVariable] = JSON.stringify({ ...machine, GOCACHE, XDG_CACHE_HOME: join(dir, 'cache') });
  t.after(async () => {
    if (before === undefined) delete process.env[machineVariable];
    else process.env[machineVariable] = before;
    await rm(dir, { recursive: true, force: true });
  });
  const module = join(dir, 'module');
  await mkdir(module);
  await writeFile(join(module, 'go.mod'), 'module example.com/small\n\ngo 1.26\n');
  await writeFile(join(module, 'main.go'), 'package main\n\nfunc main() {}\n');
  const lines: string[] = [];
  const small = { module, binaries: [{ name: 'small', package: '.' }], title: 'a small program', duration: 'a moment' };
  const build = () => buildGoModule(small, (line) => lines.push(line));
  const folder = await build();
  assert.ok(existsSync(join(folder, 'small')));
  assert.equal(await build(), folder);
  assert.deepEqual(
    lines.map((line) => line.replace(/\d+ s$/, 'N s')),
    ['building a small program, once for this machine: a moment', 'built in N s'],
  );
  await writeFile(join(module, 'main.go'), 'package main\n\nfunc main() { nothing() }\n');
  await assert.rejects(build(), /go build failed in [\s\S]*undefined: nothing/);
});
