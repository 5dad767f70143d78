import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLock } from '../plane/lock.ts';
import { isAlive } from '../plane/processes.ts';
import { clearState, readState, type Supervisor, stateDir } from './state.ts';
import type { BedStatus, Progress, Request } from './supervisor.ts';

/** What to start. */
interface Wanted {
  wecs: number;
  /** With a hosting cluster, whose spaces are its1 and wds1. */
  isFull: boolean;
}

const downTimeout = 20_000;

/** Starts a bed in the background and shows how to use it. */
export async function up(wanted: Wanted): Promise<number> {
  return withLock(
    'up',
    () => say('another `up` is at work: waiting for it'),
    async () => {
      const running = await findRunning();
      if (running) {
        say('a bed is already up');
        printUse(running.status);
        return 0;
      }
      const began = Date.now();
      const { wecs, isFull } = wanted;
      say(`starting ${isFull ? 'hosting (its1, wds1)' : 'its1 (hub)'} and ${wecs} WEC${wecs === 1 ? '' : 's'}`);
      const status = await startSupervisor(wanted);
      say(
        `ready after ${((Date.now() - began) / 1000).toFixed(1)} s: ${status.planes.map(({ name }) => name).join(', ')}`,
      );
      printUse(status);
      if (isFull) console.log('stellarctl its context its1 && stellarctl wds context wds1');
      return 0;
    },
  );
}

/** Stops the bed; does nothing if none runs. */
export async function down(): Promise<number> {
  const running = await findRunning();
  if (!running) {
    say('no bed is up');
    return 0;
  }
  const { supervisor, status } = running;
  await ask(supervisor.socket, { do: 'end' });
  const isGone = () => !isAlive(supervisor.pid) && !existsSync(status.dir);
  for (const deadline = Date.now() + downTimeout; !isGone(); await sleep(100)) {
    if (Date.now() > deadline) throw new Error(`process ${supervisor.pid}, which owns the bed, did not end`);
  }
  say('the bed is down');
  return 0;
}

/** Shows what runs. */
export async function status(): Promise<number> {
  const running = await findRunning();
  if (!running) {
    say('no bed is up. Start one: npm run bed -- up');
    return 1;
  }
  const rows = running.status.planes.map(({ name, server, isReady, pids }) => [
    name,
    server,
    isReady ? 'ready' : 'not ready',
    Object.entries(pids)
      .map(([program, pid]) => `${program} ${pid}`)
      .join(', '),
  ]);
  printTable([['PLANE', 'SERVER', 'STATE', 'PROCESSES'], ...rows]);
  console.log(
    `\npod runner ${running.status.podRunner}, supervisor ${running.supervisor.pid}, files in ${running.status.dir}`,
  );
  for (const { kind, ...where } of running.status.faults)
    console.log(`fault: ${kind} ${Object.values(where).join(' ')}`);
  printUse(running.status);
  return 0;
}

/** The running bed, if any. Removes the pid file of one that was killed. */
async function findRunning(): Promise<{ supervisor: Supervisor; status: BedStatus } | undefined> {
  const supervisor = await readState();
  if (!supervisor) return undefined;
  try {
    return { supervisor, status: JSON.parse(await ask(supervisor.socket)) as BedStatus };
  } catch {
    await clearState();
    return undefined;
  }
}

/** Sends a request to the running bed. */
export async function tell(wanted: Request): Promise<number> {
  const running = await findRunning();
  if (!running) throw new Error('no bed is up. Start one: npm run bed -- up');
  await ask(running.supervisor.socket, wanted);
  return 0;
}

/** Sends a request to the supervisor, or asks for its state. */
function ask(socketPath: string, wanted?: Request): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method: wanted ? 'POST' : 'GET', path: '/' }, async (response) => {
      const answer = await text(response);
      if (response.statusCode === 200) resolve(answer);
      else reject(new Error(answer));
    });
    outgoing.on('error', reject).end(wanted && JSON.stringify(wanted));
  });
}

async function startSupervisor({ wecs, isFull }: Wanted): Promise<BedStatus> {
  mkdirSync(stateDir, { recursive: true });
  const logFile = join(stateDir, 'supervisor.log');
  const log = openSync(logFile, 'w');
  const supervisor = fork(join(import.meta.dirname, 'supervisor.ts'), [String(wecs), ...(isFull ? ['full'] : [])], {
    detached: true,
    execArgv: [],
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  try {
    return await untilReady(supervisor, logFile);
  } finally {
    if (supervisor.connected) supervisor.disconnect();
    supervisor.unref();
  }
}

function untilReady(supervisor: ChildProcess, logFile: string): Promise<BedStatus> {
  return new Promise((resolve, reject) => {
    supervisor.on('exit', () => reject(new Error(`the bed could not be started; see ${logFile}`)));
    supervisor.on('message', (progress: Progress) => {
      if ('failed' in progress) reject(new Error(progress.failed));
      else if ('ready' in progress) resolve(progress.ready);
      else say(progress.log);
    });
  });
}

function printUse({ kubeconfig }: BedStatus): void {
  console.log(`export KUBECONFIG=${kubeconfig}`);
}

function printTable(rows: string[][]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('   ')
        .trimEnd(),
    );
}

function say(line: string): void {
  console.error(line);
}
