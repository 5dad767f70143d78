import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startAsPlugin } from '../../stellarctl.ts';
import type { Cli } from '../support/harness.ts';
import { colour, movement, shown, spinner } from '../support/screen.ts';
import { enterPlanes, leaveBed } from '../support/shared-bed.ts';

let cli: Cli;

before(async () => {
  ({ cli } = await enterPlanes('its1', 'cluster1'));
});

after(() => leaveBed(cli));

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
    assert.match(lines[0] ?? '', /^ITS its1 \(https:\S+\) · OCM 1\.0\.1 · agents will use/);
    assert.match(lines.at(-2) ?? '', /^ {2}cluster1 {2}✓ joined and available {3}\d+\.\ds$/);
    assert.equal(lines.at(-1), 'Next: stellarctl wec list --its its1');
    // The first line is broken at its words.
    assert.deepEqual(lines.slice(1, -2), ['(kube-public/cluster-info)'], lines.join('\n'));
  });

  it('the cursor is restored at the end', () => {
    assert.ok(
      screen.lastIndexOf('\u001b[?25h') > screen.lastIndexOf('\u001b[?25l'),
      JSON.stringify(screen.slice(-200)),
    );
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
});
