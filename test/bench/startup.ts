import { bootFile, executable } from '../stellarctl.ts';
import { atMost } from './goals.ts';
import { type Contender, compare, isInstalled, timeRun } from './measure.ts';

/** How many times longer than an empty Node process help may take, and how many times longer than help a completion. */
const goals = { help: 2.5, completion: 2 };

/** The minimal startup time: the whole process of a help text, against an empty Node process; and of completions. */
export async function benchStartup(): Promise<void> {
  const help = (program: string, command: string, ...first: string[]): Contender => ({
    name: `${program} --help`,
    run: () => timeRun(command, [...first, '--help']),
  });
  const contenders = [
    { name: 'node -e 0', run: () => timeRun(process.execPath, ['-e', '0']) },
    help('stellarctl', process.execPath, bootFile),
  ];
  if (executable) contenders.push(help('stellarctl, the executable,', executable));
  for (const peer of ['kubectl', 'clusteradm', 'kflex'])
    if (await isInstalled(peer)) contenders.push(help(peer, peer));
  const [, ofHelp = 0] = await compare('Start-up', contenders, 20);
  atMost('stellarctl --help, against an empty Node process', ofHelp, goals.help, 'times');

  const completion = (...words: string[]): Contender => ({
    name: `completion of ${words.join(' ')}`,
    run: () => timeRun(process.execPath, [bootFile, '__complete', '--', ...words]),
  });
  const completions = [
    completion('wec', ''),
    completion('wec', 'join', '--'),
    completion('wec', 'get', '--its', ''),
  ];
  const ratios = await compare(
    'Completion',
    [help('stellarctl', process.execPath, bootFile), ...completions],
    20,
  );
  for (const [index, { name }] of completions.entries())
    atMost(`${name}, against help`, ratios[index + 1] ?? 0, goals.completion, 'times');
}
