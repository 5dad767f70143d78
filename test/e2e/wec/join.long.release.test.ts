import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Bed, type KubeObject, type Plane, resources, startBed, wipeWec } from '../../../testbed/index.ts';
import { Cli } from '../support/harness.ts';
import { inRelease } from '../support/in-release.ts';
import { assertUnwritten, markAll, writesOn } from '../support/refusal.ts';
import { assertAvailable, contextsOf } from '../support/registration.ts';
import { control } from '../support/screen.ts';

let bed: Bed;
let cli: Cli;
let its1: Plane;
let cluster1: Plane;
let cluster2: Plane;

before(async () => {
  bed = await startBed({ planes: [{ name: 'its1', hub: true }, { name: 'cluster1' }, { name: 'cluster2' }] });
  [its1, cluster1, cluster2] = ['its1', 'cluster1', 'cluster2'].map((name) => bed.plane(name)) as [Plane, Plane, Plane];
  cli = await Cli.create(await contextsOf(its1, cluster1, cluster2));
});

after(async () => {
  await cli?.remove();
  await bed?.stop();
});

async function wipeBoth(): Promise<void> {
  await Promise.all([wipeWec(its1, cluster1, 'cluster1'), wipeWec(its1, cluster2, 'cluster2')]);
}

const everything = () => [its1, cluster1, cluster2];

function linesOf(text: string): string[] {
  return text.split('\n').filter(Boolean);
}

describe('a dry run of wec join', inRelease, () => {
  const line = ['wec', 'join', 'cluster1', '--accept', '--label', 'location-group=edge', '--dry-run'];

  it('lists everything that a join would write on both clusters, and writes nothing', async () => {
    await markAll(everything());
    const { stdout } = await cli.succeed(line);
    await assertUnwritten(everything());
    const expected = [
      'ServiceAccount open-cluster-management/agent-registration-bootstrap on its1',
      'ClusterRole klusterlet on cluster1',
      'ClusterRoleBinding klusterlet on cluster1',
      'CustomResourceDefinition klusterlets.operator.open-cluster-management.io on cluster1',
      'Namespace open-cluster-management on cluster1',
      'Deployment open-cluster-management/klusterlet on cluster1',
      'Secret open-cluster-management-agent/bootstrap-hub-kubeconfig on cluster1',
      'Klusterlet klusterlet on cluster1',
      // Approval, acceptance, and the label with the recorded cluster UID.
      'CertificateSigningRequest cluster1-\\* on its1',
      'ManagedCluster cluster1 on its1',
    ];
    for (const object of expected)
      assert.match(
        stdout,
        new RegExp(`^would (create|apply|update|patch) .*${object.split(' ').slice(1).join(' ')}$`, 'm'),
        object,
      );
  });

  it('leaves no write in the audit logs, only access reviews', async () => {
    await markAll(everything());
    await cli.succeed(line);
    for (const plane of everything()) {
      const requests = await plane.auditWrites({ by: `${plane.name}-admin` });
      assert.deepEqual(
        [...new Set(requests.map(({ objectRef }) => objectRef?.resource))],
        plane === cluster2 ? [] : ['selfsubjectaccessreviews'],
      );
    }
  });

  it('prints the list of writes as one JSON document', async () => {
    const { json } = await cli.succeed([...line, '-o', 'json']);
    const { dryRun, writes, items } = json();
    assert.equal(dryRun, true);
    assert.ok(
      writes.some((write: object) =>
        Object.entries({ cluster: 'cluster1', kind: 'Klusterlet', name: 'klusterlet' }).every(
          ([key, value]) => (write as Record<string, unknown>)[key] === value,
        ),
      ),
    );
    assert.deepEqual(
      items.map(({ name, changed }: { name: string; changed: boolean }) => ({ name, changed })),
      [{ name: 'cluster1', changed: false }],
    );
  });
});

