/** `doctor` on faults of a registration: the failed check, its cause, and its command, which runs unchanged. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Bed, registrationFaults, spaceFaults } from '../../../testbed/index.ts';
import { cliOf, tryFault } from '../support/doctor-runs.ts';
import { registrationTrials, spaceTrials } from '../support/doctor-trials.ts';
import type { Cli } from '../support/harness.ts';
import { enterBed, leaveBed } from '../support/shared-bed.ts';

let bed: Bed;
let cli: Cli;

before(async () => {
  bed = await enterBed([
    { name: 'its1', hub: true },
    { name: 'cluster1', hub: false },
  ]);
  cli = await cliOf(bed, 'its1');
});

after(() => leaveBed(cli));

/** All of them run in `npm run bench -- doctor`. */
describe('doctor names the cause, and none of its consequences', { concurrency: 1 }, () => {
  for (const trial of registrationTrials.filter(({ inCi }) => inCi))
    it(trial.fault, async () => {
      const row = registrationFaults.find(({ id }) => id === trial.fault);
      assert.ok(row);
      const lines = {
        wec: 'cluster1',
        both: ['--its', 'its1', 'cluster1=cluster1'],
        hub: ['--its', 'its1', 'cluster1', '--wec-kubeconfig', '/dev/null'],
      };
      const result = await tryFault(
        cli,
        { id: row.id, arrange: () => row.arrange(bed) },
        trial,
        lines,
      );
      assert.equal(result.trouble, '');
      assert.ok(result.isFound, result.found.join('; '));
      assert.ok(result.isFoundAlone, result.alone.join('; '));
      assert.notEqual(result.helped, '');
    });

  it('has a trial for every fault of the test bed', () => {
    const faults = [...registrationFaults, ...spaceFaults].map(({ id }) => id);
    assert.deepEqual(
      [...registrationTrials, ...spaceTrials].map(({ fault }) => fault).toSorted(),
      faults.toSorted(),
    );
  });
});
