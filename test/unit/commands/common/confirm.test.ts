import assert from 'node:assert/strict';
import { test } from 'node:test';
import { confirmLoss } from '../../../../src/commands/common/confirm.ts';
import type { Session } from '../../../../src/commands/common/session.ts';
import { recordingProgress } from '../../support/builders.ts';
import { fakeIo } from '../../support/fake-io.ts';

/** What would be lost, per read. */
function destroying(looks: string[][], yes: boolean) {
  const progress = recordingProgress();
  const shown: string[][] = [];
  const session = { io: fakeIo().io, progress, run: { signal: new AbortController().signal } } as unknown as Session;
  const confirmed = confirmLoss(session, {
    read: async () => looks.shift() ?? assert.fail('one look too many'),
    show: (seen) => shown.push(seen),
    losses: (seen) => seen,
    confirmations: () => [{ verb: 'Delete', doing: 'Deleting', name: 'x', yes }],
  });
  return { confirmed, shown };
}

test('evidence is read again after the confirmation', async () => {
  const { confirmed, shown } = destroying([['a', 'b'], ['b']], true);
  assert.deepEqual(await confirmed, ['b']);
  assert.deepEqual(shown, [['a', 'b']]);
});

test('with --yes the command is refused if more would be lost by then', async () => {
  const { confirmed } = destroying([['a'], ['a', 'b']], true);
  await assert.rejects(confirmed, (error: { code: string; message: string; details: string[] }) => {
    assert.equal(error.code, 'not-confirmed');
    assert.match(error.message, /More would be lost now.*Nothing was written/);
    assert.deepEqual(error.details, ['b']);
    return true;
  });
});

test('a dry run and a command without confirmation read once', async () => {
  const session = (dryRun: boolean) => ({ progress: recordingProgress(), run: { dryRun } }) as unknown as Session;
  const once = { read: async () => [], show: () => {}, losses: () => [], confirmations: () => [] };
  assert.deepEqual(await confirmLoss(session(false), once), []);
  const confirmations = () => [{ verb: 'Delete', doing: 'Deleting', name: 'x', yes: false }];
  assert.deepEqual(await confirmLoss(session(true), { ...once, confirmations }), []);
});
