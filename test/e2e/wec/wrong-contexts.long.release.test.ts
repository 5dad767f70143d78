import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import {
  type AnyObject,
  type Bed,
  crd,
  managedCrds,
  type Plane,
  resources,
  until,
  writeKubeconfig,
} from '../../../testbed/index.ts';
import { Cli } from '../support/harness.ts';
import { isRelease, rowOptions } from '../support/in-release.ts';
import { assertUnwritten, markAll } from '../support/refusal.ts';
import { assertAvailable, contextsOf } from '../support/registration.ts';
import { enterBed, leaveBed } from '../support/shared-bed.ts';
import { WriteProxy } from '../support/write-proxy.ts';

/** Contexts that do not lead to cluster1, the WEC of its1; each is a separate trap. */
const wrong: Record<string, { found: RegExp; inCi?: boolean }> = {
  empty: { found: /no Klusterlet|recorded when cluster1 joined/, inCi: true },
  foreign: {
    found: /registered with the hub|registered as|recorded when cluster1 joined/,
    inCi: true,
  },
  hosted: { found: /works? of a hub|recorded when cluster1 joined/ },
  hosting: { found: /hosting cluster|recorded when cluster1 joined/ },
  its1: { found: /the ITS itself|same cluster|OCM hub/, inCi: true },
};

/** A cluster that serves this kind has KubeFlex. */
const controlPlanes = crd({
  group: 'tenancy.kflex.kubestellar.org',
  versions: ['v1alpha1'],
  kind: 'ControlPlane',
  scope: 'Cluster',
});

let bed: Bed;
let cli: Cli;
let its1: Plane;
let its2: Plane;
let planes: Plane[];

before(async () => {
  const names = ['cluster1', 'empty', 'foreign', ...(isRelease ? ['hosted', 'hosting'] : [])];
  bed = await enterBed([
    { name: 'its1', hub: true },
    { name: 'its2', hub: true },
    ...names.map((name) => ({ name })),
  ]);
  [its1, its2] = [bed.plane('its1'), bed.plane('its2')];
  planes = [its1, its2, ...names.map((name) => bed.plane(name))];
  cli = await Cli.create(await contextsOf(its1, ...planes.slice(1)));
  await Promise.all([
    cli.succeed(['wec', 'join', 'cluster1', '--its', 'its1', '--accept']),
    cli.succeed(['wec', 'join', 'cluster1=foreign', '--its', 'its2', '--accept']),
    isRelease && sendWorksOfAnotherHub(bed.plane('hosted')),
    isRelease &&
      bed.plane('hosting').admin.create(resources.customResourceDefinitions, controlPlanes),
  ]);
  await assertAvailable(its1, 'cluster1');
});

after(() => leaveBed(cli));

/** Like a hub in Hosted mode, whose Klusterlets are elsewhere: an AppliedManifestWork that owns an object. */
async function sendWorksOfAnotherHub({ admin }: Plane) {
  for (const crd of await managedCrds())
    await admin.ensure(resources.customResourceDefinitions, crd);
  const hubHash = createHash('sha256').update('https://another-hub:6443').digest('hex');
  const work = await until(async () => {
    try {
      return await admin.create<AnyObject>(resources.appliedManifestWorks, {
        metadata: {
          name: `${hubHash}-work1`,
          finalizers: ['cluster.open-cluster-management.io/applied-manifest-work-cleanup'],
        },
        spec: { hubHash, manifestWorkName: 'work1', agentID: 'another-agent' },
      } as never);
    } catch {
      return undefined;
    }
  }, 'served kind AppliedManifestWork');
  const { name, uid } = work.metadata;
  const { apiVersion, kind } = resources.appliedManifestWorks;
  await admin.create(resources.configMaps, {
    metadata: {
      name: 'of-another-hub',
      namespace: 'default',
      ownerReferences: [{ apiVersion, kind, name, uid: uid ?? '' }],
    },
  } as never);
}

/** Fails with a reason, and writes nothing on any of the clusters. */
async function refuses(line: string[], reason: RegExp) {
  await markAll(planes);
  const run = await cli.run(line);
  assert.notEqual(run.exitCode, 0, `${line.join(' ')}\n${run.stdout}${run.stderr}`);
  assert.match(run.stderr, reason);
  await assertUnwritten(planes);
}

const onIts1 = ['--its', 'its1', '--yes'];

for (const [context, { found, inCi }] of Object.entries(wrong)) {
  describe(`the context ${context} instead of that of cluster1`, rowOptions({ inCi }), () => {
    it('is refused by deregister --cleanup', () =>
      refuses(['deregister', `cluster1=${context}`, '--cleanup', ...onIts1], found));

    it('is refused by deregister --keep-workloads --force', () =>
      refuses(
        ['deregister', `cluster1=${context}`, '--keep-workloads', '--force', ...onIts1],
        found,
      ));

    it('is refused by join', async () => {
      // Joining an empty cluster is the purpose of join; under a used name it is refused.
      const name = context === 'empty' ? 'cluster1' : 'cluster9';
      const reason =
        context === 'empty'
          ? /name of another cluster/
          : /is registered already|OCM hub|hosting cluster|works? of a hub/;
      await refuses(['wec', 'join', `${name}=${context}`, '--its', 'its1', '--accept'], reason);
    });

    it(
      context === 'empty' ? 'is nothing to deregister --local' : 'is refused by deregister --local',
      async () => {
        const name = context === 'foreign' ? 'cluster9' : 'cluster1';
        const line = ['deregister', '--local', `${name}=${context}`, '--yes'];
        // A cluster from which everything was removed looks the same: then the work is done.
        if (context !== 'empty')
          return refuses(line, /registered as cluster1|works? of a hub|hosting cluster|OCM hub/);
        await markAll(planes);
        const run = await cli.succeed(line);
        assert.match(run.stdout, /nothing to do/);
        await assertUnwritten(planes);
      },
    );
  });
}

