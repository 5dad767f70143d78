/** Joins and deregistrations that are stopped midway, by a signal or because their output is closed, and rerun once. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type AnyObject,
  type Bed,
  bindWorkload,
  type Plane,
  resources,
  startBed,
  untilApplied,
} from '../../../testbed/index.ts';
import { Cli, type CliOptions, type CliRun } from '../support/harness.ts';
import { inventoryOf } from '../support/inventory.ts';
import { assertAvailable, contextsOf } from '../support/registration.ts';

/** A way to stop a run as soon as it has printed this text, and how the run then ends. */
interface Stop {
  how: string;
  at: (text: RegExp) => CliOptions;
  exitCode: number;
  /** The number of rounds; all by default. Cleanup does not depend on the signal. */
  rounds?: number;
}

const signalled = (signal: NodeJS.Signals, exitCode: number): Stop => ({
  how: signal,
  at: (text) => ({ signalAt: { text, signal } }),
  exitCode,
});

/** Each on its own WEC. */
const stops: Record<string, Stop> = {
  cluster1: signalled('SIGINT', 130),
  cluster2: { ...signalled('SIGHUP', 143), rounds: 1 },
  // No one asked it to end: it completes silently.
  cluster3: { how: 'the reader of its output closed', at: (text) => ({ closeOutputAt: text }), exitCode: 0 },
};
const names = Object.keys(stops);
const wecs = [...names, 'other'];

interface Point {
  what: string;
  text: (name: string) => RegExp;
}

/** Where a join and the deregistration after it are stopped: every round restores the WEC. */
const rounds: { join: Point; deregister: Point }[] = [
  {
    join: { what: 'the klusterlet is applied', text: (name) => new RegExp(`^${name}: klusterlet applied`, 'm') },
    deregister: {
      what: 'its labels are replaced, and its works are being removed',
      text: (name) => new RegExp(`^PATCH .*/managedclusters/${name}\\b.* 200 `, 'm'),
    },
  },
  {
    join: {
      what: 'its request is approved',
      text: (name) => new RegExp(`^${name}: request ${name}-\\S+ approved`, 'm'),
    },
    deregister: {
      what: 'its ManagedCluster is being deleted',
      text: (name) => new RegExp(`^${name}: released from edge`, 'm'),
    },
  },
  {
    join: { what: 'it is accepted', text: (name) => new RegExp(`^${name}: cluster accepted`, 'm') },
    deregister: {
      what: 'the cluster is being cleaned up',
      text: (name) => new RegExp(`^${name}: klusterlet removed`, 'm'),
    },
  },
];

const join = (name: string) => ['wec', 'join', `${name}=${name}`, '--its', 'its1', '--accept', '--label', 'env=edge'];
const deregister = (name: string) => ['deregister', `${name}=${name}`, '--its', 'its1', '--cleanup', '--yes'];

let bed: Bed;
let cli: Cli;
let its1: Plane;
/** Objects of others on each WEC before any registration. */
const originally = new Map<string, unknown>();
let ofOthers: Awaited<ReturnType<typeof whatOthersHave>>;

before(async () => {
  bed = await startBed({ planes: [{ name: 'its1', hub: true }, ...wecs.map((name) => ({ name }))] });
  its1 = bed.plane('its1');
  cli = await Cli.create(await contextsOf(its1, ...wecs.map((name) => bed.plane(name))));
  const manifests = [configMap('sent', 'default')];
  await bindWorkload(its1, { policy: 'edge', matchLabels: { env: 'edge' }, manifests });
  await Promise.all(
    wecs.map(async (name) => {
      const { admin } = bed.plane(name);
      await admin.create(resources.namespaces, { metadata: { name: 'theirs' } } as never);
      for (const namespace of ['theirs', 'default'])
        await admin.create(resources.configMaps, configMap('own', namespace));
      originally.set(name, await inventoryOf(bed.plane(name)));
    }),
  );
  await cli.succeed(join('other'));
  await untilApplied(its1, 'other', 1);
  ofOthers = await whatOthersHave();
});

after(async () => {
  await cli?.remove();
  await bed?.stop();
});

