import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { type Bed, wipeWec } from '../../testbed/index.ts';
import { bootFile } from '../stellarctl.ts';
import { type Contender, compare, isInstalled, timeRun } from './measure.ts';

/**
 * One registration from nothing to available: by one command, and as in KubeStellar's documentation (token, join, loop, accept,
 * wait).
 */
export async function benchRegistration(bed: Bed): Promise<void> {
  const [hub, wec] = [bed.plane('its1'), bed.plane('cluster1')];
  const env = { ...process.env, KUBECONFIG: bed.kubeconfig };
  const fromNothing = async (register: () => Promise<number>) => {
    const ms = await register();
    await wipeWec(hub, wec, 'cluster1');
    return ms;
  };
  const contenders: Contender[] = [
    {
      name: 'stellarctl wec join --accept',
      run: () =>
        fromNothing(() =>
          timeRun(process.execPath, [bootFile, 'wec', 'join', 'cluster1', '--its', 'its1', '--accept'], env),
        ),
    },
  ];
  if ((await isInstalled('clusteradm')) && (await isInstalled('kubectl'))) {
    contenders.push({
      name: 'clusteradm and kubectl, as documented',
      run: () => fromNothing(() => documentedFlow(env)),
    });
  }
  await compare('One registration, from nothing to available', contenders, 3);
}

async function documentedFlow(env: NodeJS.ProcessEnv): Promise<number> {
  const started = performance.now();
  const { stdout } = await execa('clusteradm', ['--context', 'its1', 'get', 'token', '-o', 'json'], { env });
  const token = JSON.parse(stdout) as { 'hub-token': string; 'hub-apiserver': string };
  const join = [
    '--context',
    'cluster1',
    'join',
    '--hub-token',
    token['hub-token'],
    '--hub-apiserver',
    token['hub-apiserver'],
    '--cluster-name',
    'cluster1',
  ];
  await execa('clusteradm', [...join, '--singleton', '--force-internal-endpoint-lookup'], { env });
  while (!(await execa('kubectl', ['--context', 'its1', 'get', 'csr'], { env })).stdout.includes('cluster1'))
    await sleep(5000);
  await execa('clusteradm', ['--context', 'its1', 'accept', '--clusters', 'cluster1'], { env });
  const available = '--for=condition=ManagedClusterConditionAvailable';
  await execa('kubectl', ['--context', 'its1', 'wait', available, 'managedcluster/cluster1', '--timeout=120s'], {
    env,
  });
  return performance.now() - started;
}
