import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type AnyObject,
  type Bed,
  faultyPods,
  type Plane,
  resources,
  startBed,
  untilApplied,
} from '../../../testbed/index.ts';
import { Cli } from '../support/harness.ts';
import { inventoryOf, inventoryOfHub } from '../support/inventory.ts';
import { assertRefused } from '../support/refusal.ts';
import { contextsOf, join } from '../support/registration.ts';
import { type RunningWorkload, runWorkload } from '../support/workloads.ts';

let bed: Bed;
let cli: Cli;
let its1: Plane;
let cluster1: Plane;
let originally: Awaited<ReturnType<typeof inventories>>;
let workload: RunningWorkload;
let mend: () => Promise<unknown>;

const inventories = async () => ({
  its1: await inventoryOfHub(its1),
  cluster1: await inventoryOf(cluster1),
});

before(async () => {
  const planes = [{ name: 'its1', hub: true }, { name: 'cluster1' }];
  bed = await startBed({ planes });
  [its1, cluster1] = [bed.plane('its1'), bed.plane('cluster1')];
  cli = await Cli.create(await contextsOf(its1, cluster1));
  originally = await inventories();
});

after(async () => {
  await cli?.remove();
  await bed?.stop();
});

const line = ['deregister', 'cluster1=cluster1', '--its', 'its1', '--yes', '--cleanup'];

const clusterOn = (its: Plane) => its.admin.find<AnyObject>(resources.managedClusters, 'cluster1');

describe('a WEC that receives works from a policy for every cluster', () => {
  it('stays, with its labels restored, and the policy is named', async () => {
    await join(cli, its1, 'cluster1', '--label env=edge');
    workload = await runWorkload(its1, cluster1, { policy: 'everywhere', matchLabels: {} });
    const before = await clusterOn(its1);
    const run = await cli.run(line);
    assertRefused(run, {
      exitCode: 1,
      says: /cluster1 could not be released.*everywhere \(wds1\)/,
      hint: /kubectl --context wds1 edit bindingpolicy everywhere/,
    });
    assert.match(run.stderr, /Restored: label env=edge/);
    const stays = await clusterOn(its1);
    assert.equal(stays?.metadata.deletionTimestamp, undefined);
    assert.deepEqual(stays?.metadata.labels, before?.metadata.labels);
    assert.deepEqual(stays?.metadata.annotations, before?.metadata.annotations);
    await untilApplied(its1, 'cluster1', 3);
  });

  it('is reported as half deregistered if its ITS restarts meanwhile, and can be restored', async () => {
    workload.stop();
    const before = await clusterOn(its1);
    mend = await bed.fault({ kind: 'dead', plane: 'cluster1', pod: faultyPods.agents });
    const run = await cli.run(line, {
      whenPrinted: { text: /being removed/, act: () => its1.stop() },
    });
    assert.equal(run.exitCode, 4, run.stderr);
    assert.match(run.stderr, /Not restored: label env=edge/);
    assert.match(run.stderr, /stellarctl deregister cluster1 --undo --its its1/);
    await its1.start();
    const { stdout } = await cli.type('wec list --its its1');
    assert.match(stdout, /deregistration/);
    await cli.type('deregister cluster1 --undo --its its1');
    const stays = await clusterOn(its1);
    assert.deepEqual(stays?.metadata.labels, before?.metadata.labels);
    assert.deepEqual(stays?.metadata.annotations, before?.metadata.annotations);
  });

  it('leaves once no policy sends works to it, even if the ITS restarts meanwhile', async () => {
    await mend();
    workload = await runWorkload(its1, cluster1, { policy: 'everywhere', matchLabels: {} });
    workload.stop();
    const run = await cli.succeed(line, {
      whenPrinted: { text: /released from everywhere/, act: () => restart(its1) },
    });
    assert.match(run.stderr, /released from everywhere/);
    assert.equal(run.stdout, 'cluster1: deregistered\n');
    assert.deepEqual(await inventories(), originally);
  });
});

async function restart(plane: Plane) {
  await plane.stop();
  await plane.start();
}
