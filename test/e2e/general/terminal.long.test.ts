import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Bed, type Plane, wipeWec } from '../../../testbed/index.ts';
import { startAsPlugin } from '../../stellarctl.ts';
import { Cli } from '../support/harness.ts';
import { contextsOf } from '../support/registration.ts';
import { colour, drawnLines, movement, shown, spinner } from '../support/screen.ts';
import { enterBed, leaveBed } from '../support/shared-bed.ts';

let bed: Bed;
let cli: Cli;
let its1: Plane;
let cluster1: Plane;

before(async () => {
  bed = await enterBed([{ name: 'its1', hub: true }, { name: 'cluster1' }]);
  [its1, cluster1] = [bed.plane('its1'), bed.plane('cluster1')];
  cli = await Cli.create(await contextsOf(its1, cluster1));
});

after(async () => {
  await cli?.remove();
  await leaveBed();
});

const join = ['wec', 'join', 'cluster1', '--accept'];

describe('on a terminal', () => {
  let screen: string;

  before(async () => {
    const run = await cli.runOnTerminal(join);
    assert.equal(run.exitCode, 0, run.screen);
    screen = run.screen;
  });

  it('join shows a spinner with what it waits for', () => {
    assert.match(screen, spinner);
    assert.match(screen, colour);
    assert.match(screen, movement);
  });

  it('the spinner is removed: the ITS, a ✓ line with the duration, and the next command remain', () => {
    const lines = shown(screen);
    assert.match(lines[0] ?? '', /^ITS its1 \(https:\S+\) · OCM 1\.0\.0 · agents will use/);
    assert.match(lines.at(-2) ?? '', /^ {2}cluster1 {2}✓ joined and available {3}\d+\.\ds$/);
    assert.equal(lines.at(-1), 'Next: stellarctl wec list --its its1');
    assert.equal(lines.length, 3, lines.join('\n'));
  });

  it('the cursor is restored at the end', () => {
    assert.ok(
      screen.lastIndexOf('\u001b[?25h') > screen.lastIndexOf('\u001b[?25l'),
      JSON.stringify(screen.slice(-200)),
    );
  });

  it('a quick command shows no spinner', async () => {
    await cli.succeed(['its', 'use', 'its1']);
    const { screen: quick } = await cli.runOnTerminal(['its', 'use']);
    assert.doesNotMatch(quick, spinner);
  });

  it('NO_COLOR removes the colour and nothing else', async () => {
    const run = await cli.runOnTerminal(join, { env: { NO_COLOR: '1' } });
    assert.equal(run.exitCode, 0);
    assert.doesNotMatch(run.screen, colour);
    assert.match(run.screen, /✓ is registered with its1 and available; nothing to do\./);
  });

  it('--color never does the same, and --color always colours a pipe', async () => {
    const { screen: plain } = await cli.runOnTerminal([...join, '--color', 'never']);
    assert.doesNotMatch(plain, colour);
    const { stderr } = await cli.run(['wec', 'join', 'cluster1', '--mode', 'Default', '--color', 'always']);
    assert.match(stderr, colour);
  });

  it('CI=true and TERM=dumb give plain lines', async () => {
    for (const env of [{ CI: 'true' }, { TERM: 'dumb' }]) {
      const run = await cli.runOnTerminal(join, { env: env as Record<string, string> });
      assert.doesNotMatch(run.screen, spinner);
      assert.doesNotMatch(run.screen, movement);
      assert.match(run.screen, /^cluster1: is registered with its1 and available; nothing to do\.\r?$/m);
    }
  });

  it('-q shows only results and errors', async () => {
    const run = await cli.runOnTerminal([...join, '-q']);
    assert.deepEqual(shown(run.screen), ['cluster1: is registered with its1 and available; nothing to do.']);
  });
});

describe('on a terminal of 40 columns', () => {
  it('no spinner line is wider than the terminal, and the spinner is removed', async () => {
    await wipeWec(its1, cluster1, 'cluster1');
    const run = await cli.runOnTerminal(join, { columns: 40 });
    assert.equal(run.exitCode, 0, run.screen);
    const moving = drawnLines(run.screen).filter((line) => spinner.test(line));
    assert.ok(moving.length > 0, 'there was a spinner');
    for (const line of moving) assert.ok(line.length <= 40, `${line.length}: ${line}`);
    assert.equal(shown(run.screen).filter((line) => spinner.test(line)).length, 0);
  });
});

describe('as a kubectl plugin', () => {
  const asPlugin = { start: startAsPlugin };

  it('usage says kubectl stellar everywhere', async () => {
    for (const line of [['--help'], ['wec', '--help'], ['wec', 'join', '--help']]) {
      const { stdout } = await cli.succeed(line, asPlugin);
      assert.match(stdout, /^Usage: kubectl stellar /m);
      assert.doesNotMatch(stdout, /stellarctl/);
    }
    const { stdout } = await cli.succeed(['--help'], asPlugin);
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, `too wide: ${line}`);
  });

  it('usage errors say kubectl stellar', async () => {
    const run = await cli.run(['wec', 'join', '--nonsense'], asPlugin);
    assert.equal(run.exitCode, 2);
    assert.match(run.stderr, /See: kubectl stellar wec join --help/);
    assert.doesNotMatch(run.stderr, /stellarctl/);
    const misspelt = await cli.run(['int'], asPlugin);
    assert.equal(misspelt.stderr, "✗ unknown command 'int'\n  (Did you mean init?)\n  See: kubectl stellar --help\n");
  });

  it('hints in JSON documents say kubectl stellar', async () => {
    const run = await cli.run(['wec', 'join', 'mine=its1', '-o', 'json'], asPlugin);
    const { items, error } = run.json();
    assert.match((error ?? items[0].error).steps.join('\n'), /kubectl stellar wec join mine=CONTEXT/);
  });
});