/** Cells of the matrix in test/unit/commands/destroys.long.test.ts, on real control planes. */
describe('a list that fails, or another ITS', () => {
  const failing = (status: number) => () => ({
    status,
    body: { kind: 'Status', code: status, message: 'fault' },
  });
  const faults = {
    404: failing(404),
    503: failing(503),
    403: failing(403),
    '{}': () => ({ status: 200, body: {} }),
    'no second page': ({ searchParams }: URL) =>
      searchParams.has('continue')
        ? failing(404)()
        : { status: 200, body: { kind: 'List', metadata: { continue: 'x' }, items: [] } },
  };
  const [alone, cleanup] = ['deregister cluster1', 'deregister cluster1=cluster1 --cleanup'];
  const lists: [
    line: string,
    plane: 'its1' | 'cluster1',
    plural: string,
    fault: keyof typeof faults,
  ][] = [
    [alone, 'its1', 'manifestworks', 404],
    [`${alone} --force`, 'its1', 'manifestworks', '{}'],
    [`${alone} --keep-workloads`, 'its1', 'manifestworks', 'no second page'],
    [alone, 'its1', 'managedclusters', 404],
    [`${alone} --force`, 'its1', 'managedclusteraddons', 503],
    [alone, 'its1', 'certificatesigningrequests', 403],
    [`${cleanup} --force`, 'cluster1', 'pods', 404],
    [`${cleanup} --keep-workloads`, 'cluster1', 'configmaps', 503],
  ];
  for (const [index, [line, name, plural, fault]] of lists.entries()) {
    const inCi = lists.findIndex((other) => other[3] === fault) === index;
    it(
      `is refused by ${line}: ${fault} for ${plural} of ${name}`,
      rowOptions({ inCi }),
      async () => {
        // A kind that is not served answers 404 for its objects too.
        const isAbout = ({ pathname }: URL) =>
          pathname.endsWith(`/${plural}`) ||
          (plural === 'managedclusters' && pathname.includes('/managedclusters/'));
        let faulty = 0;
        const instead = (method: string, url: URL) => {
          if (method !== 'GET' || !isAbout(url)) return undefined;
          faulty += 1;
          return faults[fault](url);
        };
        const proxy = await WriteProxy.start(bed.plane(name), () => {}, { instead });
        const through = { ...proxy.entry, context: bed.plane(name).kubeconfigEntry.context };
        const entries = planes.map((plane) =>
          plane.name === name ? through : plane.kubeconfigEntry,
        );
        const kubeconfig = await writeKubeconfig(its1, entries);
        try {
          await markAll(planes);
          const run = await cli.run([...line.split(' '), ...onIts1, '--timeout', '30s'], {
            kubeconfig,
          });
          assert.notEqual(run.exitCode, 0, run.stdout + run.stderr);
          assert.ok(faulty > 0, run.stderr);
          await assertUnwritten(planes);
        } finally {
          proxy.stop();
        }
      },
    );
  }

  it('is refused by deregister --cleanup with its2', () =>
    refuses(
      ['deregister', 'cluster1=cluster1', '--cleanup', '--its', 'its2', '--yes'],
      /is not the WEC|proven/,
    ));

  it('is refused by wec revoke with its2', () =>
    refuses(
      ['wec', 'revoke', 'cluster1=cluster1', '--its', 'its2', '--yes'],
      /is not the WEC|proven/,
    ));
});

describe('the correct context', () => {
  const inAddonNamespace = 'open-cluster-management-agent-addon';

  it('is cleaned up once nothing of others is in its namespaces; their works stay, and are named', async () => {
    const cluster1 = bed.plane('cluster1');
    await sendWorksOfAnotherHub(cluster1);
    await cluster1.admin.ensure(resources.namespaces, {
      metadata: { name: inAddonNamespace },
    } as never);
    await cluster1.admin.create(resources.configMaps, {
      metadata: { name: 'of-somebody', namespace: inAddonNamespace },
    } as never);
    const line = ['deregister', 'cluster1=cluster1', '--cleanup', ...onIts1];
    await refuses(line, /holds ConfigMap of-somebody, which the klusterlet operator deletes/);
    await cluster1.admin.delete(resources.configMaps, `${inAddonNamespace}/of-somebody`);
    const { stderr } = await cli.succeed(line);
    assert.match(
      stderr,
      /kind appliedmanifestworks\.\S+ stays on cluster1: 1 object of it remains/,
    );
    await cluster1.admin.get(resources.configMaps, 'default/of-another-hub');
    assert.equal(await its1.admin.find(resources.managedClusters, 'cluster1'), undefined);
    assert.equal(
      await cluster1.admin.find(resources.namespaces, 'open-cluster-management-agent'),
      undefined,
    );
    assert.equal(
      await cluster1.admin.find(resources.namespaces, 'open-cluster-management'),
      undefined,
    );
  });

  it('succeeds again without writes', async () => {
    await markAll(planes);
    const run = await cli.succeed(['deregister', 'cluster1=cluster1', '--cleanup', ...onIts1]);
    assert.match(run.stdout, /is not registered; nothing to do/);
    await assertUnwritten(planes);
  });
});
