import { once } from 'node:events';
import { createServer } from 'node:net';
import { type Check, type Outcome, pass, skipped, warn } from '../core/checks.ts';
import { partial } from '../core/next-step.ts';
import type { ProgramNeeds } from './program-checks.ts';

/** The port of this machine where a local hosting cluster serves its control planes (KubeFlex's default). */
const localPort = 9443;

/** The requirements of local clusters on the machine itself. */
export const machineChecks: readonly Check<Pick<ProgramNeeds, 'isHosting'>>[] = [
  {
    ...{ id: 'port', title: `port ${localPort} is free for a local hosting cluster` },
    run: async ({ isHosting }) => ((await isHosting()) ? skipped('the hosting cluster already exists') : judgePort()),
  },
];

async function judgePort(): Promise<Outcome> {
  if (await isFree(localPort)) return pass();
  return warn(
    'port-in-use',
    'it is in use; init --provider cannot give it to a new cluster',
    partial(
      'stellarctl init --provider kind --external-port PORT',
      'Stop the process that listens there, or use another port',
    ),
  );
}

/** Whether no process listens at a port. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listening = once(server, 'listening').then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'EADDRINUSE',
  );
  server.listen(port);
  const free = await listening;
  server.close();
  return free;
}
