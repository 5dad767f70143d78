import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as soon } from 'node:timers/promises';
import { oneAtATime } from '../../../../src/lib/engine/concurrency.ts';

test('a single resource is used sequentially, even if one use fails', async () => {
  const lines: string[] = [];
  const ask = oneAtATime(async (name: string) => {
    lines.push(`ask ${name}`);
    await soon();
    lines.push(`answer ${name}`);
    if (name === 'a') throw new Error('no');
  });
  const results = await Promise.allSettled([ask('a'), ask('b')]);
  assert.deepEqual(lines, ['ask a', 'answer a', 'ask b', 'answer b']);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'fulfilled'],
  );
});
