import { readFile } from 'node:fs/promises';
import { type Check, type Outcome, pass, skipped, warn } from '../engine/checks.ts';
import { outline, run } from '../engine/next-step.ts';
import { whoListens } from './listener.ts';

/** At this port of the machine a local hosting cluster serves its control planes (KubeFlex's default). */
const localPort = 9443;

/** What the machine is used for. */
export interface MachineUse {
  /** Whether the hosting cluster already exists. */
  isHosting: () => Promise<boolean>;
  /** Whether containers run here. */
  usesDocker: () => Promise<boolean>;
}

/** What of the machine itself local clusters depend on. */
export const machineChecks: readonly Check<MachineUse>[] = [
  {
    ...{ id: 'port', title: `port ${localPort} is free for a local hosting cluster` },
    look: async ({ isHosting }) => ((await isHosting()) ? skipped('the hosting cluster already exists') : judgePort()),
  },
  {
    ...{ id: 'inotify', title: 'the kernel lets containers watch enough files' },
    look: async ({ usesDocker }) => ((await usesDocker()) ? judgeInotify() : skipped('no containers run here')),
  },
];

async function judgePort(): Promise<Outcome> {
  const listener = await whoListens(localPort);
  if (listener === undefined) return pass();
  const who = listener.process === undefined ? 'by a process that you may not inspect' : `by ${listener.process}`;
  return warn(
    'port-in-use',
    `it is in use ${who}; init --create cannot give it to a new cluster`,
    outline('stellarctl init --create kind --external-port PORT', 'Stop that process, or use another port'),
  );
}

/** Clusters of several nodes run out of these (kind's known issue "too many open files"; KubeStellar's check_pre_req.sh). */
const wanted = { max_user_watches: 524_288, max_user_instances: 512 };

async function judgeInotify(): Promise<Outcome> {
  const limits = await Promise.all(
    Object.entries(wanted).map(async ([name, least]) => ({
      name: `fs.inotify.${name}`,
      least,
      present: Number(await readFile(`/proc/sys/fs/inotify/${name}`, 'utf8').catch(() => Number.NaN)),
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
