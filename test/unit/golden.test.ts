import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { inOrder, normalise, untimed } from '../e2e/support/golden/normalise.ts';
import { settled } from '../e2e/support/golden/settled.ts';
import { marked, replay } from '../e2e/support/golden/transcript.ts';
import { writtenApart } from './support/folder.ts';

describe('normalise', () => {
  const cases: [string, string][] = [
    [
      'cluster1: joined and available after 1.4s',
      'cluster1: joined and available after <duration>',
    ],
    ['its1: ready after 2m5s', 'its1: ready after <duration>'],
    [
      '  cluster1  ✓ joined   \u001b[2m12.3s\u001b[22m',
      '  cluster1  ✓ joined   \u001b[2m<duration>\u001b[22m',
    ],
    [
      '\u001b[32m✓\u001b[39m Joined 5s · Available 2m5s',
      '\u001b[32m✓\u001b[39m Joined <age> · Available <age>',
    ],
    ['NAME   AGE    LEASE   LABELS', 'NAME   AGE   LEASE   LABELS'],
    ['c1     2m5s   5s      a=b', 'c1     <age>   <age>   a=b'],
    ['cluster1   available   54s', 'cluster1   available   <age>'],
    [
      'requests    c-n2psv   issued   agent 168fbb7a   asked 5s ago',
      'requests    c-<random>   issued   agent <uid>   asked <age> ago',
    ],
    ['✓ a/klusterlet-58cd89999d-p4srw    Running', '✓ a/klusterlet-<hash>-<random>   Running'],
    ['same cluster (kube-system 4b8006da…)', 'same cluster (kube-system <uid>…)'],
    ['cluster1: still waiting after 15.0s: looking\n', ''],
    ['https://hosting-control-plane:30632', 'https://hosting-control-plane:<node port>'],
    ['stellarctl-report-20260203T040506/index.json', 'stellarctl-report-<date>/index.json'],
    ['a.tar.gz: 73 files of its1, w1, 33 kB', 'a.tar.gz: <number> files of its1, w1, <size> kB'],
    ['      "bytes": 24275,', '      "bytes": 0,'],
    [
      '  w1   Namespace a, ConfigMap a/b will be removed.\n  w1   Namespace a will be removed with everything in it.',
      '  w1   ConfigMap a/b, Namespace a will be removed.\n  w1   Namespace a will be removed with everything in it.',
    ],
    [
      '  runs      2 works of shop (wds1): Namespace b, ConfigMap b/a',
      '  runs      2 works of shop (wds1): ConfigMap b/a, Namespace b',
    ],
    ['ConfigMap a on w1: changed (2m5s)', 'ConfigMap a on w1: changed (<age>)'],
    ['(it has not renewed its Lease for 45s)', '(it has not renewed its Lease for <age>)'],
    [`AppliedManifestWork ${'0a'.repeat(32)}-w on w1`, 'AppliedManifestWork <hash>-w on w1'],
    ['  w1   b, a stay, without an owner.', '  w1   a, b stay, without an owner.'],
    ['uid 0b7c1d7e-6a1f-4f6e-9d62-0d4f2b7a9c11.', 'uid <uid>.'],
    ['2026-02-03T04:05:06Z', '<time>'],
    ['eyJhbGciOi.eyJhdWQ.c2ln', '<token>'],
  ];
  for (const [text, expected] of cases) it(text, () => assert.equal(normalise(text, []), expected));

  it('keeps names that users have given', () => {
    const text =
      '--timeout 1.5s, after 15s without progress, Give a duration as 90s, 5m or 1h; v1.36.3, 0.30.0; an object of 500 kB';
    assert.equal(normalise(text, []), text);
  });

  it('replaces longer known texts first', () => {
    const known = [
      { text: '/tmp/a', as: '$HOME' },
      { text: '/tmp/a/bed', as: '<bed>' },
    ];
    assert.equal(normalise('/tmp/a/x /tmp/a/bed/y', known), '$HOME/x <bed>/y');
  });
});

describe('inOrder', () => {
  it('sorts adjacent stages of one subject, and nothing else', () => {
    const line = (stage: string) => `its1: ${stage} after <duration>\n`;
    const text = `${line('b')}${line('a')}its1: note\n${line('0')}Next: z\nNext: y\n`;
    assert.equal(
      inOrder(text, 'reached'),
      `${line('a')}${line('b')}its1: note\n${line('0')}Next: z\nNext: y\n`,
    );
  });

  it('sorts adjacent writes of one kind', () => {
    assert.equal(
      inOrder('create pods b\ncreate pods a\npatch pods 0\n', 'written'),
      'create pods a\ncreate pods b\npatch pods 0\n',
    );
  });
});

describe('untimed', () => {
  it('counts a request for KubeFlex to reconcile once, and other writes as often as they occur', () => {
    const writes =
      'patch controlplanes its1\npatch controlplanes its1\npatch managedclusters a\npatch managedclusters a\n';
    assert.equal(untimed(writes), writes.slice('patch controlplanes its1\n'.length));
  });

  it("leaves out who deletes a space's namespace, and Leases of agents", () => {
    const omitted = 'delete namespaces its1-system\ndelete leases a/klusterlet-agent-lock\n';
    const other = 'delete namespaces w1\ndelete leases stellarctl-wds1\n';
    assert.equal(
      untimed(`delete controlplanes its1\n${omitted}${other}`),
      `delete controlplanes its1\n${other}`,
    );
  });
});

describe('settled', () => {
  it('is the final text of animated lines', () => {
    assert.equal(
      settled('\u001b[?25l  a ⠋ waiting\u001b[2K\u001b[1Gdone\r\nNext\r\n\u001b[?25h'),
      'done\nNext\n',
    );
    assert.equal(settled('one\r\ntwo\u001b[2K\u001b[1A\u001b[2K\u001b[Gthree\r\n'), 'three\n');
  });

  it('keeps colours', () => {
    assert.equal(
      settled('\u001b[31m✗\u001b[39m no\r\n\u001b[2mx\u001b[22m\r\n'),
      '\u001b[31m✗\u001b[39m no\n\u001b[2mx\u001b[22m\n',
    );
  });
});

describe('marked', () => {
  it('shows the stream of a line, and invisible characters', () => {
    assert.equal(marked('1', 'a\n\n\u001b[2mb  \n'), '1| a\n1|\n1| ␛[2mb␠␠\n');
    assert.equal(marked('2', 'a'), '2| a\n2\\ no newline at the end\n');
    assert.equal(marked('1', ''), '');
  });
});

describe('replay', () => {
  const text =
    '# What it is.\n$ stellarctl a\n1| a\nexit 0\n\n@ stop its1\n$ stellarctl b\nexit 4\n';
  const outcomes: Record<string, string> = {
    'stellarctl a': '1| a\nexit 0\n',
    'stop its1': '',
    'stellarctl b': 'exit 4\n',
  };

  async function replayed(changed: Record<string, string>): Promise<string> {
    const file = writtenApart('a.txt', text);
    await replay(file, async ({ line }) => ({ ...outcomes, ...changed })[line] ?? '');
    return readFileSync(file, 'utf8');
  }

  it('accepts the recorded output, and does not change the file', async () => {
    assert.equal(await replayed({}), text);
  });

  it('fails for any other output, and shows where', {
    skip: process.env.UPDATE_GOLDEN === '1',
  }, async () => {
    await assert.rejects(replayed({ 'stellarctl b': 'exit 1\n' }), {
      actual: '$ stellarctl b\nexit 1\n',
    });
    await assert.rejects(replayed({ 'stop its1': '1| x\n' }), /1 runs of a\.txt differ/);
  });
});
