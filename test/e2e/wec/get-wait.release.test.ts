import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type Bed,
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
  await ask(its1, 'waiting');
});

after(async () => {
  await cli?.remove();
  await bed?.stop();
});

const succeed = (line: string, options: object = {}): Promise<CliRun> =>
  cli.succeed(line.split(' '), { env, ...options });
const stateOf = (view: { stages: { id: string; state: string }[] }, stage: string) =>
  view.stages.find(({ id }) => id === stage)?.state;

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
  it('shows running versions, not what the Klusterlet requests', async () => {
    await cluster1.admin.patch(resources.deployments, 'open-cluster-management/klusterlet', { spec: { replicas: 0 } });
    const agent = 'open-cluster-management-agent/klusterlet-agent';
    await setImage(cluster1, agent, 'registration-operator', 'v1.0.1');
    const running = / OCM running 1\.0\.1 \(klusterlet not running\), Klusterlet 1\.0\.0$/m;
    const { stdout } = await until(async () => {
      const seen = await succeed('wec get cluster1=cluster1');
      return running.test(seen.stdout) ? seen : undefined;
    }, 'what runs, without the pods from before');
    assert.match(stdout, /\(Singleton, 1\.0\.1\)$/m);
    await cluster1.admin.patch(resources.deployments, 'open-cluster-management/klusterlet', { spec: { replicas: 1 } });
    await until(async () => / OCM 1\.0\.0$/m.test((await succeed('wec get cluster1=cluster1')).stdout), 'the operator');
  });

  it('prints the ManagedCluster itself with --raw', async () => {
    assert.match((await succeed('wec get cluster1 --raw')).stdout, /^kind: ManagedCluster$/m);
    const { kind, metadata } = (await succeed('wec get cluster1 --raw -o json')).json();
    assert.deepEqual([kind, metadata.name], ['ManagedCluster', 'cluster1']);
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
});

describe('wec wait', () => {
  it('notices when a stage is met, even if an earlier one is not', async () => {
    await announce(its1, 'late');
    const waits = succeed('wec wait late --for accepted');
    await its1.admin.patch(resources.managedClusters, 'late', { spec: { hubAcceptsClient: true } });
    assert.match((await waits).stdout, /^late: accepted by the ITS/);
  });

  it('notices when a WEC is deleted', async () => {
    const waits = succeed('wec wait late --for delete');
    await its1.admin.delete(resources.managedClusters, 'late');
    assert.match((await waits).stdout, /^late: gone/);
  });
});