describe('joining two clusters in parallel with --accept and --label', () => {
  const line = [
    'wec',
    'join',
    'cluster1',
    'cluster2',
    '--accept',
    '--label',
    'location-group=edge',
    '--label',
    'tier=a',
  ];
  let stdout: string;
  let stderr: string;

  before(async () => {
    ({ stdout, stderr } = await cli.succeed(line));
  });

  it('makes both available on the hub, with their labels', async () => {
    for (const name of ['cluster1', 'cluster2']) {
      const { labels } = (await assertAvailable(its1, name)).metadata;
      assert.equal(labels?.['location-group'], 'edge');
      assert.equal(labels?.tier, 'a');
    }
  });

  it('runs the agent in mode Singleton, as one Deployment', async () => {
    const { items } = await cluster1.admin.list<KubeObject>(resources.deployments, {
      namespace: 'open-cluster-management-agent',
    });
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      ['klusterlet-agent'],
    );
  });

  it('prints one result line per WEC on stdout', () => {
    const results = linesOf(stdout).sort();
    assert.equal(results.length, 2, stdout);
    for (const [index, name] of ['cluster1', 'cluster2'].entries()) {
      assert.match(results[index] ?? '', new RegExp(`^${name}: joined and available after \\d+\\.\\ds$`));
    }
  });

  it('names the ITS and its server first, and the next command last', () => {
    const lines = linesOf(stderr);
    assert.match(lines[0] ?? '', new RegExp(`its1.*${its1.server}.*1\\.3\\.1.*${its1.internalServer}.*cluster-info`));
    assert.equal(lines.at(-1), 'Next: stellarctl wec list --its its1');
  });

  it('prints one plain line per change, and none twice', () => {
    const lines = linesOf(stderr);
    assert.equal(new Set(lines).size, lines.length, stderr);
    for (const name of ['cluster1', 'cluster2']) {
      const own = lines.filter((text) => text.startsWith(`${name}: `)).map((text) => text.slice(name.length + 2));
      assert.match(own[0] ?? '', /^klusterlet applied \(\d+ created\)$/);
      assert.equal(own.filter((text) => /^request \S+ approved$/.test(text)).length, 1, own.join('\n'));
      assert.equal(own.filter((text) => text === 'cluster accepted').length, 1, own.join('\n'));
      assert.equal(own.filter((text) => text === 'labelled').length, 1, own.join('\n'));
    }
    assert.doesNotMatch(stdout + stderr, control);
  });

  it('writes nothing when rerun', async () => {
    await markAll(everything());
    const again = await cli.succeed(line);
    assert.deepEqual(
      linesOf(again.stdout).sort(),
      ['cluster1', 'cluster2'].map((name) => `${name}: is registered with its1 and available; nothing to do.`),
    );
    await assertUnwritten(everything());
  });

  it('reports in JSON that a rerun changed nothing', async () => {
    const { json } = await cli.succeed([...line, '-o', 'json']);
    assert.deepEqual(json(), {
      items: ['cluster1', 'cluster2'].map((name) => ({ name, stage: 'available', blockedAt: null, changed: false })),
    });
  });

  it('changes only the label when rerun with another label', async () => {
    await markAll(everything());
    await cli.succeed(['wec', 'join', 'cluster1', '--accept', '--label', 'tier=a', '--label', 'zone=north']);
    assert.deepEqual(await writesOn(its1), ['patch managedclusters cluster1']);
    // The labels are recorded on the WEC, where they outlive the ITS.
    assert.deepEqual(await writesOn(cluster1), ['patch klusterlets klusterlet']);
    await assertUnwritten([cluster2]);
    assert.equal((await assertAvailable(its1, 'cluster1')).metadata.labels?.zone, 'north');
  });

  it("reports an agent version that differs from the hub's", async () => {
    const setVersion = (tag: string) =>
      its1.admin.patch(resources.clusterManagers, 'cluster-manager', {
        spec: { registrationImagePullSpec: `quay.io/open-cluster-management/registration:${tag}` },
      });
    await setVersion('v1.4.0');
    try {
      await markAll(everything());
      const again = await cli.succeed(['wec', 'join', 'cluster1', '--accept']);
      assert.equal(
        again.stdout,
        'cluster1: is registered with its1 and available; nothing to do. Its agent is 1.3.1, the hub 1.4.0.\n',
      );
      await assertUnwritten(everything());
    } finally {
      await setVersion('v1.3.1');
    }
  });
});

describe('joining two clusters in mode Default', inRelease, () => {
  it('prints exactly one JSON document, and both become available with one Deployment per agent', async () => {
    await wipeBoth();
    const { json } = await cli.succeed([
      'wec',
      'join',
      'cluster1',
      'cluster2',
      '--accept',
      '--no-singleton',
      '--label',
      'a=b',
      '-o',
      'json',
    ]);
    assert.deepEqual(json(), {
      items: ['cluster1', 'cluster2'].map((name) => ({ name, stage: 'available', blockedAt: null, changed: true })),
    });
    for (const plane of [cluster1, cluster2]) {
      assert.equal((await assertAvailable(its1, plane.name)).metadata.labels?.a, 'b');
      const { items } = await plane.admin.list<KubeObject>(resources.deployments, {
        namespace: 'open-cluster-management-agent',
      });
      assert.deepEqual(items.map(({ metadata }) => metadata.name).sort(), [
        'klusterlet-registration-agent',
        'klusterlet-work-agent',
      ]);
    }
  });

  it('writes nothing when rerun without the mode', async () => {
    await markAll(everything());
    const { stdout } = await cli.succeed(['wec', 'join', 'cluster1', '--accept']);
    assert.match(stdout, /nothing to do/);
    await assertUnwritten(everything());
  });
});

describe('joining without --accept', inRelease, () => {
  let stdout: string;
  let stderr: string;

  before(async () => {
    await wipeBoth();
    ({ stdout, stderr } = await cli.succeed(['wec', 'join', 'cluster1']));
  });

  it('ends when the request is pending, and shows how to continue', async () => {
    assert.match(stdout, /^cluster1: request pending after \d+\.\ds\n$/);
    assert.equal(linesOf(stderr).at(-1), 'Next: stellarctl accept cluster1 --its its1');
    const cluster = (await its1.admin.get(resources.managedClusters, 'cluster1')) as KubeObject & {
      spec: { hubAcceptsClient: boolean };
    };
    assert.equal(cluster.spec.hubAcceptsClient, false);
  });

  it('writes nothing when rerun while the request is pending', async () => {
    await markAll(everything());
    const again = await cli.succeed(['wec', 'join', 'cluster1', '-o', 'json']);
    const [{ blockedAt, ...item }] = again.json().items;
    assert.deepEqual(item, { name: 'cluster1', stage: 'request', changed: false });
    assert.deepEqual([blockedAt.stage, blockedAt.state], ['approved', 'waiting']);
    assert.deepEqual(await writesOn(its1), []);
  });

  it('is completed by accept', async () => {
    await cli.succeed(['accept', 'cluster1']);
    await assertAvailable(its1, 'cluster1');
  });
});

describe('two concurrent joins of one cluster', () => {
  it('both succeed', async () => {
    await wipeBoth();
    const line = ['wec', 'join', 'cluster1', '--accept', '--label', 'a=b', '-o', 'json'];
    const [one, other] = await Promise.all([cli.succeed(line), cli.succeed(line)]);
    for (const { json } of [one, other]) {
      const { items } = json();
      assert.equal(items[0].stage, 'available');
    }
    assert.equal((await assertAvailable(its1, 'cluster1')).metadata.labels?.a, 'b');
  });
});
