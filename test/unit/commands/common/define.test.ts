import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { defineCommand } from '../../../../src/commands/common/define.ts';
import { fakeIo } from '../../support/fake-io.ts';

afterEach(() => {
  process.exitCode = 0;
});

/** How a command with these arguments ends, and which of them it received. */
async function ran(...given: string[]) {
  const { io } = fakeIo({ argv: given });
  const runs: string[][] = [];
  await defineCommand(io, 'delete', {
    description: 'd',
    timeout: '1s',
    examples: [],
    arguments: [['[names...]', 'the names']],
    run: async (_session, _options, positional) => void runs.push(positional),
  }).parseAsync(given, { from: 'user' });
  return { exitCode: process.exitCode, runs };
}

test('an empty argument, as from an unset variable of a script, is rejected', async () => {
  assert.deepEqual(await ran('a', 'b'), { exitCode: 0, runs: [['a', 'b']] });
  assert.deepEqual(await ran('a', ''), { exitCode: 2, runs: [] });
});
