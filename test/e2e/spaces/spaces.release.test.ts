/** The life of ITSes and WDSes of every type, with registered clusters and workloads. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { stringify } from 'yaml';
import {
  type AnyObject,
  type Api,
  faultyPods,
  type Plane,
  resources,
  until,
} from '../../../testbed/index.ts';
import { readArchive } from '../support/archive.ts';
import { inventoryOf } from '../support/inventory.ts';
import { assertUnwritten, markAll } from '../support/refusal.ts';
import {
  assertAvailableIn,
  controlPlane,
  type HostingBed,
  type RawKubeconfig,
  readKubeconfig,
  type SpaceCli,
  secretWordsOf,
  sendFrom,
  startHosting,
} from '../support/spaces.ts';
import { workloadOn } from '../support/workloads.ts';

/** kflex's extension of a context. */
interface Mark {
  data: Record<string, string>;
}

let all: HostingBed;
let cli: SpaceCli;
let hosting: Plane;
let ext: Plane;
let wec: (name: string) => Plane;
let original: RawKubeconfig;
/** Tokens, keys and passwords of all Secrets so far. */
const secretWords = new Set<string>();

before(async () => {
  const wecs = ['cluster1', 'cluster2', 'cluster3'].map((name) => ({ name }));
  all = await startHosting([{ name: 'ext' }, ...wecs]);
  ({ cli, hosting } = all);
  wec = (name) => all.bed.plane(name);
  ext = wec('ext');
  original = await withForeignEntries();
});

after(() => all?.stop());

/** Entries of other tools in the kubeconfig; the external cluster's user gets its credentials from a plugin. */
async function withForeignEntries(): Promise<RawKubeconfig> {
  const { bed } = all;
  const config = await readKubeconfig(bed);
  const extension = {
    name: 'context_info',
    extension: { provider: 'minikube.sigs.k8s.io', version: 'v1.35.0' },
  };
  config.extensions = [extension];
  config.clusters.push({
    name: 'mine',
    cluster: { server: 'https://mine.example:6443', extensions: [extension] },
  });
  config.users.push({
    name: 'mine',
    user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'none' } },
  });
  config.contexts.push({
    name: 'mine',
    context: { cluster: 'mine', user: 'mine', extensions: [extension] },
  });
  const admin = config.users.find(({ name }) => name === 'ext-admin')?.user ?? {};
  const decoded = (key: string) => Buffer.from(String(admin[key]), 'base64').toString();
  const credential = {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: {
      clientCertificateData: decoded('client-certificate-data'),
      clientKeyData: decoded('client-key-data'),
    },
  };
  const file = `${bed.dir}/credential.json`;
  await writeFile(file, JSON.stringify(credential), { mode: 0o600 });
  for (const key of Object.keys(admin)) delete admin[key];
  admin.exec = {
    apiVersion: credential.apiVersion,
    command: 'cat',
    args: [file],
    interactiveMode: 'Never',
  };
  await writeFile(bed.kubeconfig, stringify(config, { aliasDuplicateObjects: false }), {
    mode: 0o600,
  });
  return readKubeconfig(bed);
}

const matchLabels = { 'location-group': 'edge' };

