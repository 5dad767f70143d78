import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { wordsOf } from '../../../../src/commands/doctor/fix.ts';
import {
  advice,
  asCalled,
  callProgram,
  command,
  commandOf,
  run,
  stepLines,
} from '../../../../src/lib/core/next-step.ts';

test('an empty list leaves no gap', () => {
  assert.equal(command`stellarctl wec get c1 ${[]} -o json`, 'stellarctl wec get c1 -o json');
  assert.equal(command`stellarctl wec get c1 ${[]}`, 'stellarctl wec get c1');
});

test('a shell parses every word unchanged', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ unit: 'binary' }).filter((word) => !word.includes('\0') && word.isWellFormed()),
      ),
      (words) => {
        const line = command`printf '%s\\0' ${words} end`;
        const output = execFileSync('/bin/sh', ['-c', line], { encoding: 'utf8' });
        assert.deepEqual(output.split('\0').slice(0, -1), [...words, 'end']);
        assert.deepEqual(wordsOf(line).slice(2), [...words, 'end']);
      },
    ),
    { numRuns: 100 },
  );
});

test('a plugin of kubectl suggests its own command name, and changes nothing else', (t) => {
  t.after(() => callProgram('stellarctl'));
  callProgram('kubectl stellar');
  assert.equal(
    asCalled(command`stellarctl its use ${'stellarctl its'} stellarctl `),
    "kubectl stellar its use 'stellarctl its' stellarctl ",
  );
  const steps = [run('stellarctl wec list', 'stellarctl its'), advice('stellarctl wec list')];
  assert.deepEqual(stepLines(steps), [
    'stellarctl its: kubectl stellar wec list',
    'stellarctl wec list',
  ]);
  assert.equal(commandOf(steps), 'kubectl stellar wec list');
});
