import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Plane } from '../../../testbed/index.ts';
import type { Cli } from '../support/harness.ts';
import { assertUnwritten, markAll, writesOn } from '../support/refusal.ts';
import { assertAvailable } from '../support/registration.ts';
import { enterPlanes, leaveBed } from '../support/shared-bed.ts';

let cli: Cli;
let its1: Plane;
let cluster1: Plane;

before(async () => {
  ({
    cli,
    planes: [its1, cluster1],
  } = await enterPlanes('its1', 'cluster1'));
});

after(() => leaveBed(cli));

describe('joins of one cluster', { concurrency: 1 }, () => {
  const line = ['wec', 'join', 'cluster1', '--accept', '--label', 'a=b'];

  it('at the same time all succeed', async () => {
    const runs = await Promise.all([1, 2].map(() => cli.succeed([...line, '-o', 'json'])));
    for (const { json } of runs) assert.equal(json().items[0].stage, 'available');
    assert.equal((await assertAvailable(its1, 'cluster1')).metadata.labels?.a, 'b');
  });

  it('change only the label if it is another one', async () => {
    await markAll([its1, cluster1]);
    await cli.succeed([...line, '--label', 'zone=north']);
    assert.deepEqual(await writesOn(its1), ['patch managedclusters cluster1']);
    await assertUnwritten([cluster1]);
    assert.equal((await assertAvailable(its1, 'cluster1')).metadata.labels?.zone, 'north');
  });
});
