/** `doctor` and `report` on one installation, in the order of the tests. */
import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import {
  type Bed,
  faultyPods,
  installKubeStellar,
  type KubeObject,
  type Plane,
  resources,
  startBed,
  until,
} from '../../../testbed/index.ts';
import { readArchive } from '../support/archive.ts';
import { type Finding, isWrong } from '../support/findings.ts';
import { Cli } from '../support/harness.ts';
import { writesOn } from '../support/refusal.ts';
import { deletePods } from '../support/registration.ts';

let bed: Bed;
let cli: Cli;
let hosting: Plane;

const names = ['hosting', 'cluster1', 'cluster2'];

before(async () => {
  bed = await startBed({ planes: names.map((name) => ({ name })) });
  hosting = bed.plane('hosting');
  cli = await Cli.create(bed.kubeconfig);
});

after(async () => {
  await cli?.remove();
  await bed?.stop();
});

async function examine(...line: string[]): Promise<Finding[]> {
  const run = await cli.run(['doctor', ...line, '-o', 'json']);
  const { items } = run.json() as { items: Finding[] };
  assert.equal(run.exitCode, items.some(({ status }) => status === 'fail') ? 1 : 0, run.stderr);
  return items;
}

/** The findings, as `its/its1 its-hub-webhook`. */
const wrong = (findings: readonly Finding[]) =>
  findings
    .filter(isWrong)
    .flatMap(({ id, subjects }) => subjects.map((subject) => `${subject} ${id}`));

describe('an installation', { concurrency: 1 }, () => {
  before(async () => {
    await installKubeStellar(hosting);
    await cli.succeed(['its', 'create', 'its1', '--type', 'host']);
    await cli.succeed(['wds', 'create', 'wds1', '--type', 'host']);
    await cli.succeed(['wec', 'join', 'cluster1', 'cluster2', '--accept', '--its', 'its1']);
  });

  it('reports both of two faults, but not their consequences', async () => {
    const undo = [
      await bed.fault({ kind: 'dead', plane: 'hosting', pod: faultyPods.webhook }),
      await bed.fault({ kind: 'crashing', plane: 'cluster1', pod: faultyPods.agents }),
    ];
    const found = await until(async () => {
      const findings = await examine('cluster1=cluster1', 'cluster2=cluster2');
      return wrong(findings).some((each) => each.endsWith('wec-containers')) ? findings : undefined;
    });
    assert.deepEqual(wrong(found), ['its/its1 its-hub-webhook', 'wec/cluster1 wec-containers']);
    // By the context of that name, which is proven to lead to it.
    assert.deepEqual(wrong(await examine('cluster1')), wrong(found));
    const crash = found.find(({ id, status }) => id === 'wec-containers' && status === 'fail');
    assert.match(
      crash?.command ?? '',
      /^kubectl --context cluster1 -n open-cluster-management-agent logs \S+ -c \S+ --previous$/,
    );
    assert.deepEqual(
      wrong(await examine('--skip', 'its-hub-webhook', '--skip', 'wec-containers')),
      [],
    );
    for (const mend of undo) await mend();
    const waited = await cli.run(['doctor', 'cluster1=cluster1', '--wait', '--timeout', '2m']);
    assert.equal(waited.exitCode, 0, waited.stdout);
  });

  it('says that the context with the name of a WEC does not answer, before its ITS knows', async () => {
    const mend = await bed.fault({ kind: 'stopped', plane: 'cluster2' });
    const found = (await examine()).find(({ id }) => id === 'wec-reachable');
    await mend();
    assert.deepEqual(
      [found?.status, found?.code, found?.subjects],
      ['warn', 'unreachable', ['wec/cluster2']],
    );
    assert.match(found?.cause ?? '', /^Cannot reach cluster2 \(https:.*\): connection refused\.$/);
    await cli.succeed(['wec', 'wait', 'cluster2', '--its', 'its1', '--timeout', '2m']);
  });

  it('reports a manager that is scaled to zero, and the command to run', async () => {
    const scale = (replicas: number) =>
      hosting.admin.patch(resources.deployments, 'kubeflex-system/kubeflex-controller-manager', {
        spec: { replicas },
      });
    await scale(0);
    await until(
      async () => String(wrong(await examine())) === 'hosting/hosting hosting-manager',
      'only the manager',
    );
    await scale(1);
  });

  it('is not needed where the transport crashes: what does not arrive names it', async () => {
    const metadata = { name: 'late', labels: { app: 'late' } };
    await hosting.admin.create(resources.namespaces, { metadata });
    await cli.succeed(['label', 'cluster1', 'location-group=edge', '--its', 'its1']);
    await cli.succeed(
      'policy create late --clusters location-group=edge --select namespaces -l app=late'.split(
        ' ',
      ),
    );
    await cli.succeed('workload wait namespace/late --for applied --timeout 2m'.split(' '));
    const mend = await bed.fault({
      kind: 'failing',
      image: 'ocm-transport-controller',
      log: ['panic'],
    });
    await deletePods(hosting, 'wds1-system', 'transport-controller-');
    await cli.succeed(['label', 'cluster2', 'location-group=edge', '--its', 'its1']);
    for (const line of ['workload get namespace/late', 'policy get late', 'policy list']) {
      const isNamed = async () =>
        /pod transport-controller-\S+, container \S+: it keeps crashing/.test(
          (await cli.run(line.split(' '))).stdout,
        );
      await until(isNamed, `the crash in ${line}`);
    }
    const { stderr } = await cli.run('workload get namespace/late'.split(' '));
    assert.match(
      stderr,
      /kubectl --context hosting -n wds1-system logs transport-controller-\S+ -c \S+ --previous/,
    );
    await mend();
    await cli.succeed('workload wait namespace/late --for applied --timeout 2m'.split(' '));
  });
});

