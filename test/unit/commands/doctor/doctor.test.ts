import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doctorExitCode } from '../../../../src/commands/doctor/doctor.ts';
import { describeExamined } from '../../../../src/commands/doctor/show.ts';
import { type Finding, skipped } from '../../../../src/lib/core/checks.ts';
import type { Examined } from '../../../../src/lib/doctor/subject.ts';
import { plain } from '../../support/fake-io.ts';
import { commandNamed, program, runHere } from '../../support/program.ts';

test('doctor --fix --wait exits with 1 if a fix failed, and with 3 only if the wait was in vain', () => {
  assert.equal(doctorExitCode(false, true, true), 1);
  assert.equal(doctorExitCode(false, false, true), 3);
  assert.equal(doctorExitCode(false, false, false), 1);
  assert.equal(doctorExitCode(true, false, true), 0);
  assert.equal(doctorExitCode(true, true, true), 1);
});

test('doctor --pre refuses an ITS that it would not look at', async () => {
  const { exitCode, stderr } = await runHere(['doctor', '--pre', '--its', 'nope'], {});
  assert.equal(exitCode, 2);
  assert.match(stderr, /--its is for a join/);
});

test('a part of which nothing was checked has no tick, and is nothing wrong', () => {
  const finding: Finding = {
    id: 'hosting',
    title: 'it is a hosting cluster',
    ...skipped('KubeStellar is not installed on it'),
  };
  const examined: Examined[] = [{ subject: { kind: 'hosting', name: 'h' }, findings: [finding] }];
  const lines = (extent: 'sections' | 'wrong') =>
    describeExamined(examined, plain, extent).map((line) => line.trim());
  assert.match(
    lines('sections')[0] ?? '',
    /^- hosting cluster h +0 of 1 checks passed, skipped: hosting$/,
  );
  assert.deepEqual(lines('wrong'), ['No problems found.']);
});

test('no option takes the arguments that follow its value', async () => {
  const root = await program();
  const parsed = async (path: string[], ...words: string[]) => {
    const command = commandNamed(await program(), path);
    const given: unknown[] = [];
    command.action((...all) => void given.push(...all)).parse(words, { from: 'user' });
    return { positional: given[0], options: command.opts() };
  };
  const doctor = await parsed(['doctor'], '--skip', 'a', 'c1=ctx', '--skip', 'b');
  assert.deepEqual([doctor.positional, doctor.options.skip], [['c1=ctx'], ['a', 'b']]);
  const revoke = await parsed(['wec', 'revoke'], '--rule', 'a', 'c1');
  assert.deepEqual([revoke.positional, revoke.options.rule], [['c1'], ['a']]);
  const all = (command: typeof root): string[] => [
    ...command.options
      .filter(({ variadic }) => variadic)
      .map(({ flags }) => `${command.name()} ${flags}`),
    ...command.commands.flatMap(all),
  ];
  assert.deepEqual(all(root), []);
});
