import assert from 'node:assert/strict';
import test from 'node:test';
import { Command, Option } from 'commander';
import { hiddenSpelling } from '../../../../src/commands/common/options.ts';
import { commandNamed, program } from '../../support/program.ts';

test('an earlier spelling of an option works, but help does not show it', () => {
  const parsed = (...words: string[]) => {
    const colour = new Option('--colour <name>', 'a colour').choices(['red', 'blue']);
    const loud = new Option('--loud', 'be loud');
    const command = new Command('x')
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
      .addOption(colour)
      .addOption(hiddenSpelling('--color <name>', colour))
      .addOption(loud)
      .addOption(hiddenSpelling('--aloud', loud))
      .parse(words, { from: 'user' });
    assert.doesNotMatch(command.helpInformation(), /--color|--aloud/);
    return command.opts();
  };
  assert.deepEqual(parsed('--colour', 'red', '--loud'), { colour: 'red', loud: true });
  assert.deepEqual(parsed('--color', 'red', '--aloud'), { colour: 'red', loud: true });
  assert.throws(() => parsed('--color', 'green'), /Allowed choices are red, blue/);
});

test('accept waits unless --no-wait is given, and with --wait, as in clusteradm, also for a request', async () => {
  const waits = async (...words: string[]) => {
    const accept = commandNamed(await program(), ['accept']);
    accept.action(() => {}).parse(words, { from: 'user' });
    return accept.opts().wait;
  };
  assert.deepEqual(await Promise.all([waits('c1'), waits('c1', '--wait'), waits('c1', '--no-wait')]), [
    undefined,
    'for-request',
    false,
  ]);
});
