/** Clusters that were registered before: leftovers must not prevent another join. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type AnyObject,
  Authority,
  type Bed,
  type Deployment,
  limitedUser,
  type ManagedCluster,
  type Plane,
  resources,
  until,
  wipeKlusterlet,
  writeKubeconfig,
} from '../../../testbed/index.ts';
import type { Cli } from '../support/harness.ts';
import { inRelease, isRelease } from '../support/in-release.ts';
import { runKilledAfter } from '../support/killed-runs.ts';
import { assertRefused, markAll, writesOn } from '../support/refusal.ts';
import {
  assertAvailable,
  join as joined,
  statusOf,
  stopKlusterlet,
} from '../support/registration.ts';
import { enterPlanes, leaveBed } from '../support/shared-bed.ts';

let bed: Bed;
let cli: Cli;
let its1: Plane;

const names = ['cluster1', ...(isRelease ? ['cluster2'] : []), 'empty'];
const planeOf = (name: string): Plane => bed.plane(name);

before(async () => {
  ({
    bed,
    cli,
    planes: [its1],
  } = await enterPlanes('its1', ...names));
});

after(() => leaveBed(cli));

const joinOf = (name: string) => ['wec', 'join', name, '--accept', '--its', 'its1'];
const join = (name: string) => joined(cli, its1, name);
const clusterOf = (name: string) =>
  its1.admin.find<ManagedCluster>(resources.managedClusters, name);
const uidAnnotation = 'stellarctl.kubestellar.io/kube-system-uid';
const agentNamespace = 'open-cluster-management-agent';

async function uidOf({ admin }: Plane) {
  return (await admin.get<AnyObject>(resources.namespaces, 'kube-system')).metadata.uid;
}

/** As with kubectl while the agent runs. */
async function deleteCluster(name: string) {
  await its1.admin.delete(resources.managedClusters, name);
  await until(async () => (await clusterOf(name)) === undefined, `end of ManagedCluster ${name}`);
}

async function diagnosisOf(name: string): Promise<{ problem: string; next: string }> {
  const { json } = await cli.type(`wec get ${name}=${name} --its its1 -o json`);
  return json().diagnosis ?? { problem: 'nothing', next: 'nothing' };
}

describe('rejoining', { concurrency: true }, () => {
  describe('cluster1', { concurrency: 1 }, () => {
    const name = 'cluster1';

    it('records its kube-system UID on the ITS, and a second join changes nothing', async () => {
      await join(name);
      const { annotations } = (await clusterOf(name))?.metadata ?? {};
      assert.equal(annotations?.[uidAnnotation], await uidOf(planeOf(name)));
      await markAll([its1, planeOf(name)]);
      const again = await join(name);
      assert.match(again.stdout, /nothing to do/);
      assert.deepEqual(await writesFor(name), []);
    });

    it('after kubectl delete managedcluster, which wec get reports with the command to run', async () => {
      await deleteCluster(name);
      const { problem, next } = await diagnosisOf(name);
      assert.match(
        problem,
        /^cluster1 cannot connect to its1: its agent has a certificate, and the ITS has no ManagedCluster of it/,
      );
      await cli.succeed(next.split(' ').slice(1));
      await assertAvailable(its1, name);
    });

    it('as a user who may not delete Secrets and pods there is refused beforehand, and names the missing permissions', async () => {
      await deleteCluster(name);
      const crud = ['get', 'list', 'create', 'patch', 'update', 'escalate', 'bind'];
      const limited = await limitedUser(planeOf(name), {
        user: 'installer',
        rules: [{ apiGroups: ['*'], resources: ['*'], verbs: crud }],
      });
      const kubeconfig = await writeKubeconfig(its1, [its1.kubeconfigEntry, limited]);
      await markAll([its1, planeOf(name)]);
      const run = await cli.run(joinOf(name), { kubeconfig });
      assertRefused(run, {
        exitCode: 4,
        says: /Not allowed on cluster1 .*delete secrets in \S+-agent, delete pods in/,
      });
      assert.deepEqual(await writesFor(name), []);
      await join(name);
    });

    it('with a certificate that the ITS does not accept', async () => {
      await its1.admin.patch(resources.managedClusters, name, {
        spec: { leaseDurationSeconds: 1 },
      });
      const { metadata } = await planeOf(name).admin.get<AnyObject>(
        resources.klusterlets,
        'klusterlet',
      );
      const foreign = await (await Authority.create('elsewhere')).issue({
        commonName: `system:open-cluster-management:${name}:${metadata.uid}`,
        organizations: [`system:open-cluster-management:${name}`],
      });
      const data = { 'tls.crt': foreign.certPem, 'tls.key': foreign.keyPem };
      const encoded = Object.entries(data).map(([key, value]) => [
        key,
        Buffer.from(value).toString('base64'),
      ]);
      // A running agent would restore its own certificate.
      await stopKlusterlet(planeOf(name));
      await planeOf(name).admin.patch(
        resources.secrets,
        `${agentNamespace}/hub-kubeconfig-secret`,
        { data: Object.fromEntries(encoded) },
      );
      await planeOf(name).admin.patch<Deployment>(resources.deployments, operator, {
        spec: { replicas: 1 },
      });
      await until(
        async () =>
          statusOf(await clusterOf(name), 'ManagedClusterConditionAvailable') === 'Unknown',
        'silence of the agent',
      );
      const { stderr } = await join(name);
      assert.match(stderr, /^cluster1: the ITS does not accept the certificate of its agent/m);
    });

    it('when rebuilt, is refused while its old registration exists, and the next step is correct', async () => {
      await wipeKlusterlet(planeOf(name));
      await markAll([its1, planeOf(name)]);
      const run = await cli.run(joinOf(name).with(2, `${name}=empty`));
      assertRefused(run, {
        exitCode: 1,
        says: /cluster1 is the name of another cluster on its1, which has joined/,
        hint: /stellarctl deregister cluster1 --force --its its1/,
      });
      assert.doesNotMatch(run.stderr, /delete managedcluster/);
      assert.deepEqual(await writesFor(name), []);
      // The same cluster without its Klusterlet is identified by its UID.
      await join(name);
    });
  });

  describe('cluster2, killed midway', { concurrency: 1 }, () => {
    const name = 'cluster2';
    const fatal = [
      /^PATCH .*secrets\/bootstrap-hub-kubeconfig/,
      /^DELETE .*secrets\/hub-kubeconfig-secret/,
      /^DELETE .*\/pods\//,
    ];
    for (const write of fatal) {
      it(`after ${write.source}`, inRelease, async () => {
        if ((await clusterOf(name)) === undefined) await join(name);
        await deleteCluster(name);
        await runKilledAfter(write, cli, joinOf(name), planeOf(name), its1);
        await join(name);
      });
    }
  });
});

/** On both sides; on the ITS other programs write for theirs. */
async function writesFor(name: string) {
  const onIts = (await writesOn(its1)).filter((write) => write.includes(name));
  return [...onIts, ...(await writesOn(planeOf(name)))];
}

const operator = 'open-cluster-management/klusterlet';
