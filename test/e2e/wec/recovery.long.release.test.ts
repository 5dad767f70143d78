/** What a registration can lose: one `wec join`, typed as suggested, restores it, or reports why the user must decide. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type AnyObject,
  type Bed,
  bindWorkload,
  bootstrapAccount,
  type Deployment,
  expiredToken,
  type ManagedCluster,
  type Plane,
  type Pod,
  resources,
  until,
  untilApplied,
} from '../../../testbed/index.ts';
import { Cli } from '../support/harness.ts';
import { inRelease, isRelease } from '../support/in-release.ts';
import { runKilledAfter } from '../support/killed-runs.ts';
import { assertRefused } from '../support/refusal.ts';
import {
  assertAvailable,
  bootstrapSecretText,
  join as joined,
  statusOf,
  stopKlusterlet,
} from '../support/registration.ts';
import { enterBed, leaveBed } from '../support/shared-bed.ts';

let bed: Bed;
let cli: Cli;

const names = ['moved', 'rebuilt', 'token', ...(isRelease ? ['removed'] : [])];

before(async () => {
  const hubs = ['its1', 'its2'].map((name) => ({ name, hub: true }));
  bed = await enterBed([...hubs, ...names.map((name) => ({ name }))]);
  cli = await Cli.create(bed.kubeconfig);
});

after(() => leaveBed(cli));

const agentNamespace = 'open-cluster-management-agent';
const join = (name: string, more = '', its = 'its1') => joined(cli, bed.plane(its), name, more);
const clusterOf = (name: string, its = 'its1') =>
  bed.plane(its).admin.find<ManagedCluster>(resources.managedClusters, name);

/** The problem that `wec get` reports, and its command, as arguments. */
async function advice(name: string, its = 'its1'): Promise<{ problem: string; next: string[] }> {
  const { json } = await cli.type(`wec get ${name}=${name} --its ${its} -o json`);
  const { problem, next } = json().diagnosis ?? { problem: 'nothing', next: '' };
  return { problem, next: (next ?? '').split(' ').slice(1) };
}

async function remakeBootstrapAccount({ admin }: Plane) {
  const [namespace = '', name = ''] = bootstrapAccount.split('/');
  await admin.delete(resources.serviceAccounts, bootstrapAccount);
  await admin.create(resources.serviceAccounts, { metadata: { name, namespace } });
  // API servers cache a valid token for ten seconds.
  await new Promise((resolve) => setTimeout(resolve, 11_000));
}

async function patchSecret({ admin }: Plane, name: string, files: Record<string, string>) {
  const data = Object.entries(files).map(([key, text]) => [
    key,
    Buffer.from(text).toString('base64'),
  ]);
  await admin.patch(resources.secrets, `${agentNamespace}/${name}`, {
    data: Object.fromEntries(data),
  });
}

/** Its agent finds an expired certificate and an expired token when it starts, as after a year switched off. */
async function letExpire(name: string) {
  const [its1, wec] = [bed.plane('its1'), bed.plane(name)];
  await its1.admin.patch(resources.managedClusters, name, { spec: { leaseDurationSeconds: 1 } });
  const { data } = await wec.admin.get<AnyObject & { data: Record<string, string> }>(
    resources.secrets,
    `${agentNamespace}/hub-kubeconfig-secret`,
  );
  const agent = Buffer.from(data['agent-name'] ?? '', 'base64').toString();
  await stopKlusterlet(wec);
  const group = `system:open-cluster-management:${name}`;
  const groups = [group, 'system:open-cluster-management:managed-clusters'];
  const minute = 60_000;
  const expired = { from: new Date(Date.now() - 60 * minute), to: new Date(Date.now() - minute) };
  const { certPem, keyPem } = await its1.issueUser(`${group}:${agent}`, groups, expired);
  await patchSecret(wec, 'hub-kubeconfig-secret', { 'tls.crt': certPem, 'tls.key': keyPem });
  const secret = (await bootstrapSecretText(wec)).replace(/eyJ[\w.-]+/, await expiredToken(its1));
  await patchSecret(wec, 'bootstrap-hub-kubeconfig', { kubeconfig: secret });
  await wec.admin.patch<Deployment>(resources.deployments, operator, { spec: { replicas: 1 } });
  await until(async () => {
    const { items } = await wec.admin.list<Pod>(resources.pods, { namespace: agentNamespace });
    return (
      items.some(({ status }) => status?.phase === 'Running') && isSilent(await clusterOf(name))
    );
  }, 'silence of an agent that runs');
}

