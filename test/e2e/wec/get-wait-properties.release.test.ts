import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type Bed,
  type KubeObject,
  limitedUser,
  type Plane,
  resources,
  rule,
  startBed,
  until,
  writeKubeconfig,
} from '../../../testbed/index.ts';
import { Cli, type CliRun } from '../support/harness.ts';
import { setImage } from '../support/images.ts';
import { announce, ask } from '../support/pretended-agents.ts';
import { assertRefuses, assertUnwritten, markAll, writesOn } from '../support/refusal.ts';
import { stopKlusterlet } from '../support/registration.ts';

let bed: Bed;
let cli: Cli;
let its1: Plane;
let cluster1: Plane;
const env = { STELLARCTL_ITS: 'its1' };

before(async () => {
  bed = await startBed({ planes: [{ name: 'its1', hub: true }, { name: 'cluster1' }] });
  cli = await Cli.create(bed.kubeconfig);
  [its1, cluster1] = [bed.plane('its1'), bed.plane('cluster1')];
  await cli.succeed(
    ['wec', 'join', 'cluster1', '--accept', '--label', 'region=east', '--label', 'location-group=edge'],
    { env },
  );
});

after(async () => {
  await cli?.remove();
  await bed?.stop();
});

const planes = () => [its1, cluster1];
const run = (line: string, options: object = {}): Promise<CliRun> => cli.run(line.split(' '), { env, ...options });
const succeed = (line: string, options: object = {}): Promise<CliRun> =>
  cli.succeed(line.split(' '), { env, ...options });
const stateOf = (view: { stages: { id: string; state: string }[] }, stage: string) =>
  view.stages.find(({ id }) => id === stage)?.state;

/** A work as KubeStellar's transport creates it in a mailbox. */
const work = (name: string, wds: string, binding: string) =>
  its1.admin.create<KubeObject & { spec: object }>(resources.manifestWorks, {
    metadata: {
      name,
      namespace: 'cluster1',
      labels: {
        'transport.kubestellar.io/originWdsName': wds,
        'transport.kubestellar.io/originOwnerReferenceBindingKey': binding,
      },
    },
    spec: {
      workload: { manifests: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } }] },
    },
  });

/** A user of the ITS with exactly these permissions, and one of the WEC. */
async function kubeconfigFor(
  user: string,
  rules: ReturnType<typeof rule>[],
  wecRules: ReturnType<typeof rule>[] = [],
): Promise<string> {
  return writeKubeconfig(its1, [
    await limitedUser(its1, { user, rules }),
    await limitedUser(cluster1, { user: `${user}-on-cluster1`, rules: wecRules }),
  ]);
}

