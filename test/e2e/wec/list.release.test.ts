import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import {
  type Bed,
  limitedUser,
  type Plane,
  resources,
  rule,
  startBed,
  writeKubeconfig,
} from '../../../testbed/index.ts';
import { inShell, start } from '../../stellarctl.ts';
import { Cli, type CliRun } from '../support/harness.ts';
import { announce, announceMany, ask, askAgain, registered } from '../support/pretended-agents.ts';
import { assertRefused, assertRefuses } from '../support/refusal.ts';

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

describe('wec list on an ITS without WECs', () => {
  it('reports that, and how to join one', async () => {
    const run = await cli.succeed(['wec', 'list']);
    const says = 'its1 has no WECs yet. To join one: stellarctl wec join NAME=CONTEXT --its its1\n';
    assert.deepEqual([run.stdout, run.stderr], ['', says]);
  });
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

  it('shows the state of each registration', async () => {
    const { stdout, stderr } = await cli.succeed(['wec', 'list', ...mine]);
    const [header, ...rows] = stdout.trimEnd().split('\n');
    assert.deepEqual(header?.split(/ {2,}/), ['NAME', 'ACCEPTED', 'JOINED', 'AVAILABLE', 'STAGE', 'AGE']);
    assert.deepEqual(
      rows.map((row) => row.split(/ {2,}/).slice(0, 5)),
      [
        ['list-announced', 'no', 'no', '-', 'no request yet'],
        ['list-available', 'yes', 'yes', 'yes', 'available'],
        ['list-pending', 'no', 'no', '-', 'request pending'],
      ],
    );
    for (const row of rows) assert.match(row, / \d+s$/);
    assert.equal(stderr, '');
  });

  it('adds reason, Kubernetes version, lease and labels, with -o wide', async () => {
    const { stdout } = await cli.succeed(['wec', 'list', ...mine, '-o', 'wide']);
    const [header, , available] = stdout.trimEnd().split('\n');
    assert.match(header ?? '', / AGE +REASON +KUBERNETES +LEASE +LABELS$/);
    assert.match(available ?? '', / - +v1\.36\.3 +\S+ +.*test=list$/);
  });

  it('prints documents with stable fields', async () => {
    const { items } = (await cli.succeed(['wec', 'list', ...mine, '-o', 'json'])).json();
    const [, available, pending] = items;
    const { created, labels, leaseRenewed, ...rest } = available;
    assert.deepEqual(rest, {
      name: 'list-available',
      accepted: true,
      joined: true,
      available: true,
      stage: 'available',
      blockedAt: null,
      state: 'available',
      problem: false,
      reason: '',
      kubernetesVersion: 'v1.36.3',
      requests: [],
    });
    assert.ok(Math.abs(Date.now() - Date.parse(created)) < 300_000);
    assert.equal(labels.test, 'list');
    assert.ok(leaseRenewed === null || !Number.isNaN(Date.parse(leaseRenewed)));
    const [request] = pending.requests;
    assert.deepEqual([request.agent, request.state], ['agent-of-list-pending', 'pending']);
    assert.deepEqual([pending.available, pending.stage], [null, 'request']);
    assert.deepEqual([pending.blockedAt.stage, pending.blockedAt.state], ['approved', 'waiting']);
  });

  it('prints the same as YAML, and names with -o name', async () => {
    const yaml = await cli.succeed(['wec', 'list', ...mine, '-o', 'yaml']);
    assert.match(yaml.stdout, /^items:\n {2}- name: list-announced\n {4}accepted: false\n/);
    const names = await cli.succeed(['wec', 'list', ...mine, '-o', 'name']);
    assert.equal(names.stdout, 'list-announced\nlist-available\nlist-pending\n');
  });

  it('shows a WEC that has only sent a request', async () => {
    const { stdout } = await cli.succeed(['wec', 'list']);
    assert.match(stdout, /^list-only-request +no +no +- +\S.* +\d+s$/m);
  });

  it('shows WECs that wait for a decision, with --pending', async () => {
    const { stdout } = await cli.succeed(['wec', 'list', '--pending', '-o', 'name']);
    assert.equal(stdout, 'list-only-request\nlist-pending\n');
  });

  it('reports on stderr that nothing was found, and what was queried', async () => {
    const none = await cli.succeed(['wec', 'list', '-l', 'no=such']);
    assert.equal(none.stdout, '');
    assert.match(none.stderr, /^No WEC on its1 has labels no=such\. /);
    const json = await cli.succeed(['wec', 'list', '-l', 'no=such', '-o', 'json', '-q']);
    assert.deepEqual([json.json(), json.stderr], [{ items: [] }, '']);
  });

  it('exits with 2 for a selector that the ITS rejects', async () => {
    await assertRefuses(cli, [hub], 'wec list -l a=b=c', { exitCode: 2, says: /a=b=c/ });
  });

  it('needs only permission to list clusters and requests', async () => {
    const rules = [
      rule('cluster.open-cluster-management.io', 'managedclusters', 'list'),
      rule('certificates.k8s.io', 'certificatesigningrequests', 'list'),
    ];
    const kubeconfig = await writeKubeconfig(hub, [await limitedUser(hub, { user: 'lister', rules })]);
    const { stdout } = await cli.succeed(['wec', 'list', ...mine, '-o', 'name'], { kubeconfig });
    assert.match(stdout, /list-available/);
  });

  it('reads more WECs than a page holds, each once', async () => {
    const run = await cli.succeed(['wec', 'list', ...many, '-o', 'name', '-v']);
    assert.deepEqual(run.stdout.trimEnd().split('\n'), manyNames.toSorted());
    assert.match(run.stderr, /managedclusters\?\S*continue=/, 'in pages');
  });

  it('succeeds when the reader closes its output early', async () => {
    const line = `${inShell(start)} wec list -o json | head -n 1; echo "exit \${PIPESTATUS[0]}"`;
    const ended = await execa('bash', ['-c', line], { env: cli.environment(), extendEnv: false });
    assert.deepEqual([ended.stdout, ended.stderr], ['{\nexit 0', '']);
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

  it('needs no stderr', async () => {
    const line = `${inShell(start)} wec list -l no=such -o json 2> /dev/full`;
    const ended = await execa('bash', ['-c', line], { env: cli.environment(), extendEnv: false });
    assert.deepEqual(JSON.parse(ended.stdout), { items: [] });
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

  it('uses colour only if wanted', async () => {
    const line = ['wec', 'list', '--its', 'nope'];
    const cases: [arguments_: string[], env: Record<string, string>, coloured: boolean][] = [
      [[], {}, false],
      [['--color', 'always'], {}, true],
      [[], { FORCE_COLOR: '1' }, true],
      [[], { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
      [['--color', 'always'], { NO_COLOR: '1' }, true],
    ];
    for (const [more, env, coloured] of cases) {
      const { stderr } = await cli.run([...line, ...more], { env });
      assert.equal(stderr.includes('\u001b['), coloured, `${more.join(' ')} ${JSON.stringify(env)}: ${stderr}`);
    }
    const terminal = await cli.runOnTerminal(line);
    assert.ok(terminal.screen.includes('\u001b[31m✗'), terminal.screen);
    const plain = await cli.runOnTerminal(line, { env: { NO_COLOR: '1' } });
    assert.ok(!plain.screen.includes('\u001b['), plain.screen);
  });

  it('exits with 2 for an unknown context, in the requested format', async () => {
    const run = await cli.run(['wec', 'list', '--its', 'nope', '-o', 'json']);
    assert.equal(run.exitCode, 2);
    const { items, error } = run.json();
    assert.deepEqual([items, error.code], [[], 'context-unknown']);
    assert.match(error.steps.join('\n'), /its1, other/);
    assertRefused(await cli.run(['wec', 'list', '--its', 'nope']), { exitCode: 2, says: /no context "nope"/ });
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
