import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import {
  type Bed,
  type CertificateSigningRequest,
  chartObjects,
  installKlusterlet,
  ocmVersion,
  requestBootstrapToken,
  resources,
  startBed,
  wipeWec,
} from '../../testbed/index.ts';
import { bootFile } from '../stellarctl.ts';
import { atMost } from './goals.ts';
import { type Contender, compare, isInstalled, timeRun } from './measure.ts';

/**
 * One registration from nothing to available: by one command, and by the steps of KubeStellar's documentation (token, join, loop,
 * accept, wait), with the real OCM.
 */
export async function benchRegistration(): Promise<void> {
  const bed = await startBed({ planes: [{ name: 'its1', hub: true }, { name: 'cluster1' }] });
  try {
    await compareOn(bed);
  } finally {
    await bed.stop();
  }
}

async function compareOn(bed: Bed) {
  const [hub, wec] = [bed.plane('its1'), bed.plane('cluster1')];
  const env = { ...process.env, KUBECONFIG: bed.kubeconfig };
  const fromNothing = async (register: () => Promise<number>) => {
    const ms = await register();
    await wipeWec(hub, wec, 'cluster1');
    return ms;
  };
  const join = [bootFile, 'wec', 'join', 'cluster1', '--its', 'its1', '--accept'];
  const stellarctl: Contender = {
    name: 'stellarctl wec join --accept',
    run: () => fromNothing(() => timeRun(process.execPath, join, env)),
  };
  const title = 'One registration, from nothing to available';
  if (!(await isInstalled('kubectl'))) return void (await compare(title, [stellarctl], 3));
  const documented = {
    name: 'the documented steps of clusteradm and kubectl',
    run: () => fromNothing(() => documentedFlow(bed, env)),
  };
  const [, ratio = 0] = await compare(title, [documented, stellarctl], 5);
  atMost('a registration, against the documented steps', ratio, 0.6, 'times');
}

/** What clusteradm writes is rendered beforehand, and written without starting a program: no registry serves clusteradm. */
async function documentedFlow(bed: Bed, env: NodeJS.ProcessEnv) {
  const [hub, wec] = [bed.plane('its1'), bed.plane('cluster1')];
  const onHub = (...words: string[]) => execa('kubectl', ['--context', 'its1', ...words], { env });
  await chartObjects(ocmVersion);
  const started = performance.now();
  const bootstrap = {
    server: hub.internalServer,
    caPem: hub.caPem,
    token: await requestBootstrapToken(hub),
  };
  await installKlusterlet(wec, { clusterName: 'cluster1', bootstrap });
  while (!(await onHub('get', 'csr')).stdout.includes('cluster1')) await sleep(5000);
  const { items } = await hub.admin.list<CertificateSigningRequest>(
    resources.certificateSigningRequests,
    { labelSelector: 'open-cluster-management.io/cluster-name=cluster1' },
  );
  await onHub('certificate', 'approve', ...items.map(({ metadata }) => metadata.name));
  await hub.admin.patch(resources.managedClusters, 'cluster1', {
    spec: { hubAcceptsClient: true },
  });
  await onHub(
    'wait',
    '--for=condition=ManagedClusterConditionAvailable',
    'managedcluster/cluster1',
    '--timeout=120s',
  );
  return performance.now() - started;
}