describe('wec get', () => {
  it('shows the stages, the objects of the WEC, and no problem', async () => {
    await markAll(planes());
    const { stdout, stderr } = await succeed('wec get cluster1');
    const lines = stdout.split('\n');
    assert.match(lines[0] ?? '', /^cluster1 on its1 {3}v1\.36\.\d+ · registered \d+s ago · agent [0-9a-f]{8}$/);
    assert.match(stdout, /^ {2}✓ ManagedCluster announced · registration requested$/m);
    assert.match(stdout, /^ {2}✓ connected with its certificate · joined · available · lease renewed \d+s ago$/m);
    assert.match(stdout, /^ {2}labels {6}.*location-group=edge region=east$/m);
    assert.match(stdout, /^ {2}properties {2}clusterName=cluster1 region=east$/m);
    assert.match(
      stdout,
      /klusterlet {2}not checked, version unknown: give the context of the cluster, cluster1=CONTEXT/,
    );
    assert.equal(stderr, '');
    await assertUnwritten(planes());
  });

  it('shows the side of the cluster with its context', async () => {
    const { stdout } = await succeed('wec get cluster1=cluster1');
    assert.match(stdout, /agent [0-9a-f]{8} \(Singleton, 1\.3\.1\)$/m);
    assert.match(stdout, /klusterlet {2}registers cluster1 as cluster1 · Singleton · hub https:\S+ · OCM 1\.3\.1$/m);
    assert.match(stdout, /pods {8}✓ open-cluster-management\/klusterlet-\S+ +Running +1\.3\.1/);
  });

  it('shows the contents of the mailbox, and where they come from', async () => {
    await Promise.all([work('one', 'wds1', 'nginx-policy'), work('two', 'wds1', 'nginx-policy')]);
    await its1.admin.create<KubeObject & { spec: object }>(resources.managedClusterAddOns, {
      metadata: { name: 'addon-status', namespace: 'cluster1' },
      spec: {},
    });
    const { stdout } = await succeed('wec get cluster1');
    assert.match(stdout, /accepted by the ITS · mailbox cluster1 holds 2 works \(wds1: nginx-policy\)/);
    assert.match(stdout, /add-ons {5}• addon-status {3}has not reported/);
  });

  it('prints everything as one JSON document', async () => {
    const view = (await succeed('wec get cluster1=cluster1 -o json')).json();
    assert.deepEqual(
      [view.name, view.its, view.stage, view.blockedAt, view.diagnosis, view.notVisible],
      ['cluster1', 'its1', 'available', null, null, []],
    );
    assert.ok(view.stages.every(({ state }: { state: string }) => state === 'met'));
    const runs = { product: 'OCM', running: ['1.3.1'], differs: false };
    const wanted = { version: '1.3.1', by: 'Klusterlet' };
    assert.deepEqual(view.versions, [
      { ...runs, component: 'klusterlet', wanted: null },
      { ...runs, component: 'klusterlet-agent', wanted },
    ]);
    const { agent, versions } = (await succeed('wec get cluster1 -o json')).json();
    assert.deepEqual(
      [agent.version, versions[0].running, versions[0].notVisible],
      [null, null, 'shows on the WEC itself only'],
    );
    assert.deepEqual(view.mailbox.works, [{ wds: 'wds1', binding: 'nginx-policy', addon: null, count: 2, failed: [] }]);
    assert.equal(view.wec.klusterlet.clusterName, 'cluster1');
    assert.equal(view.requests[0].agent, view.agent.id);
    assert.equal((await succeed('wec get cluster1 -o name')).stdout, 'cluster1\n');
  });

  it('shows running versions, not what the Klusterlet requests', async () => {
    await cluster1.admin.patch(resources.deployments, 'open-cluster-management/klusterlet', { spec: { replicas: 0 } });
    const agent = 'open-cluster-management-agent/klusterlet-agent';
    await setImage(cluster1, agent, 'registration-operator', 'v1.0.0');
    const running = / OCM running 1\.0\.0 \(klusterlet not running\), Klusterlet 1\.3\.1$/m;
    const { stdout } = await until(async () => {
      const seen = await succeed('wec get cluster1=cluster1');
      return running.test(seen.stdout) ? seen : undefined;
    }, 'what runs, without the pods from before');
    assert.match(stdout, /\(Singleton, 1\.0\.0\)$/m);
    await cluster1.admin.patch(resources.deployments, 'open-cluster-management/klusterlet', { spec: { replicas: 1 } });
    await until(async () => / OCM 1\.3\.1$/m.test((await succeed('wec get cluster1=cluster1')).stdout), 'the operator');
  });

  it('prints the ManagedCluster itself with --raw', async () => {
    assert.match((await succeed('wec get cluster1 --raw')).stdout, /^kind: ManagedCluster$/m);
    const { kind, metadata } = (await succeed('wec get cluster1 --raw -o json')).json();
    assert.deepEqual([kind, metadata.name], ['ManagedCluster', 'cluster1']);
  });

  it('shows what waits for a decision, and the command to run', async () => {
    await ask(its1, 'waiting');
    const { stdout, stderr } = await succeed('wec get waiting');
    assert.match(stdout, /^ {2}• request approved {3}request \S+ is pending$/m);
    assert.match(stdout, /\nwaiting asked to be registered \(\d+s ago\), and nobody has accepted it\.\n$/);
    assert.equal(stderr, 'Next: stellarctl accept waiting --its its1\n');
  });

  it('exits with 1 for an unknown name', async () => {
    await assertRefuses(cli, planes(), 'wec get nobody --its its1', {
      exitCode: 1,
      says: /no WEC nobody on its1/,
      hint: /wec list --its its1/,
    });
    await assertRefuses(cli, planes(), 'wec get cluster1 waiting --its its1', {
      exitCode: 2,
      says: /too many arguments/,
    });
    await assertRefuses(cli, planes(), 'wec get cluster1,waiting --its its1', {
      exitCode: 2,
      says: /NAME of one WEC/,
      hint: /stellarctl wec get cluster1 one by one/,
    });
  });

  it('reports what this user may not see, and shows the rest', async () => {
    const kubeconfig = await kubeconfigFor(
      'onlooker',
      [rule('cluster.open-cluster-management.io', 'managedclusters', 'get')],
      [rule('operator.open-cluster-management.io', 'klusterlets', 'get')],
    );
    const view = (await succeed('wec get cluster1=cluster1 -o json', { kubeconfig })).json();
    const unseen = view.notVisible.map(({ what, on }: { what: string; on: string }) => `${what} on ${on}`);
    for (const what of [
      'certificatesigningrequests on its1',
      'leases on its1',
      'configmaps on its1',
      'manifestworks on its1',
      'secrets on cluster1',
      'pods on cluster1',
    ])
      assert.ok(unseen.includes(what), what);
    assert.deepEqual([stateOf(view, 'available'), view.diagnosis], ['met', null]);

    const waiting = (await succeed('wec get waiting -o json', { kubeconfig })).json();
    assert.deepEqual(
      ['managed-cluster', 'request', 'approved'].map((stage) => stateOf(waiting, stage)),
      ['met', 'not-visible', 'not-visible'],
    );
    const { stdout } = await succeed('wec get waiting', { kubeconfig });
    assert.match(stdout, /- not visible: registration requested, .*\(not allowed to read certificatesigningrequests\)/);
  });

  it('exits with 4 if the user may see nothing', async () => {
    const kubeconfig = await kubeconfigFor('stranger', []);
    await assertRefuses(
      cli,
      [],
      'wec get cluster1 --its its1',
      { exitCode: 4, says: /not allowed to read managedclusters/ },
      { kubeconfig },
    );
  });

  it('shows what the ITS knows when the cluster itself cannot be reached', async () => {
    const { kubeconfigEntry } = cluster1;
    const connection = { ...kubeconfigEntry.connection, server: 'https://127.0.0.1:1' };
    const kubeconfig = await writeKubeconfig(its1, [its1.kubeconfigEntry, { ...kubeconfigEntry, connection }]);
    const { stdout } = await succeed('wec get cluster1=cluster1', { kubeconfig });
    assert.match(stdout, /✓ connected with its certificate · joined · available/);
    assert.match(stdout, /unknown {5}everything on cluster1: Cannot reach cluster1 .*connection refused/);
  });
});

