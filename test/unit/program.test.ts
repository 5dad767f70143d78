import './support/environment.ts';
import assert from 'node:assert/strict';
import test from 'node:test';
import { commandNamed, program } from './support/program.ts';

test('the help of the program is the same if no command is defined', async () => {
  const whole = await program();
  const outline = await program([]);
  assert.ok(commandNamed(whole, ['wec', 'join']).options.length > 0);
  assert.deepEqual(commandNamed(outline, ['wec']).commands, []);
  assert.equal(outline.helpInformation(), whole.helpInformation());
});

test('what a command line names is defined, by its name or alias', async () => {
  for (const line of [
    ['help', 'wec', 'list'],
    ['wec', 'ls'],
  ]) {
    const wec = commandNamed(await program(line), ['wec']);
    const defined = wec.commands
      .filter(({ options }) => options.length > 0)
      .map((command) => command.name());
    assert.deepEqual(defined, ['list']);
    assert.deepEqual(
      wec.commands.flatMap((command) => command.aliases()),
      ['ls'],
    );
  }
});

test('each command has the name of its entry', async () => {
  const whole = await program();
  const outline = await program(
    whole.commands.filter(({ commands }) => commands.length > 0).map((group) => group.name()),
  );
  for (const group of whole.commands)
    if (group.commands.length > 0)
      assert.equal(
        commandNamed(outline, [group.name()]).helpInformation(),
        group.helpInformation(),
      );
});

test('shortcuts are described as what they are short for', async () => {
  const root = await program();
  for (const name of ['accept', 'label', 'deregister']) {
    const [short, full] = [commandNamed(root, [name]), commandNamed(root, ['wec', name])];
    assert.equal(short.summary(), `${full.summary()} (wec ${name})`);
    assert.equal(short.description(), `${full.description()} The same as \`wec ${name}\`.`);
    assert.deepEqual(
      short.options.map(({ flags }) => flags),
      full.options.map(({ flags }) => flags),
    );
  }
});

test('a deadline in which no server can answer is refused', async () => {
  const timeout = commandNamed(await program(), ['wec', 'list']).options.find(
    ({ long }) => long === '--timeout',
  );
  assert.throws(() => timeout?.parseArg?.('1ms', undefined), { code: 'commander.invalidArgument' });
  assert.deepEqual(
    ['0', '1s'].map((text) => timeout?.parseArg?.(text, undefined)),
    [0, 1000],
  );
});
