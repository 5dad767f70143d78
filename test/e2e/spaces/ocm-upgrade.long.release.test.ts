/** OCM 1.0.0, which the hooks install, is upgraded to the real 1.2.1 on the hub and on WECs while workloads run. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import {
  type AnyObject,
  askForForeignCertificate,
  bindWorkload,
  demoManifests,
  type Plane,
  resources,
  until,
} from '../../../testbed/index.ts';
import { inRelease, isRelease } from '../support/in-release.ts';
import { runKilled, type WatchedWrites, watchWrites } from '../support/killed-runs.ts';
import { type HostingBed, type SpaceCli, startHosting, tagsIn } from '../support/spaces.ts';
import { workloadOn } from '../support/workloads.ts';

let all: HostingBed;
let cli: SpaceCli;
let hosting: Plane;
let watched: WatchedWrites;
let kubeconfig: string;
/** The second one has a Deployment for each agent. */
const longest = 300_000;
const names = ['cluster1', 'cluster10'];
/** Each takes two minutes: OCM's programs wait for the leases of those that they follow. */
const upgraded = isRelease ? names : ['cluster1'];
const earlier = new Map<string, string[]>();
const once = { inCi: Number.POSITIVE_INFINITY };

before(async () => {
  all = await startHosting(
    names.map((name) => ({ name })),
    { hasNewerOcm: true },
  );
  ({ cli, hosting } = all);
  watched = await watchWrites([hosting, ...names.map((name) => all.bed.plane(name))]);
  ({ kubeconfig } = watched);
  await type('its create its1 --type host --ocm-version chart');
  for (const name of names) {
    const mode = name === 'cluster10' ? 'Default' : 'Singleton';
    await type(`wec join ${name} --its its1 --mode ${mode}`);
    // Renewals are soon enough for a test, and the hub waits five of them, longer than an agent takes to start.
    await hosting.admin.patch(resources.managedClusters, name, {
      spec: { leaseDurationSeconds: 20 },
    });
    await type(`accept ${name} --its its1`);
    // No WDS can be read here.
    await type(`label ${name} shop=${name} --its its1 --yes --max-removed 0`);
    const manifests = demoManifests(`${name}-space`);
    await bindWorkload(hosting, { policy: name, matchLabels: { shop: name }, manifests });
    // Three works, that of the status add-on, the Klusterlet, three objects and a pod.
    // A kind that has just been defined is not served yet.
    const uids = () => uidsOn(name).catch(() => []);
    await until(async () => (await uids()).length === 9, `works and a workload on ${name}`);
    earlier.set(name, await uidsOn(name));
  }
});

after(async () => {
  watched?.stop();
  await all?.stop();
});

/** Of cluster10, whose name begins with that of cluster1. */
const askForCluster1 = () =>
  askForForeignCertificate(hosting.admin, all.bed.plane('cluster10').admin, 'cluster1');

/** Of what doctor finds to be wrong. */
async function codes() {
  const run = await cli.run('doctor --its its1 -o json'.split(' '), { kubeconfig });
  const findings = run.json() as { items: { status: string; code?: string }[] };
  return findings.items.flatMap(({ status, code = '' }) => (status === 'fail' ? code : []));
}

const type = (line: string) => cli.type(line, { kubeconfig });

async function uidsOn(name: string) {
  const { admin } = all.bed.plane(name);
  const works = await admin.list<AnyObject>(appliedWorks);
  const own = works.items.map(({ metadata }) => `${metadata.name} ${metadata.uid}`);
  const klusterlet = await admin.get<AnyObject>(resources.klusterlets, 'klusterlet');
  return [
    ...own,
    `klusterlet ${klusterlet.metadata.uid}`,
    ...(await workloadOn(all.bed.plane(name), `${name}-space`)).uids,
  ];
}
const appliedWorks = {
  ...{ apiVersion: 'work.open-cluster-management.io/v1', kind: 'AppliedManifestWork' },
  ...{ plural: 'appliedmanifestworks', namespaced: false },
};

it('has a hub that gives the group of a WEC to one whose name begins with its name', async () => {
  assert.match(
    (await type('accept cluster10 --its its1')).stderr,
    /CVE-2026-4740.*cluster10 gets the group of cluster1/,
  );
  assert.deepEqual(await codes(), ['known-hole']);
  assert.deepEqual(await askForCluster1(), { own: 'Forbidden', foreign: 'reads and writes' });
  assert.deepEqual(await codes(), ['known-hole', 'mixed-request']);
  assert.doesNotMatch((await type('version --its its1')).stdout, /fit together/);
  assert.match((await type('status')).stdout, /OCM 1\.0\.0 · ✗ CVE-2026-4740/);
});