describe('wec wait', () => {
  it('ends at once if all WECs are ready, and writes nothing', async () => {
    await markAll(planes());
    assert.equal((await succeed('wec wait cluster1')).stdout, 'cluster1: available\n');
    const { json } = await succeed('wec wait cluster1=cluster1 --for hub-secret --timeout 0 -o json');
    assert.deepEqual(json(), { items: [{ name: 'cluster1', stage: 'available', blockedAt: null, changed: false }] });
    await assertUnwritten(planes());
  });

  it('exits with 3 at the deadline, and reports what each WEC waits for', async () => {
    const late = await run('wec wait cluster1 waiting --timeout 4s -o json');
    assert.equal(late.exitCode, 3, late.stderr);
    const { items } = late.json();
    assert.deepEqual(
      items.map(({ name, error }: { name: string; error?: { code: string } }) => [name, error?.code]),
      [
        ['cluster1', undefined],
        ['waiting', 'timeout'],
      ],
    );
    assert.match(
      items[1].error.message,
      /not at the stage available( after \d+\.\ds)?\. \S+ asked to be registered \(.* ago\), and nobody has accepted it/,
    );
  });

  it('does not wait for a name that is nowhere', async () => {
    const missing = await run('wec wait cluster1 nobody --timeout 60s -o json');
    assert.equal(missing.exitCode, 1, missing.stderr);
    assert.deepEqual(
      missing.json().items.map(({ name, error }: { name: string; error?: { code: string } }) => [name, error?.code]),
      [
        ['cluster1', undefined],
        ['nobody', 'not-found'],
      ],
    );
  });

  it('notices when a stage is met, even if an earlier one is not', async () => {
    await announce(its1, 'late');
    const waits = succeed('wec wait late --for accepted');
    await its1.admin.patch(resources.managedClusters, 'late', { spec: { hubAcceptsClient: true } });
    assert.match((await waits).stdout, /^late: accepted by the ITS/);
  });

  it('notices when a WEC is deleted', async () => {
    const still = await run('wec wait late --for delete --timeout 0');
    assert.equal(still.exitCode, 3);
    assert.match(still.stderr, /late is not deleted: its ManagedCluster exists/);
    const waits = succeed('wec wait late --for delete');
    await its1.admin.delete(resources.managedClusters, 'late');
    assert.match((await waits).stdout, /^late: gone/);
  });

  it('rejects an unknown stage, and one that it cannot see', async () => {
    await assertRefuses(cli, planes(), 'wec wait cluster1 --for joining', {
      exitCode: 2,
      says: /'joining' is invalid\. Allowed choices are bootstrap-secret, .*available, delete/,
    });
    await assertRefuses(cli, planes(), 'wec wait cluster1 --for hub-secret', {
      exitCode: 2,
      says: /shows on the WEC itself/,
      hint: /cluster1=CONTEXT --for hub-secret/,
    });
  });

  it('exits with 4 without permission to read', async () => {
    const kubeconfig = await kubeconfigFor('stranger', []);
    const { exitCode, stderr } = await run('wec wait cluster1', { kubeconfig });
    assert.equal(exitCode, 4, stderr);
  });
});

