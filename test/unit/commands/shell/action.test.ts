import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { action } from '../../../../src/commands/shell/action.ts';
import { defineCommand } from '../../../../src/commands/shell/options.ts';
import { fakeIo } from '../../support/fake-io.ts';

afterEach(() => {
  process.exitCode = 0;
});

/** How a command with these arguments ends, and which of them it received. */
async function ran(...given: string[]) {
  const { io } = fakeIo({ argv: given });
  const runs: string[][] = [];
  const definition = { summary: 's', description: 'd', timeout: '1s', examples: [] };
  await defineCommand('delete', definition)
    .argument('[names...]')
    .action(action(io, async (_session, _options, positional) => void runs.push(positional)))
    .parseAsync(given, { from: 'user' });
  return { exitCode: process.exitCode, runs };
}

test('an empty argument, as from an unset variable of a script, is rejected', async () => {
  assert.deepEqual(await ran('a', 'b'), { exitCode: 0, runs: [['a', 'b']] });
  assert.deepEqual(await ran('a', ''), { exitCode: 2, runs: [] });
});
