import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { type Check, type Outcome, pass, skipped, warn } from '../engine/checks.ts';
import { partial, run } from '../engine/next-step.ts';

/** The port of this machine where a local hosting cluster serves its control planes (KubeFlex's default). */
const localPort = 9443;

/** The use of this machine. */
export interface MachineUse {
  /** Whether the hosting cluster already exists. */
  isHosting: () => Promise<boolean>;
  /** Whether containers run here. */
  usesDocker: () => Promise<boolean>;
}

/** The requirements of local clusters on the machine itself. */
export const machineChecks: readonly Check<MachineUse>[] = [
  {
    ...{ id: 'port', title: `port ${localPort} is free for a local hosting cluster` },
    run: async ({ isHosting }) => ((await isHosting()) ? skipped('the hosting cluster already exists') : judgePort()),
  },
  {
    ...{ id: 'inotify', title: 'the kernel lets containers watch enough files' },
    run: async ({ usesDocker }) => ((await usesDocker()) ? judgeInotify() : skipped('no containers run here')),
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

/**
 * The limits that clusters with several nodes exhaust (kind's known issue "too many open files"; KubeStellar's check_pre_req.sh).
 */
const wanted = { max_user_watches: 524_288, max_user_instances: 512 };

/** @param read the text of a file */
export async function judgeInotify(read = (file: string) => readFile(file, 'utf8')): Promise<Outcome> {
  const limits = await Promise.all(
    Object.entries(wanted).map(async ([name, least]) => ({
      name: `fs.inotify.${name}`,
      least,
      present: Number(await read(`/proc/sys/fs/inotify/${name}`).catch(() => Number.NaN)),
    })),
  );
  if (limits.some(({ present }) => Number.isNaN(present)))
    return skipped('this system has no such limits, or hides them');
  const low = limits.filter(({ present, least }) => present < least);
  if (low.length === 0) return pass();
  return warn(
    'inotify-limits-low',
    `${low.map(({ name, present, least }) => `${name} is ${present}, and should be ${least}`).join('; ')}; needed by kind and k3d`,
    run(`sudo sysctl ${low.map(({ name, least }) => `${name}=${least}`).join(' ')}`),
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
