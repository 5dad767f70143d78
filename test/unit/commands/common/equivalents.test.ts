import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { equivalentOf, equivalents } from '../../../../src/commands/common/equivalents.ts';
import { commandNamed, program } from '../../support/program.ts';

describe('commands of other programs', async () => {
  const root = await program();
  for (const [typed, ...here] of equivalents) {
    const answers = here.filter((answer) => answer.startsWith('stellarctl '));
    test(`${typed} suggests existing commands`, () => {
      for (const answer of answers) {
        const words = answer.split(' ').slice(1);
        const command = commandNamed(root, words);
        const options = words
          .filter((word) => word.startsWith('--'))
          .map((word) => word.split('=')[0]);
        const known = command.options.flatMap(({ long }) => long ?? []);
        assert.ok(
          options.every((option) => known.includes(option ?? '')),
          `${answer}: has only ${known.join(' ')}`,
        );
        assert.equal(command.commands.length > 0, command === root, answer);
      }
    });
    test(`${typed} has no equivalent`, () => {
      const [word = ''] = typed.split(' ');
      assert.ok(!root.commands.some((command) => command.name() === word));
    });
  }

  test('use the longest match', () => {
    const answer = (line: string) =>
      equivalentOf(line.split(' ')[0] ?? '', line.split(' '))?.join('\n');
    assert.equal(answer('get clusters'), 'Use: stellarctl wec list');
    assert.match(answer('get cluster1') ?? '', /wec get NAME\nOr: stellarctl its get NAME/);
    assert.equal(answer('nonsense'), undefined);
    assert.equal(equivalentOf('clean', ['wec', 'clean']), undefined);
    assert.deepEqual(equivalentOf('describe', ['wds', 'describe']), [
      'Use: stellarctl wds get NAME',
    ]);
    for (const [words, here] of [
      [['unjoin'], 'stellarctl deregister NAME=CONTEXT --cleanup'],
      [['wec', 'rm'], 'stellarctl deregister NAME=CONTEXT --cleanup'],
      [['policy', 'remove'], 'stellarctl policy delete NAME'],
      [['workload', 'rm'], 'kubectl --context WDS delete KIND NAME'],
      [['logs'], 'stellarctl workload logs KIND/NAME'],
    ] as const)
      assert.deepEqual(equivalentOf(words.at(-1) ?? '', words), [`Use: ${here}`]);
    assert.match(equivalentOf('edit', ['policy', 'edit'])?.[1] ?? '', /policy apply -f FILE/);
    assert.match(
      equivalentOf('--context', ['wec', 'list', '--context=its1'])?.[0] ?? '',
      /--its CONTEXT/,
    );
  });
});