describe('properties', () => {
  const propertiesOf = async (name: string) => {
    const found = await its1.admin.find<KubeObject & { data?: Record<string, string> }>(
      resources.configMaps,
      `customization-properties/${name}`,
    );
    return found?.data;
  };

  it('creates the namespace and the ConfigMap, makes the changes, and does nothing on a rerun', async () => {
    await its1.markAudit();
    const line = [
      'wec',
      'properties',
      'cluster1',
      'clusterURL=https://my.clusters/1001-abcd?a=b',
      'note=two words',
      'region=north',
    ];
    const { stdout } = await cli.succeed(line, { env });
    assert.equal(stdout, 'cluster1: properties changed\n');
    assert.deepEqual(await propertiesOf('cluster1'), {
      clusterURL: 'https://my.clusters/1001-abcd?a=b',
      note: 'two words',
      region: 'north',
    });
    assert.deepEqual(await writesOn(its1), [
      'create namespaces customization-properties',
      'create configmaps customization-properties/cluster1',
    ]);

    await its1.markAudit();
    assert.equal((await cli.succeed(line, { env })).stdout, 'cluster1: has these properties already\n');
    await assertUnwritten([its1]);
  });

  it('rejects another value without --overwrite, and then changes no WEC', async () => {
    await assertRefuses(cli, planes(), 'wec properties cluster1 waiting region=south --its its1', {
      exitCode: 1,
      says: /cluster1 has region=north already/,
      hint: /--overwrite/,
    });
    const { items } = (
      await succeed('wec properties cluster1 region=south note- absent- --overwrite --yes --its its1 -o json')
    ).json();
    assert.deepEqual(items, [
      {
        name: 'cluster1',
        properties: { clusterURL: 'https://my.clusters/1001-abcd?a=b', region: 'south' },
        changed: true,
      },
    ]);
  });

  it('rejects names that KubeStellar ignores, and unknown WECs', async () => {
    await assertRefuses(cli, planes(), 'wec properties cluster1 max-pods=1 --its its1', {
      exitCode: 2,
      says: /KubeStellar would ignore "max-pods", which is not a Go identifier/,
    });
    await assertRefuses(cli, planes(), 'wec properties cluster1 nobody a=1 --its its1', {
      exitCode: 1,
      says: /no WEC nobody/,
    });
    await assertRefuses(cli, planes(), 'wec properties cluster1 --its its1', { exitCode: 2, says: /Give changes/ });
  });

  it('lists effective properties, their sources, and what they hide', async () => {
    await its1.admin.patch(resources.managedClusters, 'cluster1', {
      metadata: { annotations: { region: 'west', zone: 'a' } },
    });
    const { stdout } = await succeed('wec properties cluster1 --list');
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {3,}/).slice(1));
    assert.deepEqual(rows.slice(1), [
      ['clusterName', 'cluster1', 'built-in', '-'],
      ['clusterURL', 'https://my.clusters/1001-abcd?a=b', 'ConfigMap', '-'],
      ['region', 'south', 'ConfigMap', 'annotation west, label east'],
      ['zone', 'a', 'annotation', '-'],
    ]);
    const { items } = (await succeed('wec properties -l location-group=edge --list -o json')).json();
    assert.deepEqual(items[0].effective.at(2), {
      key: 'region',
      value: 'south',
      source: 'ConfigMap',
      shadows: [
        { source: 'annotation', value: 'west' },
        { source: 'label', value: 'east' },
      ],
    });
  });

  it('writes nothing in a dry run, and shows what it would write', async () => {
    await markAll(planes());
    const { stdout } = await succeed('wec properties --all tier=a --dry-run');
    assert.match(stdout, /would patch ConfigMap customization-properties\/cluster1 on its1/);
    assert.match(stdout, /would create ConfigMap customization-properties\/waiting on its1/);
    await assertUnwritten(planes());
  });

  it('leaves an empty ConfigMap when the last property is removed', async () => {
    await succeed('wec properties cluster1 clusterURL- region- --yes --its its1');
    assert.deepEqual((await propertiesOf('cluster1')) ?? {}, {});
    assert.match((await succeed('wec get cluster1')).stdout, /properties {2}clusterName=cluster1 region=west zone=a/);
  });

  it('exits with 4 without permission to write', async () => {
    const kubeconfig = await kubeconfigFor('reader', [
      rule('cluster.open-cluster-management.io', 'managedclusters', 'get'),
      rule('', 'configmaps', 'get'),
    ]);
    await markAll(planes());
    const { exitCode, stderr } = await run('wec properties cluster1 tier=a', { kubeconfig });
    assert.equal(exitCode, 4, stderr);
    assert.match(stderr, /✗ Not allowed on its1/);
    await assertUnwritten(planes());
  });
});

