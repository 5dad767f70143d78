import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { constants } from 'node:os';
import { test } from 'node:test';
import { watchOutput } from '../../../../src/commands/terminal/lost-output.ts';
import { FakeStream } from '../../support/fake-io.ts';

/** A process whose streams fail on request. */
function fakeProcess() {
  const [stdout, stderr] = [new FakeStream(), new FakeStream()];
  const fake = Object.assign(new EventEmitter(), {
    stdout,
    stderr,
    exitCode: 0 as number | undefined,
  });
  const isLost = watchOutput(fake as unknown as Parameters<typeof watchOutput>[0]);
  const fail = (stream: FakeStream, code: 'ENOSPC' | 'EPIPE' | 'EIO') =>
    stream.emit(
      'error',
      Object.assign(new Error(`write ${code}`), { code, errno: -constants.errno[code] }),
    );
  const end = (code: number) => {
    fake.exitCode = code;
    fake.emit('exit', code);
    return fake.exitCode;
  };
  return { stdout, stderr, isLost, fail, end };
}

test('results that cannot be written are reported once, and never exit with 0', () => {
  const { stdout, stderr, isLost, fail, end } = fakeProcess();
  fail(stdout, 'ENOSPC');
  fail(stdout, 'ENOSPC');
  assert.equal(stderr.text, '✗ The results cannot be written: no space left on device.\n');
  assert.equal(isLost(), true);
  assert.equal(end(0), 1);
});

test('an earlier failure keeps its exit code', () => {
  const { stdout, fail, end } = fakeProcess();
  fail(stdout, 'EIO');
  assert.equal(end(4), 4);
});

test('a reader that closes early is not a failure', () => {
  const { stdout, stderr, isLost, fail, end } = fakeProcess();
  fail(stdout, 'EPIPE');
  assert.deepEqual([stderr.text, isLost(), end(0)], ['', true, 0]);
});

test('a command finishes its work without stderr', () => {
  const { stderr, isLost, fail, end } = fakeProcess();
  fail(stderr, 'EPIPE');
  fail(stderr, 'ENOSPC');
  assert.deepEqual([isLost(), end(0)], [false, 0]);
});
