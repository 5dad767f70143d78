import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitCodeOf } from '../../../../src/commands/doctor/doctor.ts';
import { stellarctl } from '../../../stellarctl.ts';
import { commandNamed, program } from '../../support/program.ts';

test('doctor --fix --wait exits with 1 if a fix failed, and with 3 only if the wait was in vain', () => {
  const ended = { isHealthy: false, hasFailed: false, wait: true };
  assert.equal(exitCodeOf({ ...ended, hasFailed: true }), 1);
  assert.equal(exitCodeOf(ended), 3);
  assert.equal(exitCodeOf({ ...ended, wait: false }), 1);
  assert.equal(exitCodeOf({ ...ended, isHealthy: true }), 0);
  assert.equal(exitCodeOf({ ...ended, isHealthy: true, hasFailed: true }), 1);
});

test('doctor --pre checks clusters to register, and finds their contexts first', async () => {
  for (const named of [['c1=ctx'], ['c1', '--wec-context', 'ctx']]) {
    const { exitCode, stderr } = await stellarctl(['doctor', '--pre', ...named], { env: { KUBECONFIG: '/nowhere' } });
    assert.equal(exitCode, 2);
    assert.match(String(stderr), /ctx/);
  }
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
  const grant = await parsed(['wec', 'grant'], '--rule', 'a', 'c1');
  assert.deepEqual([grant.positional, grant.options.rule], ['c1', ['a']]);
  const all = (command: typeof root): string[] => [
    ...command.options.filter(({ variadic }) => variadic).map(({ flags }) => `${command.name()} ${flags}`),
    ...command.commands.flatMap(all),
  ];
  assert.deepEqual(all(root), []);
});