const isSilent = (cluster: ManagedCluster | undefined) =>
  statusOf(cluster, 'ManagedClusterConditionAvailable') === 'Unknown';
const operator = 'open-cluster-management/klusterlet';

describe('recovery', { concurrency: true }, () => {
  describe('of a WEC', { concurrency: 1 }, () => {
    const name = 'token';

    it(
      'whose bootstrap service account was recreated while its request was pending, in mode Default',
      inRelease,
      async () => {
        await cli.type(`wec join ${name} --mode Default --its its1`);
        await remakeBootstrapAccount(bed.plane('its1'));
        const { stdout, stderr } = await join(name);
        assert.match(
          stderr,
          /^token: the ITS does not accept the bootstrap token: it re-registers$/m,
        );
        assert.match(stdout, /^token: joined and available/);
      },
    );

    it('and when it is registered: there is nothing to do', inRelease, async () => {
      await remakeBootstrapAccount(bed.plane('its1'));
      const { stdout } = await join(name);
      assert.match(stdout, /^token: is registered with its1 and available; nothing to do/);
    });

    it('whose certificate has expired, in mode Default', async () => {
      await join(name, '--mode Default');
      const before = await clusterOf(name);
      await letExpire(name);
      const expired = await bootstrapSecretText(bed.plane(name));
      const { problem, next } = await advice(name);
      assert.match(
        problem,
        /^token cannot connect to its1: the certificate of its agent expired \d+\S+ ago/,
      );
      const { stderr } = await cli.succeed(next);
      assert.match(
        stderr,
        /^token: the certificate of its agent expired \d+\S+ ago: it re-registers/m,
      );
      await assertAvailable(bed.plane('its1'), name);
      assert.equal(
        (await clusterOf(name))?.metadata.uid,
        before?.metadata.uid,
        'its ManagedCluster stays',
      );
      assert.notEqual(
        await bootstrapSecretText(bed.plane(name)),
        expired,
        'its token had expired as well',
      );
    });
  });

  describe('of a WEC', { ...inRelease, concurrency: 1 }, () => {
    const name = 'removed';

    it('whose Klusterlet was removed', async () => {
      await join(name);
      const { admin } = bed.plane(name);
      await admin.delete(resources.klusterlets, 'klusterlet');
      await until(
        async () => !(await admin.find(resources.klusterlets, 'klusterlet')),
        'end of the Klusterlet',
      );
      const { problem, next } = await advice(name);
      assert.match(problem, /^There is no Klusterlet in the cluster of context removed/);
      await cli.succeed(next);
      await assertAvailable(bed.plane('its1'), name);
    });

    it('whose operator another user has upgraded, and then stopped: it is not downgraded', async () => {
      const { admin } = bed.plane(name);
      const image = 'quay.io/open-cluster-management/registration-operator:v1.2.1';
      await admin.patch<AnyObject>(
        resources.deployments,
        operator,
        [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: image }],
        { type: 'json' },
      );
      await admin.patch<AnyObject>(
        resources.customResourceDefinitions,
        klusterletCrd,
        [{ op: 'add', path: '/spec/versions/0/additionalPrinterColumns', value: [column] }],
        { type: 'json' },
      );
      await stopKlusterlet(bed.plane(name));
      const { next } = await advice(name);
      const { stderr } = await cli.succeed(next);
      assert.match(stderr, /^removed: operator 1\.2\.1 kept: wec upgrade changes it$/m);
      await assertAvailable(bed.plane('its1'), name);
      assert.equal(await imageOfOperator(name), image);
      const crd = await admin.get<AnyObject>(resources.customResourceDefinitions, klusterletCrd);
      assert.match(
        JSON.stringify(crd),
        /"additionalPrinterColumns":\[\{"name":"Since"/,
        'its definition stays as well',
      );
      const again = await join(name);
      assert.match(again.stdout, /nothing to do\.$/m);
    });
  });
});

describe('recovery of WECs of two hubs', { concurrency: 1 }, () => {
  let workload: Awaited<ReturnType<typeof bindWorkload>>;

  before(async () => {
    workload = await bindWorkload(bed.plane('its2'), {
      policy: 'web',
      matchLabels: { tier: 'edge' },
    });
    await Promise.all(['moved', 'rebuilt'].map((name) => join(name, '--label tier=edge', 'its2')));
    await Promise.all(['moved', 'rebuilt'].map((name) => untilApplied(bed.plane('its2'), name, 3)));
    workload.stop();
  });

  it('one of another hub: rejected, with the command that moves it', async () => {
    const { problem, next } = await advice('moved');
    assert.match(
      problem,
      /^moved cannot connect to its1: it is registered with the hub https:\/\/its2-\S+/,
    );
    const refused = await cli.run('wec join moved --accept --its its1'.split(' '));
    assertRefused(refused, { exitCode: 1, says: /it is registered with the hub https:\/\/its2-/ });
    assert.match(refused.stderr, new RegExp(`stellarctl ${next.join(' ')}`, 'm'));
    const unasked = await cli.run(next);
    assertRefused(unasked, {
      exitCode: 1,
      says: /Move moved\? This needs confirmation/,
      hint: /--replace-hub.* --yes/,
    });
    assert.match(
      unasked.stderr,
      /3 works \(.*\): its agent deletes what its1 does not send .* 60m after it has connected/,
    );
    assert.equal(await clusterOf('moved'), undefined, 'nothing was begun');
    await assertAvailable(bed.plane('its2'), 'moved');
  });

  it(
    'one of another hub: if killed midway, it still belongs to the other hub, and the command can be rerun',
    inRelease,
    async () => {
      const { next } = await advice('moved');
      await runKilledAfter(
        /^PATCH .*secrets\/bootstrap-hub-kubeconfig/,
        cli,
        [...next, '--yes'],
        bed.plane('moved'),
        bed.plane('its1'),
      );
      assert.deepEqual((await advice('moved')).next, next);
    },
  );

  it('one of another hub: moved on a terminal, after the user has typed its name', async () => {
    const { next } = await advice('moved');
    const { exitCode, screen } = await cli.runOnTerminal(next, {
      answers: [{ at: /Move moved\? Type its name/, type: async () => 'moved' }],
    });
    assert.equal(exitCode, 0, screen);
    assert.match(screen, /On that hub: its ManagedCluster moved stays/);
    await assertAvailable(bed.plane('its1'), 'moved');
    const { data } = (await bed
      .plane('moved')
      .admin.get(resources.secrets, `${agentNamespace}/hub-kubeconfig-secret`)) as AnyObject & {
      data: Record<string, string>;
    };
    assert.match(Buffer.from(data.kubeconfig ?? '', 'base64').toString(), /its1-control-plane/);
  });

  it('one whose hub was rebuilt under its name and address, with another authority and no objects', async () => {
    await bed.removePlane('its2');
    await bed.addPlane({ name: 'its2', hub: true });
    const { problem, next } = await advice('rebuilt', 'its2');
    assert.match(
      problem,
      /^rebuilt cannot connect to its2: its agent has a certificate, and the ITS has no ManagedCluster of it/,
    );
    const { stderr } = await cli.succeed([...next, '--label', 'tier=edge']);
    assert.match(stderr, /^rebuilt: 3 works .* 60m after it has connected/m);
    const { labels } = (await assertAvailable(bed.plane('its2'), 'rebuilt')).metadata;
    assert.equal(labels?.tier, 'edge');
  });
});

/** As in another version of the definition. */
const column = { name: 'Since', type: 'date', jsonPath: '.metadata.creationTimestamp' };
const klusterletCrd = 'klusterlets.operator.open-cluster-management.io';

async function imageOfOperator(name: string) {
  const { spec } = await bed.plane(name).admin.get<AnyObject>(resources.deployments, operator);
  return (
    (spec as { template: { spec: { containers: { image: string }[] } } }).template.spec
      .containers[0]?.image ?? ''
  );
}