describe('doctor --report', { concurrency: 1 }, () => {
  const file = () => path.join(cli.home, 'report.tar.gz');
  const planted = 'Kanarienvogel7';

  it('collects what every cluster shows, lists what is missing, and writes nothing else', async () => {
    const { admin } = bed.plane('cluster1');
    const namespace = 'open-cluster-management-agent';
    await admin.create<KubeObject & { data: object }>(resources.configMaps, {
      metadata: { namespace, name: 'planted', annotations: { note: `token: ${planted}` } },
      data: { kubeconfig: `users: [{user: {token: ${planted}}}]`, note: planted },
    });
    await hosting.admin.create<KubeObject & { spec: object }>(resources.manifestWorks, {
      metadata: { namespace: 'cluster2', name: 'planted' },
      spec: {
        workload: {
          manifests: [
            {
              apiVersion: 'v1',
              kind: 'Secret',
              metadata: { name: 's', namespace: 'default' },
              stringData: { a: planted },
            },
          ],
        },
      },
    });
    const kubeconfig = path.join(cli.home, 'with-gone');
    const entries = parse(await readFile(bed.kubeconfig, 'utf8'));
    entries.contexts.push({
      name: 'gone',
      context: { cluster: 'gone', user: entries.users[0].name },
    });
    entries.clusters.push({ name: 'gone', cluster: { server: 'https://127.0.0.1:1' } });
    await writeFile(kubeconfig, JSON.stringify(entries));
    for (const name of names) await bed.plane(name).markAudit();
    const run = await cli.succeed(
      ['report', '--file', file(), 'cluster1=cluster1', 'cluster2=gone'],
      { kubeconfig },
    );
    for (const name of names) assert.deepEqual(await writesOn(bed.plane(name)), []);
    assert.match(run.stdout, /report\.tar\.gz: \d+ files of hosting, cluster1, \d+ kB\n$/);
    assert.match(run.stderr, /cluster2: everything: Cannot reach gone .*connection refused/);
    assert.equal((await stat(file())).mode & 0o777, 0o600);

    const files = await readArchive(file());
    const has = (name: string) =>
      assert.ok(files.has(name), `${name} is not among\n${[...files.keys()].join('\n')}`);
    for (const kind of [
      'controlplanes',
      'managedclusters',
      'manifestworks',
      'bindingpolicies',
      'certificatesigningrequests',
    ])
      has(`clusters/hosting/${kind}.json`);
    for (const kind of [
      'klusterlets',
      'appliedmanifestworks',
      `namespaces/${namespace}/pods`,
      `namespaces/${namespace}/secrets`,
    ])
      has(`clusters/cluster1/${kind}.json`);
    const { items } = JSON.parse(files.get('doctor.json') ?? '{}') as { items: Finding[] };
    assert.ok(items.some(({ id }) => id === 'wec-reports'));
    assert.ok(JSON.parse(files.get('status.json') ?? '{}').hosting);
  });

  it('contains no secret of any cluster, including planted ones', async () => {
    const text = [...(await readArchive(file())).values()].join('\n');
    assert.ok(!text.includes(planted));
    let secrets = 0;
    for (const name of names) {
      const { items } = await bed
        .plane(name)
        .admin.list<KubeObject & { data?: Record<string, string> }>(resources.secrets);
      for (const [key, value] of items.flatMap(({ data = {} }) => Object.entries(data))) {
        const plain = Buffer.from(value, 'base64').toString('utf8');
        // Names, namespaces and certificates are not secret.
        if (!/token|key|kubeconfig|password/i.test(key)) continue;
        secrets += 1;
        for (const form of [plain, value])
          assert.ok(!text.includes(form.trim()), `${name}: ${key}`);
      }
    }
    assert.ok(secrets > 5, `only ${secrets} secrets were looked for`);
    assert.doesNotMatch(text, /PRIVATE KEY|eyJ[A-Za-z0-9_-]{20}/);
  });
});
