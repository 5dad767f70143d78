import type { Bed } from '../../testbed/index.ts';
import { bootFile, executable } from '../stellarctl.ts';
import { type Contender, compare, isInstalled, timeRun } from './measure.ts';

/** The minimal startup time: the whole process of a help text, against an empty Node process. */
export async function benchStartup(_bed: Bed): Promise<void> {
  const help = (program: string, command: string, ...first: string[]): Contender => ({
    name: `${program} --help`,
    run: () => timeRun(command, [...first, '--help']),
  });
  const contenders = [
    { name: 'node -e 0', run: () => timeRun(process.execPath, ['-e', '0']) },
    help('stellarctl', process.execPath, bootFile),
  ];
  if (executable) contenders.push(help('stellarctl, the executable,', executable));
  for (const peer of ['kubectl', 'clusteradm', 'kflex']) if (await isInstalled(peer)) contenders.push(help(peer, peer));
  await compare('Start-up', contenders, 20);
}