describe('label, by the same rules', () => {
  it('sets, rejects another value, overwrites, removes, and does nothing on a rerun', async () => {
    assert.equal((await succeed('label cluster1 tier=a')).stdout, 'cluster1: labelled\n');
    assert.equal((await succeed('label cluster1 tier=a')).stdout, 'cluster1: has these labels already\n');
    await assertRefuses(cli, planes(), 'label cluster1 tier=b --its its1', {
      exitCode: 1,
      says: /cluster1 has tier=a already/,
    });
    const { items } = (await succeed('label cluster1 tier=b region- --overwrite -o json')).json();
    assert.deepEqual([items[0].labels.tier, items[0].labels.region, items[0].changed], ['b', undefined, true]);
    assert.match((await succeed('label -l tier=b --list')).stdout, /^cluster1 .*location-group=edge,tier=b$/m);
  });
});

describe('when the agent stops', () => {
  it('wec get reports it, and what to check', async () => {
    await its1.admin.patch(resources.managedClusters, 'cluster1', { spec: { leaseDurationSeconds: 1 } });
    await stopKlusterlet(cluster1);
    const silent = await until(async () => {
      const ended = await succeed('wec get cluster1=cluster1');
      return /✗ available/.test(ended.stdout) ? ended : undefined;
    }, 'stopped lease');
    assert.match(silent.stdout, /\n {2}✗ available {3}lease stopped \d+s ago\n/);
    assert.match(
      silent.stdout,
      /\nNo agent of cluster1 runs in the cluster of context cluster1: neither the operator .* nor the agent has a pod\.\n$/,
    );
    assert.match(silent.stderr, /^Next: stellarctl wec join cluster1=cluster1 --accept --its its1 /m);
    const blind = await succeed('wec get cluster1');
    assert.match(blind.stderr, /^Next: stellarctl wec get cluster1=CONTEXT --its its1/);
  });
});
