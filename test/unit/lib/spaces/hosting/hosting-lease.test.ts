import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfInterrupted } from '../../../../../src/lib/core/deadline.ts';
import type { StellarError } from '../../../../../src/lib/core/errors.ts';
import type { Lease } from '../../../../../src/lib/kube/client/objects.ts';
import { recordWrites } from '../../../../../src/lib/kube/writes.ts';
import {
  describeProcess,
  withHostingLease,
} from '../../../../../src/lib/spaces/hosting/hosting-lease.ts';
import { LeaseCluster, leasePath } from '../../../support/lease-cluster.ts';
import { failsWith, matches } from '../../../support/steps.ts';

let cluster: LeaseCluster;
beforeEach(async () => {
  cluster = await LeaseCluster.start();
});
afterEach(() => cluster.stop());

/** The Lease of another run. @param holder the end of its holderIdentity */
const leaseOf = (holder: string, ageS = 0): Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'stellarctl', namespace: 'default' },
  spec: {
    holderIdentity: `bob@desk, init, ${holder}`,
    renewTime: new Date(Date.now() - ageS * 1000).toISOString().replace('Z', '000Z'),
    leaseDurationSeconds: 1000,
  },
});

/** A process that has ended, in words. */
async function endedProcess() {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const words = await describeProcess(child.pid as number);
  child.kill('SIGKILL');
  await once(child, 'exit');
  return words;
}

const otherMachine = 'process 1 on desk-4026531836 0b5c5d0e-0000-0000-0000-000000000000';

/** One run with the Lease. @returns what happened */
async function take(timeoutMs = 1200): Promise<{ outcome: string; lines: string[] }> {
  const { kube, run } = cluster.run(timeoutMs);
  const { lines } = run.progress;
  try {
    await withHostingLease(kube, 'its repair its1', run, async () => undefined);
    return { outcome: 'worked', lines };
  } catch (error) {
    return { outcome: (error as StellarError).code, lines };
  } finally {
    kube.close();
  }
}

