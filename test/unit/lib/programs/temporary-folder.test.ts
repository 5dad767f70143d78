import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { makeTemporaryFolder } from '../../../../src/lib/programs/temporary-folder.ts';

const tmpdirBefore = process.env.TMPDIR;
const root = mkdtempSync(path.join(tmpdir(), 'stellarctl-unit-'));
before(() => {
  process.env.TMPDIR = root;
});
after(() => {
  if (tmpdirBefore === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = tmpdirBefore;
  rmSync(root, { recursive: true });
});

test('a folder is private; those of killed processes are removed, and nothing else', async () => {
  const own = await makeTemporaryFolder('helm', process.kill);
  assert.equal(statSync(own).mode & 0o777, 0o700);
  const { pid: dead } = spawnSync('true');
  const named = (purpose: string, pid: number | undefined, rest = 'abcDEF') =>
    own.replace(/helm-(.*)-\d+-\w+$/, `${purpose}-$1-${pid}-${rest}`);
  const put = (folder: string) => {
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'kubeconfig'), 'secret');
    return folder;
  };
  const abandoned = [put(named('helm', dead)), put(named('local', dead))];
  const kept = [
    own,
    put(named('local', process.pid)),
    put(named('local', process.ppid)),
    put(named('unit', dead)),
    put(path.join(root, `stellarctl-local-another-machine-${dead}-abcDEF`)),
    put(path.join(root, 'stellarctl-local-abcDEF')),
  ];
  const elsewhere = put(path.join(root, 'elsewhere'));
  symlinkSync(elsewhere, named('helm', dead, 'link12'));
  const next = await makeTemporaryFolder('local', process.kill);
  assert.deepEqual(abandoned.filter(existsSync), []);
  assert.deepEqual(
    [...kept, path.join(elsewhere, 'kubeconfig'), next].filter((folder) => !existsSync(folder)),
    [],
  );
});

/** Creates a folder in a separate process that keeps running. @param wrapper what runs the process */
async function makeElsewhere(context: TestContext, ...wrapper: string[]) {
  const module = new URL('../../../../src/lib/programs/temporary-folder.ts', import.meta.url);
  const script = `import { makeTemporaryFolder } from '${module}';
    console.log(await makeTemporaryFolder('helm', process.kill));
    setInterval(() => {}, 1000);`;
  const [program = '', ...args] = [...wrapper, process.execPath, '--input-type=module', '-e', script];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    process.kill(-(child.pid as number), 'SIGKILL');
    await once(child, 'exit');
  };
  context.after(kill);
  return { folder: String(line).trim(), kill };
}

test('leftovers of a killed run are removed by the next one, but not those of a live run', async (t) => {
  const { folder, kill } = await makeElsewhere(t);
  await makeTemporaryFolder('helm', process.kill);
  assert.ok(existsSync(folder), folder);
  await kill();
  await makeTemporaryFolder('helm', process.kill);
  assert.ok(!existsSync(folder), folder);
});

const inContainer = ['unshare', '--pid', '--fork', '--kill-child', 'sh', '-c'];
/** Gives the next process of a container an ID that no process of this machine has. */
const asDead = (pid: number) => `echo ${pid - 1} > /proc/sys/kernel/ns_last_pid && "$@"`;
const skip = spawnSync('unshare', [...inContainer.slice(1), asDead(1000)]).status === 0 ? false : 'it takes root';
test('a run in a container that shares the folder and the host name is not touched', {
  skip,
}, async (t) => {
  const { pid: dead } = spawnSync('true');
  const { folder } = await makeElsewhere(t, ...inContainer, asDead(dead), 'sh');
  assert.match(folder, new RegExp(`-${dead}-\\w+$`));
  await makeTemporaryFolder('helm', process.kill);
  assert.ok(existsSync(folder), folder);
});