describe('ITSes of all types', () => {
  const lines: Record<string, string> = {
    its1: 'its create its1',
    its2: 'its create its2 --type host',
    its3: 'its create its3 --type external --bootstrap-context ext',
  };

  it('are created in parallel', async () => {
    const runs = await Promise.all(Object.values(lines).map((line) => cli.type(`${line} -o json`)));
    assert.deepEqual(
      runs.map((run) => run.json()),
      ['vcluster', 'host', 'external'].map((type, index) => {
        const name = `its${index + 1}`;
        return {
          items: [{ name, type, stage: 'ready', blockedAt: null, changed: true, context: name }],
        };
      }),
    );
    await rememberSecretsOf(hosting.admin, ext.admin);
  });

  it('leave no bootstrap Secret', async () => {
    assert.equal(
      await hosting.admin.find(resources.secrets, 'kubeflex-system/its3-bootstrap'),
      undefined,
    );
  });

  it('have contexts as kflex writes them, and the rest of the kubeconfig is unchanged', async () => {
    const config = await readKubeconfig(all.bed);
    const added = config.contexts.filter(({ name }) => name.startsWith('its'));
    assert.deepEqual(
      added.map(({ name, context: { cluster, user } }) => [name, cluster, user]).sort(),
      [
        ['its1', 'its1-cluster', 'its1-admin'],
        ['its2', 'hosting', 'hosting-admin'],
        ['its3', 'ext', 'ext-admin'],
      ],
    );
    for (const { name, context } of added) {
      const marks = context.extensions?.map((each) => [
        each.name,
        (each.extension as Mark).data['controlplane-name'],
      ]);
      assert.deepEqual(marks, [['kubeflex', name]]);
    }
    const kept = {
      ...config,
      contexts: config.contexts.filter((each) => !added.includes(each)),
      clusters: config.clusters.filter(({ name }) => name !== 'its1-cluster'),
      users: config.users.filter(({ name }) => name !== 'its1-admin'),
    };
    assert.deepEqual(kept, original);
  });

  it('can each be joined', async () => {
    const joins = [1, 2, 3].map((n) =>
      cli.type(`wec join cluster${n} --its its${n} --accept --label location-group=edge`),
    );
    await Promise.all(joins);
    await assertAvailableIn(await all.bed.nested('its1'), 'cluster1');
    await assertAvailableIn(hosting.admin, 'cluster2');
    await assertAvailableIn(ext.admin, 'cluster3');
  });
});

async function rememberSecretsOf(...apis: Api[]) {
  for (const api of apis) for (const word of await secretWordsOf(api)) secretWords.add(word);
}

describe('WDSes', () => {
  it('are created with a corrected hook that names their ITS, and are unchanged by a second run', async () => {
    const lines = ['wds1', 'wds2 --type host', 'wds3'].map(
      (rest) => `wds create ${rest} --its its1`,
    );
    const [first] = await Promise.all(lines.map((line) => cli.type(line)));
    assert.match(
      first?.stderr ?? '',
      /wds1 gets a corrected copy of it, stellarctl-transport-controller/,
    );
    await markAll([hosting]);
    for (const [index, line] of lines.entries()) {
      const name = `wds${index + 1}`;
      assert.equal(
        (await cli.type(line)).stdout,
        `${name}: is ready; nothing to do · context ${name}\n`,
      );
    }
    await assertUnwritten([hosting]);
    const { stdout } = await cli.type('wds list');
    assert.match(
      stdout,
      /^wds1 +k8s +yes +ready +its1 +wds1 .*\nwds2 +host +yes +ready +its1 +wds2 /m,
    );
    const view = (await cli.type('wds get wds3 -o json')).json();
    assert.deepEqual([view.its, view.diagnosis], [{ name: 'its1', named: true }, null]);
    await rememberSecretsOf(
      hosting.admin,
      await all.bed.nested('its1'),
      await all.bed.nested('wds1'),
    );
  });

  it('are shown with their ITSes and whatever blocks them, without their secrets', async () => {
    const file = `${all.bed.dir}/report.tar.gz`;
    const [report] = (await cli.type(`report --file ${file} cluster1=cluster1 -o json`)).json()
      .items;
    assert.deepEqual(
      report.clusters
        .map(({ name, roles }: { name: string; roles: string[] }) => [name, ...roles])
        .sort(),
      [
        ['cluster1', 'wec'],
        ['hosting', 'hosting', 'its', 'wds'],
        ['its1', 'its'],
        ['its3', 'its'],
        ['wds1', 'wds'],
        ['wds3', 'wds'],
      ],
    );
    const files = await readArchive(file);
    for (const name of [
      'its1/managedclusters',
      'wds1/bindingpolicies',
      'hosting/namespaces/wds1-system/pods',
    ])
      assert.ok(files.has(`clusters/${name}.json`), `${name}: ${[...files.keys()]}`);
    cli.outputs.push(...files.values());
  });
});

