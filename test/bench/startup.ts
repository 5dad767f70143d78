import type { Bed } from '../../testbed/index.ts';
import { bootFile } from '../stellarctl.ts';
import { compare, timeRun } from './measure.ts';

/** What a user waits for before anything happens: the whole process of a help text, against Node that does nothing. */
export async function benchStartup(_bed: Bed): Promise<void> {
  await compare(
    'Start-up',
    [
      { name: 'node -e 0', run: () => timeRun(process.execPath, ['-e', '0']) },
      { name: 'stellarctl --help', run: () => timeRun(process.execPath, [bootFile, '--help']) },
    ],
    20,
  );
}