it('is planned: the hub first, then its WECs', async () => {
  const plan = await cli.run('upgrade plan cluster1 --exit-code -o json'.split(' '), {
    kubeconfig,
  });
  assert.equal(plan.exitCode, 5, plan.stderr);
  const { items } = plan.json() as { items: { name: string; command: string | null }[] };
  assert.deepEqual(
    items.flatMap(({ command }) => command ?? []),
    [
      'stellarctl its upgrade its1 --hosting-context hosting',
      'stellarctl wec upgrade cluster1=cluster1',
    ],
  );
});

it('is refused on a WEC before its hub, and in versions that are not known', async () => {
  for (const [line, why] of [
    [
      'wec upgrade cluster1 --its its1 --to 1.3.1',
      /its1 runs OCM 1\.0\.0: an agent must not be newer than its hub/,
    ],
    ['its upgrade its1 --to 1.9.0', /OCM 1\.9\.0 is no version that stellarctl upgrades to/],
    ['its upgrade cluster1', /There is no ITS cluster1/],
  ] as const)
    assert.match((await cli.run(line.split(' '), { kubeconfig })).stderr, why);
});

it('runs on the hub in the new version, although it is killed in between', async () => {
  const line = 'its upgrade its1 --hosting-context hosting --to 1.2.1';
  const { writes, last } = await runKilled(cli, line, watched, once);
  assert.match(last.stdout, /^its1: (upgraded.*; )?runs OCM 1\.2\.1/m);
  if (isRelease)
    for (const write of [
      'clusterroles/cluster-manager',
      'deployments/cluster-manager',
      'clustermanagers/cluster-manager',
    ])
      assert.ok(writes.includes(`PATCH ${write}`), writes.join(', '));
  assert.deepEqual(await tagsIn(hosting, 'open-cluster-management-hub'), ['v1.2.1']);
  // On a busy machine a controller loses its lock, and is waited for: that counts as an upgrade.
  assert.match(
    (await type('its upgrade its1 --to 1.2.1')).stdout,
    /^its1: (?:upgraded; )?runs OCM 1\.2\.1/m,
  );
  for (const name of names) assert.deepEqual(await uidsOn(name), earlier.get(name));
});

it('has a hub that gives no WEC the group of another one any more', async () => {
  assert.deepEqual(await askForCluster1(), { own: 'Forbidden', foreign: undefined });
});

it(
  'stops at an image that cannot be pulled, while the present agent works',
  inRelease,
  async () => {
    const mend = await all.bed.fault({ kind: 'unpullable', image: 'registration-operator:v1.2.1' });
    const run = await cli.run('wec upgrade cluster1 cluster10 --its its1 --to 1.2.1'.split(' '), {
      kubeconfig,
      longest,
    });
    assert.equal(run.exitCode, 1, run.stderr);
    assert.match(
      run.stderr,
      /The upgrade of cluster1 from OCM 1\.0\.0 to 1\.2\.1 is not done: .*cannot be pulled/,
    );
    assert.match(run.stdout, /cluster10: not begun/);
    await type('wec wait cluster1 cluster10 --its its1');
    for (const name of names) assert.deepEqual(await uidsOn(name), earlier.get(name));
    await mend();
  },
);

it('runs on WECs in the new version, with the same works and workloads, although it is killed in between', async () => {
  const line = `wec upgrade ${upgraded.map((name) => `${name}=${name}`).join(' ')} --its its1`;
  const { writes, last } = await runKilled(cli, line, watched, once);
  assert.ok(writes.includes('PATCH deployments/klusterlet'), writes.join(', '));
  for (const name of upgraded) {
    assert.match(
      last.stdout,
      new RegExp(`^${name}: runs OCM 1\\.2\\.1; its works are the same`, 'm'),
    );
    assert.deepEqual(await uidsOn(name), earlier.get(name));
    const plane = all.bed.plane(name);
    assert.deepEqual(await tagsIn(plane, 'open-cluster-management-agent'), ['v1.2.1']);
  }
  const { stdout } = await type(`${line} -o json`);
  assert.deepEqual(
    JSON.parse(stdout).items.map(({ state, changed }: { state: string; changed: boolean }) => [
      state,
      changed,
    ]),
    upgraded.map(() => ['unchanged', false]),
  );
  // What was issued before the upgrade stays valid.
  assert.deepEqual(await codes(), ['mixed-request']);
});