describe('deleting', () => {
  let wds1: Api;
  let wds3: Api;

  before(async () => {
    [wds1, wds3] = [await all.bed.nested('wds1'), await all.bed.nested('wds3')];
    await Promise.all([
      sendFrom(wds1, wec('cluster1'), { policy: 'p1', matchLabels, hasPods: false }),
      sendFrom(hosting.admin, wec('cluster1'), { policy: 'p2', matchLabels, hasPods: false }),
      sendFrom(wds3, wec('cluster1'), { policy: 'p3', matchLabels, hasPods: true }),
    ]);
  });

  const worksOf = async (wds: string) => {
    const its1 = await all.bed.nested('its1');
    const labelSelector = `transport.kubestellar.io/originWdsName=${wds}`;
    return (await its1.list<AnyObject>(resources.manifestWorks, { labelSelector })).items;
  };
  const remove = (line: string) => `${line} --hosting-context hosting --yes`;

  it('a WDS waits for its works, which dead agents do not remove', async () => {
    const mend = await all.bed.fault({ kind: 'dead', plane: 'cluster1', pod: faultyPods.agents });
    try {
      const [late, forced] = await Promise.all([
        cli.run(remove('wds delete wds1 --timeout 12s').split(' ')),
        cli.type(remove('wds delete wds2 --force')),
      ]);
      assert.equal(late.exitCode, 3, late.stderr);
      assert.match(
        late.stderr,
        /^✗ The works of wds1 were not removed in time; 2 works left on cluster1\./m,
      );
      assert.equal((await controlPlane(hosting, 'wds1'))?.metadata.deletionTimestamp, undefined);
      assert.match(forced.stdout, /^wds2: deleted/);
    } finally {
      await mend();
    }
  });

  it('a WDS removes its workloads, or keeps them with --keep-workloads', async () => {
    const before = await workloadOn(wec('cluster1'), 'p3');
    const [taken, kept] = await Promise.all([
      cli.type(remove('wds delete wds1')),
      cli.type(remove('wds delete wds3 --keep-workloads')),
    ]);
    assert.match(taken.stderr, /their workloads will be removed/);
    assert.match(kept.stderr, /3 works on cluster1: their workloads stay/);
    assert.match(kept.stdout, /^wds3: deleted, and context wds3 with it/);
    assert.deepEqual((await Promise.all(['wds1', 'wds2', 'wds3'].map(worksOf))).flat(), []);
    assert.deepEqual(await workloadOn(wec('cluster1'), 'p3'), { uids: before.uids, owners: 0 });
    for (const policy of ['p1', 'p2'])
      await until(
        async () => (await workloadOn(wec('cluster1'), policy)).uids.length === 0,
        `end of ${policy}`,
      );
  });

  it('an unused ITS succeeds, one with WECs needs --force, and an external cluster stays a hub', async () => {
    const leaveFirst = async () => {
      await cli.type('deregister cluster1 --its its1 --yes');
      await cli.type(remove('its delete its1'));
    };
    await Promise.all([
      leaveFirst(),
      ...['its2', 'its3'].map((its) => cli.type(remove(`its delete ${its} --force`))),
    ]);
    assert.deepEqual(await readKubeconfig(all.bed), original);
    assert.deepEqual((await hosting.admin.list(resources.controlPlanes)).items, []);
    await assertAvailableIn(hosting.admin, 'cluster2');
    await assertAvailableIn(ext.admin, 'cluster3');
  });
});

describe('an ITS on a cluster that is already an OCM hub', () => {
  it('uses the hub as it is with --no-ocm', async () => {
    // The hook installs the status add-on again.
    const withoutReleases = async () =>
      Object.entries(await inventoryOf(ext)).filter(([key]) => !key.includes('sh.helm.release'));
    const before = await withoutReleases();
    await Promise.all([
      cli.type('its create its2 --type host --no-ocm'),
      cli.type('its create its3 --type external --bootstrap-context ext --no-ocm'),
    ]);
    assert.equal((await cli.type('wec list --its its2 -o name')).stdout, 'cluster2\n');
    assert.equal((await cli.type('wec list --its its3 -o name')).stdout, 'cluster3\n');
    assert.deepEqual(await withoutReleases(), before);
  });
});

describe('the output', () => {
  it('contains no token, key or password of any Secret', async () => {
    await rememberSecretsOf(hosting.admin, ext.admin);
    assert.ok(secretWords.size > 30, `${secretWords.size} secret words`);
    const told = cli.outputs.join('\n');
    for (const word of secretWords) assert.equal(told.includes(word), false, `${word} was said`);
  });
});
