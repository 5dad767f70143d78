import { type Bed, createPendingClusters, wipeCluster } from '../../testbed/index.ts';
import { bootFile } from '../stellarctl.ts';
import { type Contender, compare, isInstalled, timeRun } from './measure.ts';

const many = 200;
/** clusteradm takes about a second for each; a few are enough for a comparison. */
const few = 5;

/** Approving and accepting all pending requests: 200 at once, and 5 against clusteradm, which accepts them one after the other. */
export async function benchAcceptance(bed: Bed): Promise<void> {
  const hub = bed.plane('its1');
  const env = { ...process.env, KUBECONFIG: bed.kubeconfig };
  const timed = async (
    count: number,
    command: string,
    argumentsFor: (names: string[]) => string[],
  ) => {
    const names = await createPendingClusters(hub, count);
    const ms = await timeRun(command, argumentsFor(names), env);
    for (const name of names) await wipeCluster(hub, name);
    return ms;
  };
  const all = () => [bootFile, 'accept', '--all', '--no-wait', '--its', 'its1'];
  await compare(
    `Accepting ${many} WECs that wait`,
    [{ name: 'stellarctl accept --all --no-wait', run: () => timed(many, process.execPath, all) }],
    3,
  );

  const contenders: Contender[] = [
    { name: 'stellarctl accept --all --no-wait', run: () => timed(few, process.execPath, all) },
  ];
  if (await isInstalled('clusteradm')) {
    contenders.push({
      name: 'clusteradm accept --clusters …',
      run: () =>
        timed(few, 'clusteradm', (names) => [
          '--context',
          'its1',
          'accept',
          '--clusters',
          names.join(','),
        ]),
    });
  }
  await compare(`Accepting ${few} WECs that wait`, contenders, 3);
}
