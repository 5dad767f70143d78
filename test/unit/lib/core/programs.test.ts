import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Deadline } from '../../../../src/lib/core/deadline.ts';
import {
  findProgram,
  type Program,
  type ProgramRun,
  programFailed,
  requireProgram,
  runProgram,
} from '../../../../src/lib/core/program.ts';
import { assertGone, isAlive } from '../../../is-alive.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { failsWith } from '../../support/steps.ts';

const folder = temporaryFolder();

const tool: Program = {
  name: 'tool',
  minimum: '1.10.0',
  get: 'https://tool.example',
  versionArguments: ['version'],
};

function runWith({
  signal = new AbortController().signal,
  timeout = 60_000,
  terminationGraceMs = 15_000,
} = {}): ProgramRun {
  return {
    env: { PATH: `/nowhere:${folder}:/usr/bin:/bin`, ONLY: 'this' },
    deadline: new Deadline(timeout),
    sendSignal: process.kill,
    signal,
    terminationGraceMs,
  };
}

/** Puts a shell script on PATH under the tool's name. */
async function install(script: string) {
  const file = path.join(folder, 'tool');
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
}

const found = () => ({ ...tool, path: path.join(folder, 'tool'), version: '1.10.0' });

test('a program is found on PATH, with its version', async () => {
  await install('echo "tool v1.10.2 (old-library v0.1.0)"');
  assert.deepEqual(await findProgram(tool, runWith()), { ...found(), version: '1.10.2' });
  await chmod(path.join(folder, 'tool'), 0o644);
  assert.equal(await findProgram(tool, runWith()), undefined);
});

test('a missing or outdated program, or one without a version, is rejected with the way to install it', async () => {
  const refusal = (code: string, message: RegExp) =>
    failsWith({ code, message, steps: /https:\/\/tool\.example/ });
  await rm(path.join(folder, 'tool'), { force: true });
  await assert.rejects(
    requireProgram(tool, 'do the work', runWith()),
    refusal('program-missing', /tool is needed to do the work, and is not on PATH/),
  );
  await install('echo v1.9.9');
  await assert.rejects(
    requireProgram(tool, 'do the work', runWith()),
    refusal('program-too-old', /is 1\.9\.9; tool 1\.10\.0 or newer is needed to do the work/),
  );
  await install('echo v1.10.0; exit 3');
  await assert.rejects(
    requireProgram(tool, 'do the work', runWith()),
    refusal('program-too-old', /does not report/),
  );
});

test('no shell is used: a program gets its arguments unchanged, its input, and only the given environment', async () => {
  await install('printf "%s|" "$@"; cat; echo "|$ONLY|$HOME"; exit 4');
  const { stdout, exitCode } = await runProgram(runWith())(found(), {
    args: ['a b', '$(id)', ';'],
    input: 'secret',
  });
  assert.deepEqual([stdout, exitCode], ['a b|$(id)|;|secret|this|', 4]);
});

test('a failing program is quoted, without colours and credentials', () => {
  const stderr = [
    'walking…',
    '\u001b[31mtoken eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln was refused\u001b[0m',
    'asked https://user:pass@host/x with Bearer abcdefgh12345678',
    'Error: no way',
    '',
  ].join('\n');
  const error = programFailed(found(), ['get', 'values', 'x', '-n', 'y'], {
    exitCode: 1,
    stdout: '',
    stderr,
  });
  assert.equal(error.message, 'tool get values failed (exit code 1): no way');
  assert.deepEqual(error.details, [
    'walking…',
    'token <removed> was refused',
    'asked https://host/x with Bearer <removed>',
  ]);
  assert.equal(error.code, 'program-failed');
});

test('a run is logged without secret arguments, and without its input and output', async () => {
  await install('cat');
  const traced: string[] = [];
  const run = runProgram({ ...runWith(), trace: (line) => traced.push(line) });
  await run(found(), { args: ['login', '--password', 'hunter2'], input: 'hunter2' });
  assert.match(traced.join('\n'), /^tool login --password \(hidden\) 0 \d+ms$/);
});

