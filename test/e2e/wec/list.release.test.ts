import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { type Bed, type Plane, resources, startBed, writeKubeconfig } from '../../../testbed/index.ts';
import { inShell, start } from '../../stellarctl.ts';
import { Cli, type CliRun } from '../support/harness.ts';
import { announce, announceMany, ask, askAgain, registered } from '../support/pretended-agents.ts';

let bed: Bed;
let cli: Cli;
let hub: Plane;
/** A --watch without --timeout, from the start. */
let watch: { started: number; ended: Promise<CliRun>; interrupt: () => void };

before(async () => {
  bed = await startBed({ planes: [{ name: 'its1', hub: true }] });
  hub = bed.plane('its1');
  cli = await Cli.create(
    await writeKubeconfig(hub, [
      hub.kubeconfigEntry,
      { ...hub.kubeconfigEntry, context: 'other', cluster: 'other', user: 'other' },
    ]),
  );
  let interrupt = () => {};
  const onStart = (kill: (signal: NodeJS.Signals) => void) => {
    interrupt = () => kill('SIGINT');
  };
  const ended = cli.run(['wec', 'list', '--watch'], { onStart });
  watch = { started: Date.now(), ended, interrupt: () => interrupt() };
});

after(async () => {
  watch?.interrupt();
  await cli?.remove();
  await bed?.stop();
});

const mine = ['-l', 'test=list'];
const many = ['-l', 'test=many'];
/** More than a page holds. */
const manyNames = Array.from({ length: 510 }, (_, index) => `many-${index + 1}`);

describe('wec list', () => {
  before(async () => {
    await registered(hub, 'list-available');
    await announce(hub, 'list-announced');
    await ask(hub, 'list-pending');
    await askAgain(hub, 'list-only-request');
    for (const name of ['available', 'announced', 'pending']) {
      await hub.admin.patch(resources.managedClusters, `list-${name}`, { metadata: { labels: { test: 'list' } } });
    }
    await announceMany(hub, manyNames, { test: 'many' });
  });

  it('shows a WEC that has only sent a request', async () => {
    const { stdout } = await cli.succeed(['wec', 'list']);
    assert.match(stdout, /^list-only-request +no +no +- +\S.* +\d+s$/m);
  });

  it('shows WECs that wait for a decision, with --pending', async () => {
    const { stdout } = await cli.succeed(['wec', 'list', '--pending', '-o', 'name']);
    assert.equal(stdout, 'list-only-request\nlist-pending\n');
  });

  it('reads more WECs than a page holds, each once', async () => {
    const run = await cli.succeed(['wec', 'list', ...many, '-o', 'name', '-v']);
    assert.deepEqual(run.stdout.trimEnd().split('\n'), manyNames.toSorted());
    assert.match(run.stderr, /managedclusters\?\S*continue=/, 'in pages');
  });

  it('reports without a stack trace that results cannot be written, and does not exit with 0, even with --watch', async () => {
    for (const format of ['table', 'json', 'table --watch']) {
      const line = `${inShell(start)} wec list -o ${format} > /dev/full`;
      const ended = await execa('bash', ['-c', line], { env: cli.environment(), extendEnv: false, reject: false });
      assert.deepEqual(
        [ended.exitCode, ended.stderr],
        [1, '✗ The results cannot be written: no space left on device.'],
        format,
      );
    }
  });

  it('prints the current WECs and then changes, with --watch, until it is interrupted', async () => {
    const added = { text: /list-available/, act: () => askAgain(hub, 'list-watched') };
    const signalAt = { text: /list-watched/, signal: 'SIGINT' } as const;
    const run = await cli.run(['wec', 'list', '--watch'], { whenPrinted: added, signalAt });
    assert.equal(run.exitCode, 130, run.stderr);
    const lines = run.stdout.trimEnd().split('\n');
    assert.match(lines[0] ?? '', /^NAME +ACCEPTED/);
    assert.match(lines.at(-1) ?? '', /^list-watched /);
    assert.equal(lines.filter((line) => line.startsWith('NAME')).length, 1);
    assert.equal(
      lines.filter((line) => line.startsWith('list-available')).length,
      1,
      'what has not changed is not repeated',
    );
  });

  it('prints changes as JSON lines, with --watch, including deletions', async () => {
    await announce(hub, 'list-leaving', { test: 'leaving' });
    const leave = () => hub.admin.delete(resources.managedClusters, 'list-leaving');
    const run = await cli.run(['wec', 'list', '--watch', '-o', 'json', '-l', 'test=leaving'], {
      whenPrinted: { text: /list-leaving/, act: leave },
      signalAt: { text: /deleted/, signal: 'SIGTERM' },
    });
    assert.equal(run.exitCode, 143, run.stderr);
    const documents = run.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(documents[0].name, 'list-leaving');
    assert.equal(documents[0].accepted, false);
    assert.deepEqual(documents.at(-1), { name: 'list-leaving', deleted: true });
  });

  it('exits with 0 when a --watch reaches its --timeout', async () => {
    const run = await cli.succeed(['wec', 'list', '--watch', ...mine, '--timeout', '5s']);
    assert.match(run.stdout, /list-available/);
  });
});

describe('wec list --watch without --timeout', () => {
  it('continues beyond the default timeout of other commands', async () => {
    const left = Math.max(0, watch.started + 32_000 - Date.now());
    const ended = await Promise.race([watch.ended, sleep(left, undefined)]);
    assert.equal(ended?.stderr, undefined, 'it has ended by itself');
    watch.interrupt();
    assert.equal((await watch.ended).exitCode, 130);
  });
});
