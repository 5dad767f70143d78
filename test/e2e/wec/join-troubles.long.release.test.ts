import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Bed, expiredToken, type Plane, resources, wipeWec } from '../../../testbed/index.ts';
import type { Cli } from '../support/harness.ts';
import { inRelease } from '../support/in-release.ts';
import { assertRefused } from '../support/refusal.ts';
import { bootstrapSecretText, join } from '../support/registration.ts';
import { enterPlanes, leaveBed } from '../support/shared-bed.ts';

let bed: Bed;
let cli: Cli;
let its1: Plane;

before(async () => {
  ({
    bed,
    cli,
    planes: [its1],
  } = await enterPlanes('its1', 'cluster1', 'cluster3'));
});

after(() => leaveBed(cli));

// Each on its own cluster, in parallel: most of the time they wait until a failure counts.
describe('a failing join', { concurrency: true }, () => {
  it('quotes the operator if the cluster does not reach the hub, and is repaired by a correct address', async () => {
    const run = await cli.run(
      'wec join cluster1 --accept --hub-apiserver https://nowhere.example:6443'.split(' '),
    );
    assertRefused(run, {
      exitCode: 1,
      says: /cluster1 cannot connect to its1: it does not reach the hub \(lookup nowhere\.example .*no such host/,
    });
    assert.match(run.stderr, /nowhere\.example:6443 is not reached from here/);
    const again = await join(cli, its1, 'cluster1');
    assert.match(again.stderr, /cluster1: .*address/);
  });

  describe('that is interrupted or times out', { concurrency: 1 }, () => {
    const line = ['wec', 'join', 'cluster3', '--accept'];
    let operatorWorks = async () => {};

    it('exits with 143 on SIGTERM', async () => {
      const run = await cli.run(line, {
        signalAt: { text: /klusterlet applied/, signal: 'SIGTERM' },
      });
      assertRefused(run, { exitCode: 143, says: /[Ii]nterrupted|[Tt]erminated/ });
    });

    it('still prints one JSON document', async () => {
      const run = await cli.run([...line, '-o', 'json'], {
        signalAt: { text: /klusterlet applied/, signal: 'SIGINT' },
      });
      assert.equal(run.exitCode, 130);
      assert.match(run.stdout, /"code": "interrupted"/);
      run.json();
    });

    it('exits with 3 when the timeout is too short, and reports what blocks and what to do', async () => {
      await wipeWec(its1, bed.plane('cluster3'), 'cluster3');
      operatorWorks = await bed.fault({
        kind: 'dead',
        plane: 'cluster3',
        pod: 'open-cluster-management/',
      });
      const run = await cli.run([...line, '--timeout', '6s']);
      assertRefused(run, {
        exitCode: 3,
        says: /cluster3 did not reach the stage available in time\. ./,
        hint: /stellarctl wec get cluster3=cluster3 --its its1/,
      });
    });

    it('completes when rerun', async () => {
      await operatorWorks();
      await join(cli, its1, 'cluster3');
    });

    it(
      'because its bootstrap token expired while its request was pending is repaired by a rerun',
      inRelease,
      async () => {
        const cluster3 = bed.plane('cluster3');
        await wipeWec(its1, cluster3, 'cluster3');
        await cli.type('wec join cluster3');
        const expired = await expiredToken(its1);
        const secret = (await bootstrapSecretText(cluster3)).replace(/eyJ[\w.-]+/, expired);
        await cluster3.admin.patch(
          resources.secrets,
          'open-cluster-management-agent/bootstrap-hub-kubeconfig',
          { data: { kubeconfig: Buffer.from(secret).toString('base64') } },
        );
        const { stderr } = await join(cli, its1, 'cluster3');
        assert.match(
          stderr,
          /^cluster3: the bootstrap token expired \d+\w+ ago: it re-registers$/m,
        );
        assert.ok(!(await bootstrapSecretText(cluster3)).includes(expired));
      },
    );
  });
});
