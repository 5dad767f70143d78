import {
  createRegistrationRequest,
  type KubeObject,
  resources,
  until,
} from '../../testbed/index.ts';
import { byKind, ManyWecs } from '../e2e/support/many-wecs.ts';
import { atMost } from './goals.ts';
import { type Contender, compare, isInstalled, timeRun } from './measure.ts';

const ofEach = 5;
const hold = 'example.com/hold';

/** On two idle cores; the same for 60 WECs and 300. */
const goals = { seconds: 10, lines: 60, requests: 60, memory: 400 };

/** Breaks a joined WEC so that its hub shows it. */
const breaks: ((many: ManyWecs, name: string) => Promise<unknown>)[] = [
  async ({ hub: { admin } }, name) => {
    const { metadata } = await admin.get(resources.managedClusters, name);
    const finalizers = [...(metadata.finalizers ?? []), hold];
    await admin.patch(resources.managedClusters, name, { metadata: { finalizers } });
    await admin.delete(resources.managedClusters, name);
  },
  async ({ hub: { admin } }, name) => {
    await admin.create(resources.configMaps, {
      metadata: { name: 'held', namespace: name, finalizers: [hold] },
    });
    await admin.delete(resources.namespaces, name);
  },
  ({ hub }, name) => createRegistrationRequest(hub, { cluster: name, agent: 'another-agent' }),
  async ({ hub: { admin } }, name) => {
    const manifest = {
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      metadata: { name: 'odd', namespace: 'default' },
    };
    const work = {
      metadata: { name: 'odd', namespace: name },
      spec: { workload: { manifests: [manifest] } },
    };
    await admin.create(resources.manifestWorks, work);
    const since = { lastTransitionTime: new Date().toISOString() };
    const failed = {
      type: 'Applied',
      status: 'False',
      reason: 'AppliedManifestFailed',
      message: 'no such kind',
      ...since,
    };
    const resourceMeta = {
      ordinal: 0,
      group: 'example.com',
      version: 'v1',
      kind: 'Widget',
      name: 'odd',
      namespace: 'default',
    };
    const manifests = [{ resourceMeta, conditions: [failed] }];
    const status = {
      conditions: [{ ...failed, observedGeneration: 1 }],
      resourceStatus: { manifests },
    };
    await admin.patch(
      resources.manifestWorks,
      `${name}/odd`,
      { status },
      { subresource: 'status' },
    );
  },
  async ({ hub: { admin } }, name) => {
    await admin.create(resources.managedClusterAddOns, {
      metadata: { name: 'probe', namespace: name },
      spec: {},
    } as KubeObject);
    const condition = {
      type: 'Available',
      status: 'False',
      reason: 'ProbeUnavailable',
      message: 'no replica is ready',
    };
    const since = { lastTransitionTime: new Date().toISOString() };
    const status = { conditions: [{ ...condition, ...since }] };
    await admin.patch(
      resources.managedClusterAddOns,
      `${name}/probe`,
      { status },
      { subresource: 'status' },
    );
  },
];

/**
 * Doctor on a hub of many WECs, thirty of them broken in six ways, against kubectl listing the same objects.
 */
export async function benchDoctorMany(count = Number(process.env.MANY ?? 300)): Promise<void> {
  const many = await ManyWecs.start(count);
  const { cli, names } = many;
  try {
    const pending = names.slice(0, ofEach);
    const joining = [names.slice(ofEach), ['--accept']].flat();
    for (const line of [joining, pending])
      await cli.succeed(['wec', 'join', ...line, '--its', 'its1', '--timeout', '20m'], {
        longest: 1_200_000,
      });
    for (const [index, breakIt] of breaks.entries())
      for (const name of names.slice((index + 1) * ofEach, (index + 2) * ofEach))
        await breakIt(many, name);
    const doctor = ['doctor', '--its', 'its1'];
    await until(async () => {
      const run = await cli.run(doctor);
      return /could not be applied/.test(run.stdout);
    }, 'works that are not applied');
    const { run, others, bytes, connections, memory, seconds } = await many.measure(...doctor);
    console.log(run.stdout);
    console.log(
      `${run.stdout.trimEnd().split('\n').length} lines, ${seconds.toFixed(1)} s, ${memory} MiB`,
    );
    console.log(
      `${(bytes / 1e6).toFixed(2)} MB over ${connections} connections: ${byKind(others).join(', ')}`,
    );
    const title = `doctor on ${count} WECs`;
    atMost(title, seconds, goals.seconds, 's');
    atMost(`${title}, output`, run.stdout.trimEnd().split('\n').length, goals.lines, 'lines');
    atMost(`${title}, requests to the hub`, others.length, goals.requests, 'requests');
    atMost(`${title}, memory`, memory, goals.memory, 'MiB');
    if (!(await isInstalled('kubectl'))) return;
    const kinds =
      'managedclusters,csr,leases,manifestworks,managedclusteraddons,namespaces,configmaps';
    const env = cli.environment();
    const contender = (name: string, program: string, line: string[]): Contender => ({
      name,
      run: () => timeRun(program, line, env),
    });
    await compare(
      `${names.length} WECs`,
      [
        contender('kubectl get …', 'kubectl', [
          '--context',
          'its1',
          'get',
          kinds,
          '-A',
          '-o',
          'json',
        ]),
        {
          name: 'stellarctl doctor',
          run: async () => (await many.measure(...doctor)).seconds * 1000,
        },
      ],
      5,
    );
  } finally {
    await many.stop();
  }
}