const configMap = (name: string, namespace: string): AnyObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data: { a: 'b' },
});

const clusterOf = (name: string) => its1.admin.find<AnyObject>(resources.managedClusters, name);

/** What a join or deregistration of a WEC must not change: objects of others there, and another WEC with its works. */
async function whatOthersHave() {
  const uidOf = async (plane: Plane, resource: Parameters<Plane['admin']['find']>[0], key: string) =>
    `${plane.name} ${key} ${(await plane.admin.find<AnyObject>(resource, key))?.metadata.uid}`;
  const other = (await clusterOf('other'))?.metadata;
  const works = await its1.admin.list<AnyObject>(resources.manifestWorks, { namespace: 'other' });
  return {
    cluster: { uid: other?.uid, labels: other?.labels, annotations: other?.annotations },
    works: works.items.map(({ metadata }) => metadata.uid),
    objects: await Promise.all([
      uidOf(its1, resources.namespaces, 'other'),
      uidOf(bed.plane('other'), resources.klusterlets, 'klusterlet'),
      uidOf(bed.plane('other'), resources.configMaps, 'default/sent'),
      ...wecs.flatMap((name) => [
        uidOf(bed.plane(name), resources.namespaces, 'theirs'),
        uidOf(bed.plane(name), resources.configMaps, 'theirs/own'),
        uidOf(bed.plane(name), resources.configMaps, 'default/own'),
      ]),
    ]),
  };
}

/** Runs a command until it is stopped at this point. */
async function stopped(line: string[], { at, exitCode }: Stop, text: RegExp): Promise<CliRun> {
  const run = await cli.run(line, at(text));
  const all = `${run.stdout}${run.stderr}`;
  assert.equal(run.exitCode, exitCode, all);
  assert.match(run.stderr, text);
  // Neither finished before the stop, nor read to its end.
  assert.equal(run.stdout, '', all);
  if (exitCode !== 0) assert.match(run.stderr, /^✗ Interrupted\.$/m);
  return run;
}

/** A stopped run that exited with 0 has left nothing to do. */
function assertDone({ exitCode }: Stop, again: CliRun): void {
  if (exitCode === 0) assert.match(again.stdout, /nothing to do/);
}

/** At once: works that restored labels bring back may appear at any moment, including between the two reads of this run. */
async function deregisterAgain(name: string): Promise<CliRun> {
  const run = await cli.run(deregister(name));
  if (run.exitCode === 0) return run;
  assert.match(run.stderr, /^✗ More would be lost now than when the command began. Nothing was written/m);
  return cli.succeed(deregister(name));
}

describe('a command that is rerun after a stop', { concurrency: true }, () => {
  for (const [name, stop] of Object.entries(stops)) {
    describe(`by ${stop.how}`, { concurrency: 1 }, () => {
      for (const { join: joinPoint, deregister: deregisterPoint } of rounds.slice(0, stop.rounds)) {
        it(`joins a WEC: stopped when ${joinPoint.what}`, async () => {
          await stopped(join(name), stop, joinPoint.text(name));
          assertDone(stop, await cli.succeed(join(name)));
          assert.equal((await assertAvailable(its1, name)).metadata.labels?.env, 'edge');
          await untilApplied(its1, name, 1);
          assert.deepEqual(await whatOthersHave(), ofOthers);
        });

        it(`deregisters it: stopped when ${deregisterPoint.what}`, async () => {
          // With its requests, which show writes.
          await stopped([...deregister(name), '-v'], stop, deregisterPoint.text(name));
          const stays = await clusterOf(name);
          // What is not being deleted must be selected as before.
          if (stays && !stays.metadata.deletionTimestamp) assert.equal(stays.metadata.labels?.env, 'edge');
          assertDone(stop, await deregisterAgain(name));
          assert.equal(await clusterOf(name), undefined);
          assert.equal(await its1.admin.find(resources.namespaces, name), undefined);
          // No Klusterlet, agent or agent namespace: only what existed before the join.
          assert.deepEqual(await inventoryOf(bed.plane(name)), originally.get(name));
          assert.deepEqual(await whatOthersHave(), ofOthers);
        });
      }
    });
  }
});