test('on Ctrl-C a program is asked to end, and waited for', async () => {
  const farewell = path.join(folder, 'farewell');
  await install(
    `trap 'sleep 0.3; echo bye > ${farewell}; exit 0' TERM; echo started >&2; while :; do sleep 0.05; done`,
  );
  const interrupt = new AbortController();
  const running = runProgram(runWith({ signal: interrupt.signal }))(found(), { args: [] });
  await sleep(300);
  interrupt.abort();
  await assert.rejects(running, { code: 'interrupted' });
  assert.equal(await readFile(farewell, 'utf8'), 'bye\n');
});

test('a program on the terminal that dies of Ctrl-C is not a failure, even if its end is seen first', async () => {
  await install('kill -INT $$');
  const interrupt = new AbortController();
  const running = runProgram(runWith({ signal: interrupt.signal }));
  const outcome = running(found(), { args: [], isOnTerminal: true }).catch(
    ({ code }: { code: string }) => code,
  );
  await sleep(50);
  interrupt.abort();
  assert.equal(await outcome, 'interrupted');
  await assert.rejects(runProgram(runWith())(found(), { args: [], isOnTerminal: true }), {
    code: 'program-failed',
    message: /was killed by SIGINT/,
  });
});

test('at the deadline a program is ended, which is reported with its last output', async () => {
  await install('echo still thinking >&2; exec sleep 30');
  await assert.rejects(runProgram(runWith({ timeout: 1200 }))(found(), { args: ['think'] }), {
    code: 'timeout',
    message: 'tool think timed out.',
    details: ['still thinking'],
  });
});

test('a program that is ended early returns a result', async () => {
  await install('exec sleep 30');
  const stop = new AbortController();
  const running = runProgram(runWith())(found(), { args: [], stop: stop.signal });
  stop.abort();
  assert.notEqual((await running).exitCode, 0);
});

describe('a wrapper program is a process group with its child, which keeps its streams open, and', () => {
  const pidFile = () => path.join(folder, 'pid');
  /** The child runs for a minute. */
  const shortOfItsChild = 30_000;

  /** Runs the wrapper until its child runs. @param how the child is started @returns the run, and the child's process ID */
  async function start(how: string, run: Parameters<typeof runWith>[0]) {
    await rm(pidFile(), { force: true });
    await install(
      `${how} sh -c 'echo $$ > ${pidFile()}.new; mv ${pidFile()}.new ${pidFile()}; exec sleep 60'\ntrue`,
    );
    const started = Date.now();
    const outcome = runProgram(runWith(run))(found(), { args: ['think'] }).then(
      () => 'done',
      ({ code }) => code as string,
    );
    const took = outcome.then(() => Date.now() - started);
    let pid = 0;
    while (pid === 0) {
      await sleep(20);
      pid = Number(await readFile(pidFile(), 'utf8').catch(() => ''));
    }
    return { outcome, took, pid };
  }

  test('is ended with the child on Ctrl-C', async () => {
    const interrupt = new AbortController();
    const { outcome, pid } = await start('', { signal: interrupt.signal });
    const asked = Date.now();
    interrupt.abort();
    assert.equal(await outcome, 'interrupted');
    assert.ok(Date.now() - asked < shortOfItsChild);
    await assertGone(pid);
  });

  test('is ended with the child at the deadline', async () => {
    const { outcome, took, pid } = await start('', { timeout: 1500 });
    assert.equal(await outcome, 'timeout');
    assert.ok((await took) < shortOfItsChild);
    await assertGone(pid);
  });

  test('is killed with the child if they do not end on request', async () => {
    const { outcome, took, pid } = await start("trap '' TERM;", {
      timeout: 1500,
      terminationGraceMs: 500,
    });
    assert.equal(await outcome, 'timeout');
    assert.ok((await took) < shortOfItsChild);
    await assertGone(pid);
  });

  test('is no longer waited for if the child cannot be ended', async () => {
    const { outcome, took, pid } = await start('setsid', {
      timeout: 1500,
      terminationGraceMs: 500,
    });
    try {
      assert.equal(await outcome, 'timeout');
      assert.ok((await took) < shortOfItsChild);
      assert.equal(isAlive(pid), true);
    } finally {
      process.kill(pid);
    }
  });
});
