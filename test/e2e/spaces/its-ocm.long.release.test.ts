/** The version of OCM in an ITS: what `its create` and `its repair` end with. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import {
  type AnyObject,
  askForForeignCertificate,
  type Plane,
  resources,
  until,
} from '../../../testbed/index.ts';
import { runKilled, type WatchedWrites, watchWrites } from '../support/killed-runs.ts';
import { statusOf } from '../support/registration.ts';
import {
  controlPlane,
  type HostingBed,
  type SpaceCli,
  startHosting,
  tagsIn,
  untilReady,
} from '../support/spaces.ts';

let all: HostingBed;
let cli: SpaceCli;
let hosting: Plane;
let watched: WatchedWrites;
let kubeconfig: string;

const jobs = { apiVersion: 'batch/v1', kind: 'Job', plural: 'jobs', namespaced: true };

before(async () => {
  all = await startHosting([{ name: 'cluster1' }, { name: 'cluster10' }], { hasNewerOcm: true });
  ({ cli, hosting } = all);
  watched = await watchWrites([hosting], all.bed.plane('cluster1'), all.bed.plane('cluster10'));
  ({ kubeconfig } = watched);
});

after(async () => {
  watched?.stop();
  await all?.stop();
});

const versionsOfHub = () => tagsIn(hosting, 'open-cluster-management-hub');

it('a new ITS ends with OCM 1.0.1, although the run is killed while it changes that', async () => {
  const changing = /\/(deployments|clustermanagers)\/cluster-manager/;
  const { writes, last } = await runKilled(
    cli,
    'its create its1 --type host',
    {
      ...watched,
      listen: (onWrite) => watched.listen((write) => changing.test(write) && onWrite(write)),
    },
    { inCi: Number.POSITIVE_INFINITY },
  );
  assert.ok(writes.length > 0);
  assert.match(last.stdout, /^its1: ready/m);
  assert.deepEqual(await versionsOfHub(), ['v1.0.1']);
});

it('no WEC gets the group of another one there', async () => {
  await cli.type('wec join cluster1 cluster10 --accept --its its1', { kubeconfig });
  const cluster10 = all.bed.plane('cluster10').admin;
  const access = await askForForeignCertificate(hosting.admin, cluster10, 'cluster1');
  assert.deepEqual(access, { own: 'Forbidden', foreign: undefined });
});

it('a repair after the hook has failed does not run it over a newer OCM', async () => {
  const manager = () => hosting.admin.get<AnyObject>(resources.clusterManagers, 'cluster-manager');
  const before = await manager();
  await hosting.admin.delete(jobs, 'its1-system/its-hub-init', { propagationPolicy: 'Background' });
  const containers = [
    { name: 'clusteradm', image: 'quay.io/kubestellar/clusteradm:1.0.0', args: ['fail'] },
  ];
  await hosting.admin.create(jobs, {
    metadata: { name: 'its-hub-init', namespace: 'its1-system' },
    spec: { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers } } },
  } as never);
  const job = () => hosting.admin.get<AnyObject>(jobs, 'its1-system/its-hub-init');
  await until(async () => statusOf(await job(), 'Failed') === 'True', 'a failed Job');
  assert.match(
    (await cli.run(['its', 'get', 'its1'], { kubeconfig })).stdout,
    /its-hub-init has failed/,
  );
  const { stdout, stderr } = await cli.type('its repair its1', { kubeconfig });
  assert.match(stdout + stderr, /hook its-hub-init completed without running it: OCM is newer/);
  await untilReady(hosting, 'its1');
  assert.equal((await manager()).metadata.generation, before.metadata.generation);
  assert.deepEqual(await versionsOfHub(), ['v1.0.1']);
  assert.equal(statusOf(await controlPlane(hosting, 'its1'), 'Ready'), 'True');
  assert.match(
    (await cli.type('its repair its1', { kubeconfig })).stdout,
    /^its1: is ready; nothing to do/m,
  );
});

it('an upgrade whose program crashes ends with its last words', async () => {
  const log = ['panic: no such flag'];
  const mend = await all.bed.fault({ kind: 'failing', image: 'registration-operator:v1.2.1', log });
  const run = await cli.run('its upgrade its1 --to 1.2.1'.split(' '), {
    kubeconfig,
    longest: 120_000,
  });
  await mend();
  assert.equal(run.exitCode, 1, run.stderr);
  assert.match(
    run.stderr,
    /OCM 1\.2\.1 does not run in its1: pod cluster-manager-\S+, .* it keeps crashing/,
  );
  assert.match(run.stderr, /panic: no such flag/);
  assert.match(
    run.stderr,
    /kubectl --context its1 -n open-cluster-management logs cluster-manager-\S+/,
  );
});
