/** The faults of a registration: the objects show what they show on real clusters. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { evidenceOf } from './faults/evidence.ts';
import { registrationFaults } from './faults/matrix.ts';
import { type Bed, startBed } from './index.ts';

/** What hub and managed cluster show of a fault, and what they must not show. */
interface Signs {
  hub?: readonly RegExp[];
  wec?: readonly RegExp[];
}

const noCluster = /^no ManagedCluster$/;
const connection = (reason: string, message = '') =>
  new RegExp(`^Klusterlet HubConnectionDegraded=True ${reason}: .*${message}`, 's');
const unreached = (message: string) => connection('BootstrapSecretError,HubKubeConfigSecretMissing', message);
const pending = connection('BootstrapSecretFunctional,HubKubeConfigSecretMissing');
const unknown = /^ManagedCluster ManagedClusterConditionAvailable=Unknown ManagedClusterLeaseUpdateStopped/;

/** By row; the rows of one WEC sequentially, two WECs in parallel, and then those that affect the whole hub. */
const signs: Record<string, Signs> = {
  firewall: { hub: [noCluster], wec: [unreached('dial tcp [\\d.]+:6443: i/o timeout\\n')] },
  'name-unresolvable': {
    hub: [noCluster],
    wec: [unreached('lookup its1-control-plane on [\\d.]+:53: no such host\\n')],
  },
  'connection-refused': { hub: [noCluster], wec: [unreached('dial tcp [\\d.]+:6443: connect: connection refused\\n')] },
  'token-expired-before-approval': {
    hub: [/^request \S+: Approved \(\w+\), issued/, /^ManagedCluster: hubAcceptsClient true/],
    wec: [/^Log open-cluster-management-agent\/.*: failed to watch certificate signing requests: Unauthorized/],
  },
  'agent-evicted': {
    hub: [unknown],
    wec: [
      /^Pod \S+: Failed Evicted/,
      /^Pod \S+ DisruptionTarget=True TerminationByKubelet: The node was low on resource: ephemeral-storage/,
      /^Pod \S+ PodScheduled=False Unschedulable: 0\/1 nodes are available: .*untolerated taint {node.kubernetes.io\/disk-p/,
      /^Node DiskPressure=True KubeletHasDiskPressure/,
    ],
  },
  'agent-unschedulable': {
    hub: [noCluster],
    wec: [
      /^Pod \S+ PodScheduled=False Unschedulable: 0\/1 nodes are available: 1 Insufficient memory/,
      /^Event \S+: FailedScheduling: 0\/1 nodes are available/,
      /^Klusterlet Available=False NoAvailablePods/,
    ],
  },
  'agent-certificate-expired': {
    hub: [unknown],
    wec: [connection('BootstrapSecretError,HubKubeConfigError', 'Unauthorized\\n.*Unauthorized')],
  },
  'wec-unhealthy': {
    hub: [/^ManagedCluster ManagedClusterConditionAvailable=False ManagedClusterKubeAPIServerUnavailable: .*500/],
    wec: [/^GET \/livez: .*\[-\]etcd failed/s],
  },
  'namespace-terminating': { hub: [/^Namespace \S+ NamespaceFinalizersRemaining=True .*example.com\/hold/] },
  'namespace-held-by-apiservice': {
    wec: [/^Namespace \S+ NamespaceDeletionDiscoveryFailure=True DiscoveryFailed: .*metrics.k8s.io\/v1beta1/],
  },
  'certificate-of-other-name': {
    hub: [noCluster],
    wec: [unreached('x509: certificate is valid for .*its1.example.com, not its1-control-plane\\n')],
  },
  'token-revoked': { hub: [noCluster], wec: [unreached('Unauthorized\\n')] },
  'rbac-request': {
    hub: [/^ManagedCluster: hubAcceptsClient false/],
    wec: [connection('BootstrapSecretUnauthorized,HubKubeConfigSecretMissing', 'certificatesigningrequests')],
  },
  'rbac-clusterset-join': { hub: [noCluster, /^request \S+: pending/], wec: [pending] },
  'request-not-issued': { hub: [/^request \S+: Approved \(\w+\), not issued/], wec: [pending] },
  'agent-certificate-expiring': {
    hub: [/^request \S+: Approved \(AutoApprovedBy\w+\), not issued, by system:open-cluster-management:cluster1:/],
  },
};

let bed: Bed;

const wecs = ['cluster1', 'cluster2'];
const chosen = registrationFaults.filter(({ id }) => id in signs);
const single = chosen.filter(({ isHubs }) => !isHubs);

before(async () => {
  bed = await startBed({
    planes: [{ name: 'its1', hub: true }, ...wecs.map((name) => ({ name }))],
    log: console.error,
    isCopy: true,
  });
});

after(() => bed?.stop());

function test(row: (typeof chosen)[number], wec: string): void {
  it(row.id, async () => {
    const undo = await row.arrange(bed, wec);
    const { hub = [], wec: own = [] } = signs[row.id] ?? {};
    const missing = (lines: readonly string[], wanted: readonly RegExp[]) =>
      wanted.filter((sign) => !lines.some((line) => sign.test(line)));
    let seen = await evidenceOf(bed, wec);
    // The operator reports about a pod what it sees at its next check.
    for (let looks = 0; looks < 20 && [...missing(seen.hub, hub), ...missing(seen.wec, own)].length > 0; looks += 1) {
      await sleep(1000);
      seen = await evidenceOf(bed, wec);
    }
    await undo();
    assert.deepEqual(missing(seen.hub, hub), [], seen.hub.join('\n'));
    assert.deepEqual(missing(seen.wec, own), [], seen.wec.join('\n'));
  });
}

it('are all in the matrix, each with one name', () => {
  const ids = registrationFaults.map(({ id }) => id);
  assert.deepEqual(ids, [...new Set(ids)]);
  assert.deepEqual(
    Object.keys(signs).filter((id) => !ids.includes(id)),
    [],
  );
});

describe('of one cluster', { concurrency: true }, () => {
  for (const [at, wec] of wecs.entries())
    describe(wec, { concurrency: 1 }, () => {
      for (const row of single.filter((_, i) => i % wecs.length === at)) test(row, wec);
    });
});

describe('of the whole hub', { concurrency: 1 }, () => {
  for (const row of chosen.filter(({ isHubs }) => isHubs)) test(row, 'cluster1');
});

it('are all removed again', () => assert.deepEqual(bed.faults, []));
