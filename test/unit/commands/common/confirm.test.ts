import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type Confirmation, confirm, confirming } from '../../../../src/commands/common/confirm.ts';
import type { Session } from '../../../../src/commands/common/session.ts';
import { Deadline } from '../../../../src/lib/core/deadline.ts';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { readConfirmed } from '../../../../src/lib/core/read-confirmed.ts';
import { recordingProgress } from '../../support/builders.ts';
import { fakeIo } from '../../support/fake-io.ts';
import { sessionWith } from '../../support/session.ts';

/** What would be lost, per read. */
function destroying(looks: string[][], yes: boolean) {
  const shown: string[][] = [];
  const { session } = sessionWith({ yes });
  const confirmed = readConfirmed<string[]>({
    read: async () => looks.shift() ?? assert.fail('one look too many'),
    effects: (seen) => seen.map((object) => ({ object })),
    confirm: confirming(session, {
      show: (seen) => shown.push(seen),
      confirmations: () => [{ verb: 'Delete', name: 'x' }],
    }),
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

test('--yes covers errors of a preview only with --allow-errors', async () => {
  const asked = { verb: 'Create', name: 'x', errors: ['It selects no WEC.'] };
  // People have seen them in the preview, scripts and who is quiet have not.
  for (const [more, details] of [
    [{}, []],
    [{ quiet: true }, asked.errors],
    [{ output: 'json' }, asked.errors],
  ] as const)
    await assert.rejects(confirm(sessionWith({ yes: true, ...more }).session, asked), {
      code: 'not-confirmed',
      message: 'The preview shows errors. Nothing was written.',
      details,
    });
  await confirm(sessionWith({ yes: true, allowErrors: true }).session, asked);
});

test('--yes covers neither what is unknown nor more WECs than one or a tenth of them', async () => {
  const confirmedAs = (more: Partial<Confirmation>, yes = true) =>
    confirm(sessionWith({ yes }).session, { verb: 'Change', name: 'x', ...more }).then(
      () => '',
      ({ code, message }) => `${code}: ${message}`,
    );
  const of = (wecs: number, of: number, max?: number) =>
    confirmedAs({ removals: { wecs, of, max } });
  assert.equal(await of(1, 3), '');
  assert.equal(await of(2, 3), 'not-confirmed: 2 WECs would lose objects, more than 1.');
  assert.equal(await of(2, 19), 'not-confirmed: 2 WECs would lose objects, more than 1.');
  assert.equal(await of(3, 30), '');
  assert.equal(await of(3, 30, 2), 'not-confirmed: 3 WECs would lose objects, more than 2.');
  assert.equal(await of(30, 30, 30), '');
  const error = new StellarError('forbidden', 'Not allowed to list secrets.');
  const unknown = [{ what: 'secrets', why: 'Not allowed to list secrets', error }];
  const why =
    'It is unknown what WECs would lose: secrets could not be read: Not allowed to list secrets.';
  for (const yes of [true, false])
    assert.equal(await confirmedAs({ unknown }, yes), `loss-unknown: ${why} Nothing was written.`);
  assert.equal(new StellarError('loss-unknown', '').exitCode, 4);
});

test('a dry run and a command without confirmation read once', async () => {
  const read = (dryRun: boolean, confirmations: () => Confirmation[]) =>
    readConfirmed({
      ...{ read: async () => [], effects: () => [] },
      confirm: confirming(sessionWith({ dryRun }).session, { show: () => {}, confirmations }),
    });
  assert.deepEqual(await read(false, () => []), []);
  assert.deepEqual(await read(true, () => [{ verb: 'Delete', name: 'x' }]), []);
});

test('the time that the user takes to answer does not count', async (t) => {
  let seconds = 0;
  t.mock.method(process, 'uptime', () => seconds);
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const { io, stderr } = fakeIo({ tty: true });
  const deadline = new Deadline(60_000);
  const run = { signal: new AbortController().signal, deadline };
  const session = {
    ...{ io: { ...io, stdin }, run, options: {} },
    progress: { ...recordingProgress(), stop: () => {}, resume: () => {} },
  } as unknown as Session;
  seconds = 20;
  const confirmed = confirm(session, { verb: 'Delete', name: 'x' });
  while (!stderr.text.includes('Type its name')) await setImmediate();
  seconds += 3600;
  stdin.write('x\n');
  await confirmed;
  assert.equal(deadline.remaining, 40_000);
});
