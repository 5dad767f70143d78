import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Bed, type Plane, resources, until } from '../../../testbed/index.ts';
import { Cli } from '../support/harness.ts';
import { isRelease } from '../support/in-release.ts';
import { assertUnwritten, markAll, writesOn } from '../support/refusal.ts';
import { assertAvailable, contextsOf, restartPods, statusOf } from '../support/registration.ts';
import { enterBed, leaveBed } from '../support/shared-bed.ts';

let bed: Bed;
/** The administrator of the ITS, and one who has access to the WECs only. */
let ofIts: Cli;
let ofWecs: Cli;
let its1: Plane;
let cluster1: Plane;
let cluster2: Plane;
let joinFile: string;

before(async () => {
  bed = await enterBed([{ name: 'its1', hub: true }, { name: 'cluster1' }, { name: 'cluster2' }]);
  [its1, cluster1, cluster2] = ['its1', 'cluster1', 'cluster2'].map((name) => bed.plane(name)) as [
    Plane,
    Plane,
    Plane,
  ];
  ofIts = await Cli.create(await contextsOf(its1));
  ofWecs = await Cli.create(await contextsOf(cluster1, cluster2));
  joinFile = path.join(ofWecs.home, 'its1.join');
  await ofIts.succeed(['its', 'token', '--file', joinFile]);
});

after(async () => {
  await ofIts?.remove();
  await ofWecs?.remove();
  await leaveBed();
});

/** A token that the ITS refuses ends a join at once, with the step that cures it. */
async function refuseForged() {
  const forged = path.join(ofWecs.home, 'forged.join');
  const asked = JSON.parse(await readFile(joinFile, 'utf8')) as { token: string };
  const [head, body] = asked.token.split('.');
  const token = [head, body, Buffer.from('not its signature').toString('base64url')].join('.');
  await writeFile(forged, JSON.stringify({ ...asked, token }));
  const refused = await ofWecs.run(['wec', 'join', 'cluster1', '--join-file', forged]);
  assert.equal(refused.exitCode, 1, refused.stderr);
  assert.match(
    refused.stderr,
    /the hub does not accept the bootstrap token.*\n *Ask the administrator of the ITS for a new one/,
  );
}

describe("wec join with a join file and the WEC's kubeconfig alone", { concurrency: true }, () => {
  // What it prints: test/golden/wecs/2-accept.txt.
  it('registers from a file, and writes nothing on the ITS; the administrator there accepts', async () => {
    const line = `wec join cluster1 --join-file ${joinFile}`;
    // The agent that has had another token may wait minutes for the lock of its predecessor.
    if (isRelease) await refuseForged();
    await ofWecs.type(line);
    assert.deepEqual(
      (await writesOn(its1)).filter((write) => write.includes('cluster1')),
      [],
    );
    await ofIts.type('accept cluster1 --wait');
    await assertAvailable(its1, 'cluster1');

    // Before the operator's first check: reached stages are reported, and no second acceptance is needed.
    const soon = await ofWecs.type(line);
    assert.match(
      soon.stdout,
      /^cluster1: (not connected yet|is registered with its1 and connected)/,
    );
    assert.doesNotMatch(soon.stderr, /accept/);

    // The operator checks the connection twice a minute, and when it starts.
    await restartPods(cluster1, 'open-cluster-management');
    await until(async () => {
      const klusterlet = await cluster1.admin.get(resources.klusterlets, 'klusterlet');
      return statusOf(klusterlet, 'HubConnectionDegraded') === 'False';
    }, 'word of the operator that its agent is connected');
    await markAll([cluster1]);
    const again = await ofWecs.type(line);
    assert.match(
      again.stdout,
      /^cluster1: is registered with its1 and connected; nothing to do\.\n$/,
    );
    await assertUnwritten([cluster1]);
  });

  it('registers from stdin, in mode Default, with one JSON document', async () => {
    const input = await readFile(joinFile, 'utf8');
    const { json } = await ofWecs.succeed(
      ['wec', 'join', 'cluster2', '--join-file', '-', '--mode', 'Default', '-o', 'json'],
      { input },
    );
    const { items } = json();
    const { blockedAt, ...item } = items[0];
    assert.deepEqual(item, { name: 'cluster2', stage: 'hub-reachable', changed: true });
    assert.deepEqual(
      [items.length, blockedAt.stage, blockedAt.state],
      [1, 'hub-secret', 'waiting'],
    );
    await ofIts.succeed(['accept', 'cluster2', '--wait']);
    await assertAvailable(its1, 'cluster2');
  });
});
