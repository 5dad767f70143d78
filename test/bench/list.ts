import { type Bed, type KubeObject, resources } from '../../testbed/index.ts';
import { bootFile, executable } from '../stellarctl.ts';
import { atMost } from './goals.ts';
import { type Contender, compare, isInstalled, peakMemory, timeRun } from './measure.ts';

const many = 2000;

/**
 * How many times longer than an empty Node process a list of one WEC may take. Node alone takes 2.25 for these three requests with a
 * client certificate, the commands 0.45 to be defined, the yaml package 0.45 to read a kubeconfig.
 */
const goal = 3.6;

/** Listing one WEC and many: the whole process, with its memory. */
export async function benchList(bed: Bed): Promise<void> {
  const hub = bed.plane('its1');
  const env = { ...process.env, KUBECONFIG: bed.kubeconfig };
  const program = (name: string, command: string, arguments_: string[]): Contender => ({
    name,
    run: () => timeRun(command, arguments_, env),
    memory: () => peakMemory(command, arguments_, env),
  });
  const stellarctl = program('stellarctl wec list', process.execPath, [
    bootFile,
    'wec',
    'list',
    '--its',
    'its1',
  ]);
  const others: Contender[] = [];
  if (executable)
    others.push(
      program('stellarctl wec list, the executable', executable, ['wec', 'list', '--its', 'its1']),
    );
  if (await isInstalled('kubectl'))
    others.push(
      program('kubectl get managedclusters', 'kubectl', [
        '--context',
        'its1',
        'get',
        'managedclusters',
      ]),
    );
  if (await isInstalled('clusteradm'))
    others.push(
      program('clusteradm get clusters', 'clusteradm', [
        '--context',
        'its1',
        'get',
        'clusters',
        '-o',
        'table',
      ]),
    );

  await hub.admin.create(resources.managedClusters, managedCluster('bench-0'));
  const [, ofOne = 0] = await compare(
    'A list of one WEC',
    [
      { name: 'node -e 0', run: () => timeRun(process.execPath, ['-e', '0']) },
      stellarctl,
      ...others,
    ],
    20,
  );
  atMost('a list of one WEC, against an empty Node process', ofOne, goal, 'times');

  await inParallel(many - 1, 16, (index) =>
    hub.admin.create(resources.managedClusters, managedCluster(`bench-${index + 1}`)),
  );
  await compare(
    `A list of ${many} WECs`,
    [...others.slice(0, 1), stellarctl, ...others.slice(1)],
    5,
  );
  await inParallel(many, 16, (index) =>
    hub.admin.delete(resources.managedClusters, `bench-${index}`),
  );
}

function managedCluster(name: string): KubeObject & { spec: object } {
  return {
    apiVersion: 'cluster.open-cluster-management.io/v1',
    kind: 'ManagedCluster',
    metadata: { name, labels: { 'location-group': 'edge' } },
    spec: { hubAcceptsClient: false },
  };
}

async function inParallel(count: number, limit: number, work: (index: number) => Promise<unknown>) {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: limit }, worker));
}
