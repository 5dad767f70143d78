import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { inBatches } from '../../../../src/lib/wecs/upgrade.ts';

/** How many are worked on at once, from the first to the last, and what is left. */
async function begun(count: number, broken: readonly number[], size: number, maxFailed: number) {
  const rounds: number[][] = [];
  let working = 0;
  const items = Array.from({ length: count }, (_, index) => index + 1);
  const { results, open } = await inBatches(items, { size, maxFailed }, async (item) => {
    if (working === 0) rounds.push([]);
    rounds.at(-1)?.push(item);
    working += 1;
    await sleep(5);
    working -= 1;
    return broken.includes(item) ? { error: new StellarError('agent-failed', '') } : {};
  });
  assert.equal(results.length + open.length, count);
  return { rounds, open };
}

test('the first goes alone, the others in batches', async () => {
  assert.deepEqual(await begun(6, [], 3, 0), { rounds: [[1], [2, 3, 4], [5, 6]], open: [] });
});

test('none goes with others before one has succeeded', async () => {
  assert.deepEqual(await begun(5, [1, 2], 3, 2), { rounds: [[1], [2], [3], [4, 5]], open: [] });
});

test('none begins after too many failures', async () => {
  assert.deepEqual(await begun(6, [1], 3, 0), { rounds: [[1]], open: [2, 3, 4, 5, 6] });
  assert.deepEqual(await begun(9, [2, 3, 6], 3, 2), {
    rounds: [[1], [2, 3, 4], [5, 6, 7]],
    open: [8, 9],
  });
});

test('none begins after an interruption', async () => {
  const interrupted = async () => ({ error: new StellarError('interrupted', '') });
  assert.deepEqual(
    (await inBatches([1, 2, 3], { size: 3, maxFailed: 9 }, interrupted)).open,
    [2, 3],
  );
});