describe('the Lease', () => {
  test('says who works, what on, and when it must have ended; and is deleted after success', async () => {
    const { kube, run } = cluster.run(600_000);
    await withHostingLease(kube, 'wds repair wds1', run, async () => {
      const {
        holderIdentity = '',
        renewTime = '',
        leaseDurationSeconds = 0,
      } = cluster.lease?.spec ?? {};
      assert.match(holderIdentity, /^\S+@\S+, wds repair wds1, process \d+ on \S+ [0-9a-f-]{36}$/);
      assert.ok(holderIdentity.endsWith(await describeProcess(process.pid)));
      assert.match(renewTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      assert.ok(
        leaseDurationSeconds > 700 && leaseDurationSeconds <= 720,
        `${leaseDurationSeconds}`,
      );
    });
    assert.deepEqual(cluster.writes, ['POST leases', 'DELETE stellarctl']);
  });

  test('that another run has taken meanwhile makes this one fail: both may have written', async () => {
    for (const [other, holder] of [
      [leaseOf(otherMachine), /in progress: bob@desk/],
      [undefined, /it has deleted the Lease of this one/],
    ] as const) {
      const { kube, run } = cluster.run(600_000);
      const stolen = withHostingLease(kube, 'wds repair wds1', run, async () => {
        cluster.objects.delete(leasePath);
        if (other)
          cluster.objects.set(leasePath, {
            ...other,
            metadata: { ...other.metadata, uid: 'other' },
          });
      });
      await assert.rejects(stolen, { code: 'hosting-busy', message: holder });
      assert.equal(cluster.lease?.metadata.uid, other && 'other');
      cluster.objects.delete(leasePath);
    }
  });

  test('is deleted after a failure', async () => {
    const { kube, run } = cluster.run();
    const failing = withHostingLease(kube, 'init', run, () =>
      Promise.reject(new Error('helm failed')),
    );
    await assert.rejects(failing, { message: 'helm failed' });
    assert.equal(cluster.lease, undefined);
  });

  test('is deleted after the deadline', async () => {
    const { kube, run } = cluster.run(300);
    await withHostingLease(kube, 'init', run, () => sleep(400));
    assert.equal(cluster.lease, undefined);
  });

  test('is deleted after Ctrl-C, also while it is created', async () => {
    const { kube, run, stop } = cluster.run();
    const interrupted = withHostingLease(kube, 'init', run, async () => {
      stop();
      throwIfInterrupted(run.signal);
    });
    await assert.rejects(interrupted, { code: 'interrupted' });
    assert.equal(cluster.lease, undefined);

    const early = cluster.run();
    cluster.beforeWrite = (method) => method === 'POST' && early.stop();
    const reading = withHostingLease(early.kube, 'init', early.run, () => early.kube.read('/api'));
    await assert.rejects(reading, { code: 'interrupted' });
    assert.deepEqual(cluster.writes.slice(-2), ['POST leases', 'DELETE stellarctl']);
    assert.equal(cluster.lease, undefined);
  });

  test('is held once by calls inside of the work', async () => {
    const { kube, run } = cluster.run();
    await withHostingLease(kube, 'wds repair wds1', run, async () => {
      await withHostingLease(kube, 'wds restart wds1', run, async () => undefined);
      assert.notEqual(cluster.lease, undefined);
    });
    assert.deepEqual(cluster.writes, ['POST leases', 'DELETE stellarctl']);
  });
});

describe('a second run', () => {
  test('names the holder, waits until it has ended, and then works', async () => {
    cluster.put(leasePath, leaseOf(otherMachine));
    const waiting = take(5000);
    await sleep(700);
    cluster.objects.delete(leasePath);
    const { outcome, lines } = await waiting;
    assert.equal(outcome, 'worked');
    assert.equal(lines[0], 'changed fake waiting for another run: bob@desk, init, process 1');
    assert.equal(lines.filter((line) => line.startsWith('changed')).length, 1);
  });

  for (const timeoutMs of [0, 900])
    test(`exits 1 at its deadline, and names the holder: --timeout ${timeoutMs}ms`, async () => {
      const present = cluster.put(leasePath, leaseOf(otherMachine));
      const { kube, run } = cluster.run(timeoutMs);
      await assert.rejects(
        withHostingLease(kube, 'init', run, async () => assert.fail()),
        failsWith({
          code: 'hosting-busy',
          exitCode: 1,
          message: /^Another run on fake \(.*\) is in progress: bob@desk, init, process 1\.$/,
          steps: /rerun the command\n.*kubectl --context fake -n default delete lease stellarctl/,
        }),
      );
      assert.deepEqual(cluster.writes, []);
      assert.equal(cluster.lease?.metadata.uid, present.metadata.uid);
    });

  test('waits for the one that creates the Lease at the same time', async () => {
    let isFirst = true;
    cluster.beforeWrite = () => {
      if (isFirst) cluster.put(leasePath, leaseOf(otherMachine));
      isFirst = false;
    };
    assert.equal((await take()).outcome, 'hosting-busy');
  });

  test('names the holder in a dry run, and writes nothing', async () => {
    cluster.put(leasePath, leaseOf(otherMachine));
    const { kube, run } = cluster.run();
    const dry = recordWrites(kube, () => assert.fail('a write was recorded'));
    assert.equal(await withHostingLease(dry, 'init', run, async () => 'planned'), 'planned');
    assert.match(
      run.progress.lines.join('\n'),
      /waiting for another run: bob@desk, init, process 1/,
    );
    assert.deepEqual(cluster.writes, []);
  });
});

describe('a Lease is abandoned', () => {
  const isTaken = async (lease: Lease) => {
    cluster.put(leasePath, lease);
    return (await take(300)).outcome === 'worked';
  };

  test('if its process on this machine has ended', async () =>
    assert.ok(await isTaken(leaseOf(await endedProcess()))));

  test('if its end has passed, wherever it ran', async () =>
    assert.ok(await isTaken(leaseOf(otherMachine, 1001))));

  test('and the next run names its holder', async () => {
    cluster.put(leasePath, leaseOf(await endedProcess()));
    const { lines } = await take(300);
    matches(lines[0], /^changed fake continuing after another run: bob@desk, init, process \d+$/);
    assert.deepEqual(cluster.writes, ['DELETE stellarctl', 'POST leases', 'DELETE stellarctl']);
  });

  describe('and is not', () => {
    test('while its process runs', async () =>
      assert.ok(!(await isTaken(leaseOf(await describeProcess(process.pid))))));

    test('on another machine, after another boot, or where neither is known', async () => {
      const ended = await endedProcess();
      const elsewhere = [
        ended.replace(/ on /, ' on other-'),
        ended.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
        ended.replace(/ on .*/, ''),
        '',
      ];
      for (const words of elsewhere) assert.ok(!(await isTaken(leaseOf(words))), words);
    });

    test('before its end by the clock of the cluster, whatever the local one says', async () => {
      cluster.aheadMs = -600_000;
      assert.ok(!(await isTaken(leaseOf(otherMachine, 1500))));
      cluster.aheadMs = 600_000;
      assert.ok(await isTaken(leaseOf(otherMachine, 500)));
    });
  });
});

test('a Lease without times, whose holder is no text, is not of stellarctl, and is not abandoned', async () => {
  cluster.objects.set(leasePath, {
    ...leaseOf(otherMachine),
    spec: { holderIdentity: 7 },
  } as never);
  assert.equal((await take(100)).outcome, 'hosting-busy');
});

test('a run that is killed leaves its Lease, and the next one on this machine works at once', async () => {
  const source = path.resolve(import.meta.dirname, '..', '..', '..', '..', '..', 'src', 'lib');
  const script = `
    const { connect } = await import('${source}/kube/client/client.ts');
    const { withHostingLease } = await import('${source}/spaces/hosting/hosting-lease.ts');
    const { Deadline } = await import('${source}/core/deadline.ts');
    const { silentProgress } = await import('${source}/core/run.ts');
    const run = { progress: silentProgress, deadline: new Deadline(60000), signal: new AbortController().signal };
    const kube = connect(JSON.parse(process.env.CONTEXT), run);
    await withHostingLease(kube, 'init', run, () => new Promise((resolve) => setTimeout(resolve, 60000)));`;
  const env = { ...process.env, CONTEXT: JSON.stringify(cluster.context()) };
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    env,
    stdio: 'inherit',
  });
  while (cluster.lease === undefined) await sleep(50);
  assert.equal((await take(300)).outcome, 'hosting-busy');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.notEqual(cluster.lease, undefined);
  assert.equal((await take(300)).outcome, 'worked');
  assert.equal(cluster.lease, undefined);
});
