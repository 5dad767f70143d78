/** `doctor --pre NAME=CONTEXT`: what is said of a cluster before it is registered. The other causes: before-join.release.test.ts. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Bed, Plane } from '../../../testbed/index.ts';
import { assertNothingLeft, findingsOf, probe, wrongOf } from '../support/before-join.ts';
import type { Cli } from '../support/harness.ts';
import { markAll, writesOn } from '../support/refusal.ts';
import { enterPlanes, leaveBed } from '../support/shared-bed.ts';

let bed: Bed;
let cli: Cli;
let its1: Plane;
let cluster1: Plane;

before(async () => {
  ({
    bed,
    cli,
    planes: [its1, cluster1],
  } = await enterPlanes('its1', 'cluster1'));
});

after(() => leaveBed(cli));

describe('a cluster that can be registered', { concurrency: 1 }, () => {
  it('reaches the ITS with the image of its agent, in a Job that is announced, and deleted', async () => {
    await markAll([its1, cluster1]);
    const run = await probe(cli, 'cluster1');
    assert.equal(run.exitCode, 0, run.stderr);
    assert.deepEqual(wrongOf(findingsOf(run), 'cluster1'), []);
    assert.equal(
      findingsOf(run).find(({ id }) => id === 'wec-probe')?.found,
      'https://its1-control-plane:6443',
    );
    assert.match(run.stderr, /^WEC cluster1: cluster1 \(https:.*\)$/m);
    const [, job] =
      /^cluster1: create Job default\/(\S+) with image \S+\/registration-operator:v1\.\S+, /m.exec(
        run.stderr,
      ) ?? [];
    assert.deepEqual(await writesOn(cluster1), [
      `create jobs default/${job}`,
      `delete jobs default/${job}`,
    ]);
    assert.deepEqual(await writesOn(its1), []);
    await assertNothingLeft(cluster1);
  });

  it('is not probed without consent, or in a dry run', async () => {
    await markAll([cluster1]);
    const line = ['doctor', '--pre', '--probe', 'cluster1=cluster1', '--its', 'its1'];
    const refused = await cli.run(line);
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /Probe cluster1\? This needs confirmation[\s\S]*--yes/);
    const dry = await cli.run([...line, '--dry-run']);
    assert.match(dry.stdout, /a dry run creates no Job/);
    assert.deepEqual(await writesOn(cluster1), []);
  });
});

describe('a probe', { concurrency: 1 }, () => {
  it('says that the image cannot be pulled', async () => {
    const repair = await bed.fault({ kind: 'unpullable', image: 'registration-operator' });
    const run = await probe(cli, 'cluster1');
    await repair();
    assert.equal(run.exitCode, 1, run.stderr);
    assert.deepEqual(wrongOf(findingsOf(run), 'cluster1'), ['wec-probe container-not-starting']);
    await assertNothingLeft(cluster1);
  });

  it('that is interrupted leaves nothing', async () => {
    const repair = await bed.fault({ kind: 'silent', image: 'registration-operator' });
    const run = await probe(cli, 'cluster1', ['-v'], {
      signalAt: { text: /GET .*\/pods\/\S*probe\S*\/log/, signal: 'SIGINT' },
    });
    await repair();
    assert.equal(run.exitCode, 130, run.stderr);
    await assertNothingLeft(cluster1);
  });
});
