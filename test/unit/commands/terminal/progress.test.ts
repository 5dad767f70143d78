import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import {
  createProgress,
  type ProgressOptions,
} from '../../../../src/commands/terminal/progress.ts';
import { fakeIo, plain } from '../../support/fake-io.ts';
import { fakeTime, realTime } from '../../support/fake-time.ts';
import { stopping } from '../../support/serving.ts';

function progressOn(io: Parameters<typeof fakeIo>[0], options: Partial<ProgressOptions> = {}) {
  const fake = fakeIo(io);
  const progress = createProgress(fake.io, {
    quiet: false,
    results: 'stdout',
    style: plain,
    ...options,
  });
  stopping(progress);
  return { ...fake, progress };
}

describe('in a pipe', () => {
  beforeEach(() => fakeTime(['setInterval']));
  afterEach(realTime);

  test('a dry run says nothing of changes, and that nothing is done', () => {
    const { progress, stderr, stdout } = progressOn({}, { dryRun: true });
    progress.note('ITS its1');
    progress.changed('cluster1', 'approved');
    progress.reached('cluster1', 'accepted');
    progress.done('cluster1', 'accepted');
    assert.deepEqual([stderr.lines, stdout.lines], [['ITS its1'], []]);
  });

  test('every change is one line, printed once', () => {
    const { progress, stderr, stdout } = progressOn({});
    progress.note('ITS its1');
    progress.changed('cluster1', 'request pending');
    progress.changed('cluster1', 'request pending');
    progress.changed('cluster2', 'request pending');
    progress.changed('cluster1', 'approved');
    assert.deepEqual(stderr.lines, [
      'ITS its1',
      'cluster1: request pending',
      'cluster2: request pending',
      'cluster1: approved',
    ]);
    assert.equal(stdout.text, '');
  });
  test('a completed stage is a result, with its duration', () => {
    const { progress, stderr, stdout } = progressOn({});
    progress.waiting('cluster1', 'its request');
    mock.timers.tick(2345);
    progress.done('cluster1', 'joined', true);
    progress.done('cluster2', 'has joined already');
    assert.deepEqual(
      [stdout.lines, stderr.text],
      [['cluster1: joined after 2.3s', 'cluster2: has joined already'], ''],
    );
  });
  test('all durations are by one clock, which stops while a person answers', () => {
    const { progress, stderr, stdout } = progressOn({});
    mock.timers.tick(5000);
    progress.stop();
    mock.timers.tick(60_000);
    progress.resume();
    progress.waiting('cluster1', 'its request');
    progress.reached('cluster2', 'cluster created', true);
    mock.timers.tick(15_000);
    progress.done('cluster1', 'joined', true);
    progress.stop();
    assert.deepEqual(
      [stderr.lines, stdout.lines],
      [
        [
          'cluster2: cluster created after 5.0s',
          'cluster1: still waiting after 20.0s: its request (for 15s)',
        ],
        ['cluster1: joined after 20.0s'],
      ],
    );
  });
  test('a completed stage is no result if a document is the result', () => {
    const { progress, stderr, stdout } = progressOn({}, { results: 'stderr' });
    progress.done('cluster1', 'joined');
    assert.deepEqual([stdout.text, stderr.lines], ['', ['cluster1: joined']]);
  });
  test('a long wait reports every fifteen seconds what the remaining subjects wait for', () => {
    const { progress, stderr } = progressOn({});
    progress.waiting('cluster1', 'its request');
    progress.waiting('cluster2', 'its request');
    progress.waiting('cluster3', 'its request');
    mock.timers.tick(14_999);
    assert.equal(stderr.text, '');
    progress.waiting('cluster2', 'its certificate');
    progress.done('cluster1', 'joined');
    progress.failed('cluster3');
    mock.timers.tick(1);
    assert.deepEqual(stderr.lines, ['cluster2: still waiting after 15.0s: its certificate']);
    mock.timers.tick(15_000);
    assert.equal(stderr.lines[1], 'cluster2: still waiting after 30.0s');
    progress.stop();
    mock.timers.tick(60_000);
    assert.equal(stderr.lines.length, 2);
  });
  test('a wait has its stage, and the age of what it waits for, whatever its numbers', () => {
    const { progress, stderr } = progressOn({});
    progress.waiting('cluster1', 'its request', 'request');
    mock.timers.tick(5000);
    progress.waiting('cluster1', 'its Lease, 5s old', 'available');
    mock.timers.tick(9000);
    progress.waiting('cluster1', 'its Lease, 14s old', 'available');
    mock.timers.tick(1000);
    progress.stop();
    assert.deepEqual(stderr.lines, [
      'cluster1: still waiting after 15.0s: its Lease, 14s old (at available, for 10s)',
    ]);
  });
  test('a long wait of many reports their number, and names those that wait longest', () => {
    const { progress, stderr } = progressOn({});
    const names = Array.from({ length: 300 }, (_, index) => `wec${index + 1}`);
    for (const name of names) progress.waiting(name, 'its request');
    for (const name of names.slice(0, 280)) progress.done(name, 'joined');
    progress.failed('wec281');
    mock.timers.tick(15_000);
    assert.deepEqual(stderr.lines, [
      '19 waiting · 280 done · 1 failed; waiting longest:',
      ...['wec282', 'wec283', 'wec284'].map(
        (name) => `${name}: still waiting after 15.0s: its request`,
      ),
    ]);
    progress.stop();
  });
  test('quiet shows results only', () => {
    const { progress, stderr, stdout } = progressOn({}, { quiet: true });
    progress.note('a');
    progress.changed('b', 'c');
    progress.waiting('b', 'd');
    mock.timers.tick(20_000);
    progress.done('b', 'done');
    assert.deepEqual([stderr.text, stdout.text], ['', 'b: done\n']);
  });
});

