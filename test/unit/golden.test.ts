import './support/environment.ts';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { inOrder, normalise, untimed } from '../e2e/support/golden/normalise.ts';
import { replay } from '../e2e/support/golden/transcript.ts';
import { writtenApart } from './support/folder.ts';

describe('normalise', () => {
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

describe('replay', () => {
  const text =
    '# What it is.\n$ stellarctl a\n1| a\nexit 0\n\n@ stop its1\n$ stellarctl b\nexit 4\n';
  const outcomes: Record<string, string> = {
    'stellarctl a': '1| a\nexit 0\n',
    'stop its1': '',
    'stellarctl b': 'exit 4\n',
  };

  async function replayed(changed: Record<string, string>) {
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
