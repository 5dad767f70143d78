import '../../support/environment.ts';
import assert from 'node:assert/strict';
import test from 'node:test';
import { commandNamed, program } from '../../support/program.ts';

test('accept waits unless --no-wait is given, and with --wait, as in clusteradm, also for a request', async () => {
  const waits = async (...words: string[]) => {
    const accept = commandNamed(await program(), ['accept']);
    accept.action(() => {}).parse(words, { from: 'user' });
    return accept.opts().wait;
  };
  assert.deepEqual(
    await Promise.all([waits('c1'), waits('c1', '--wait'), waits('c1', '--no-wait')]),
    [undefined, 'for-request', false],
  );
});