describe('lines do not move', () => {
  for (const [where, io] of [
    ['in a pipe', {}],
    ['in CI', { tty: true, env: { CI: 'true' } }],
    ['on a terminal that cannot', { tty: true, env: { TERM: 'dumb' } }],
  ] as const) {
    test(where, async () => {
      const { progress, stderr } = progressOn(io);
      progress.waiting('cluster1', 'its request');
      progress.changed('cluster1', 'request pending');
      progress.stop();
      assert.equal(stderr.text, 'cluster1: request pending\n');
    });
  }
});

describe('on a terminal', () => {
  // ora uses the real environment.
  const { CI, TERM } = process.env;
  beforeEach(() => {
    delete process.env.CI;
    process.env.TERM = 'xterm';
  });
  afterEach(() => {
    for (const [name, value] of Object.entries({ CI, TERM })) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  test('a quick command shows no animation', async () => {
    const { progress, stderr, stdout } = progressOn({ tty: true });
    progress.waiting('cluster1', 'its request');
    progress.done('cluster1', 'joined', true);
    progress.stop();
    await sleep(350);
    assert.equal(stderr.text, '');
    assert.match(stdout.text, /^ {2}cluster1 {2}✓ joined {3}0\.\ds\n$/);
  });
  test('more subjects than lines are counted; the longest-waiting ones are shown', async () => {
    const { progress, stderr } = progressOn({ tty: true, rows: 10 });
    for (let number = 1; number <= 300; number += 1)
      progress.waiting(`wec${number}`, 'its request');
    progress.failed('wec2');
    await sleep(500);
    const [frame = ''] = stripVTControlCharacters(stderr.text)
      .split('\r')
      .filter((text) => text.includes('waiting'));
    assert.deepEqual(
      frame.split('\n').map((line) =>
        line
          .trim()
          .split(/ +/)
          .slice(0, 3)
          .join(' ')
          .replace(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/, '*'),
      ),
      ['299 waiting ·', 'wec1 * its', 'wec3 * its', 'wec4 * its', 'wec5 * its', 'wec6 * its'],
    );
  });
  test('a wait shows all that it waits for, without the subject twice', async () => {
    const { progress, stderr } = progressOn({ tty: true });
    progress.waiting('cluster1', `cluster1 reports ${'very '.repeat(20)}long`);
    await sleep(500);
    progress.stop();
    assert.match(
      stripVTControlCharacters(stderr.text),
      / {2}cluster1 {2}[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] reports very.*\n {14}very.* long\s+0\.\ds/,
    );
  });
  test('a wait on a low terminal shows one line per subject in progress, and nothing after the end', async () => {
    const { progress, stderr, stdout } = progressOn({ tty: true, rows: 6 });
    progress.waiting('cluster1', 'its request');
    progress.changed('cluster10', `something ${'very '.repeat(30)}long`);
    await sleep(700);
    assert.match(stderr.text, / {2}cluster1 {3}[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] its request {3}0\.\ds\n/);
    assert.match(stderr.text, / {2}cluster10 {2}[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] something .*… {3}0\.\ds/);
    for (const line of stripVTControlCharacters(stderr.text).split(/[\r\n]/))
      assert.ok(line.length <= 80, `too wide: ${line}`);
    progress.done('cluster1', 'joined');
    assert.match(stdout.text, /^ {2}cluster1 {3}✓ joined\n$/);
    progress.failed('cluster10');
    progress.stop();
    stderr.text = '';
    await sleep(120);
    assert.equal(stderr.text, '');
  });
  test('nothing moves while another program may prompt', async () => {
    const { progress, stderr } = progressOn({ tty: true });
    progress.waiting('cluster1', 'its request');
    await sleep(450);
    const [one, other] = [progress.relay(), progress.relay()];
    stderr.text = '';
    one.write('code: ');
    await sleep(400);
    one.end();
    await sleep(400);
    assert.equal(stderr.text, 'code: \n');
    other.end();
    await sleep(450);
    assert.match(stderr.text, / {2}cluster1 {2}\S its request/);
  });
  test('nothing moves after the end, although another program ends later', async () => {
    const { progress, stderr } = progressOn({ tty: true });
    progress.waiting('cluster1', 'its request');
    const relay = progress.relay();
    progress.stop();
    relay.end();
    await sleep(450);
    assert.equal(stderr.text, '');
  });
});

test('output of another program is shown as it arrives, even with -q, and no terminal obeys it', () => {
  for (const quiet of [false, true]) {
    const { progress, stderr } = progressOn({}, { quiet });
    const relay = progress.relay();
    relay.write('Open https://x\r\nand type\u001b]52;c;eA==\u0007 AB');
    relay.write('C\r');
    relay.end();
    assert.equal(stderr.text, 'Open https://x\nand type\\x1b]52;c;eA==\\x07 ABC\n');
  }
});
