import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Bed, type Plane, startBed, wipeWec, writeKubeconfig } from '../../../testbed/index.ts';
import { Cli, type CliRun } from '../support/harness.ts';
import { inventoryOf } from '../support/inventory.ts';
import { assertAvailable, contextsOf } from '../support/registration.ts';
import { WriteProxy } from '../support/write-proxy.ts';

let bed: Bed;
let cli: Cli;
let its1: Plane;
let cluster1: Plane;
let hubProxy: WriteProxy;
let wecProxy: WriteProxy;
let kubeconfig: string;

/** What is called after each write to either plane. */
let onWrite: (description: string) => void = () => {};

before(async () => {
  bed = await startBed({ planes: [{ name: 'its1', hub: true }, { name: 'cluster1' }] });
  [its1, cluster1] = [bed.plane('its1'), bed.plane('cluster1')];
  cli = await Cli.create(await contextsOf(its1, cluster1));
  [hubProxy, wecProxy] = (await Promise.all(
    [its1, cluster1].map((plane) => WriteProxy.start(plane, (description) => onWrite(description))),
  )) as [WriteProxy, WriteProxy];
  kubeconfig = await writeKubeconfig(its1, [hubProxy.entry, wecProxy.entry]);
});

after(async () => {
  hubProxy?.stop();
  wecProxy?.stop();
  await cli?.remove();
  await bed?.stop();
});

const line = ['wec', 'join', 'cluster1', '--accept', '--label', 'location-group=edge'];

/** Runs the join, and kills it as soon as the servers have answered a write that `isFatal` says. */
async function joinKilled(
  isFatal: (write: string, count: number) => boolean,
): Promise<{ run: CliRun; writes: string[] }> {
  const writes: string[] = [];
  let kill: ((signal: NodeJS.Signals) => void) | undefined;
  let killed = false;
  onWrite = (description) => {
    // Names of requests end in letters that the API server makes up.
    const write = description.replace(/(certificatesigningrequests\/cluster1-)\w+/, '$1*');
    writes.push(write);
    if (killed || !isFatal(write, writes.length)) return;
    killed = true;
    kill?.('SIGKILL');
  };
  try {
    const onStart = (killer: typeof kill) => {
      kill = killer;
    };
    const run = await cli.run(line, { kubeconfig, onStart });
    assert.equal(run.signal, killed ? 'SIGKILL' : undefined);
    return { run, writes };
  } finally {
    onWrite = () => {};
  }
}

const bothInventories = async () => ({ its1: await inventoryOf(its1), cluster1: await inventoryOf(cluster1) });

describe('a join that is killed right after a write', () => {
  let uninterrupted: Awaited<ReturnType<typeof bothInventories>>;
  let writesNeeded: string[];

  before(async () => {
    const { run, writes } = await joinKilled(() => false);
    assert.equal(run.exitCode, 0, run.stderr);
    writesNeeded = writes;
    uninterrupted = await bothInventories();
    await wipeWec(its1, cluster1, 'cluster1');
  });

  it('completes when rerun, even if killed after each of its writes', async () => {
    const left = [...writesNeeded];
    const isFatal = (write: string) => {
      const index = left.indexOf(write);
      if (index !== -1) left.splice(index, 1);
      return index !== -1;
    };
    let run: CliRun;
    do ({ run } = await joinKilled(isFatal));
    while (run.signal !== undefined);
    assert.deepEqual(left, [], 'writes that no run was killed after');
    assert.equal(run.exitCode, 0, run.stderr);
    await assertAvailable(its1, 'cluster1');
  });

  it('leaves both clusters as an uninterrupted join does', async () => {
    assert.deepEqual(await bothInventories(), uninterrupted);
  });

  for (const [which, share] of [
    ['first', 0],
    ['one of the middle', 0.5],
    ['last but one', 0.9],
  ] as const) {
    it(`completes with one rerun after the ${which} of its writes`, async () => {
      await wipeWec(its1, cluster1, 'cluster1');
      const k = 1 + Math.floor(share * (writesNeeded.length - 1));
      const { run } = await joinKilled((_, count) => count === k);
      assert.equal(run.signal, 'SIGKILL');
      const again = await cli.succeed(line);
      assert.match(again.stdout, /^cluster1: (joined and available|is registered)/);
      await assertAvailable(its1, 'cluster1');
      assert.deepEqual(await bothInventories(), uninterrupted);
    });
  }
});
