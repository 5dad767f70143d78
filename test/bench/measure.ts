import { spawn } from 'node:child_process';
import { execa } from 'execa';

/** Runs a program to its end and discards its output. @returns milliseconds. @throws when it fails */
export function timeRun(
  command: string,
  arguments_: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const started = performance.now();
  const child = spawn(command, arguments_, { env, stdio: 'ignore' });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => {
      if (code === 0) resolve(performance.now() - started);
      else reject(new Error(`${command} ${arguments_.join(' ')} ended with ${code}`));
    });
  });
}

/** The largest resident size of a program's run in MiB, as measured by GNU time; undefined without GNU time. */
export async function peakMemory(
  command: string,
  arguments_: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number | undefined> {
  const { stderr, failed } = await execa('time', ['-f', '%M', command, ...arguments_], {
    env,
    reject: false,
    stdout: 'ignore',
  });
  const kib = Number(stderr?.trim().split('\n').at(-1));
  return failed || Number.isNaN(kib) ? undefined : Math.round(kib / 1024);
}

/** Whether a program is on PATH. */
export async function isInstalled(program: string): Promise<boolean> {
  return !(await execa(program, ['--help'], { reject: false, stdio: 'ignore' })).failed;
}

/** One of the compared implementations. */
export interface Contender {
  name: string;
  /** @returns milliseconds */
  run: () => Promise<number>;
  /** @returns MiB */
  memory?: () => Promise<number | undefined>;
}

/**
 * Runs contenders in turn, so a drifting machine speed affects them equally, and prints each one's times and its ratio to the first
 * one, round by round.
 * @returns the ratios
 */
export async function compare(
  title: string,
  contenders: readonly Contender[],
  rounds: number,
): Promise<number[]> {
  const times: number[][] = contenders.map(() => []);
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, { run }] of contenders.entries()) {
      const ms = await run();
      // The first round only warms up caches.
      if (round > 0 || rounds === 0) times[index]?.push(ms);
    }
  }
  console.log(`\n${title}`);
  const ratios: number[] = [];
  const reference = times[0] as number[];
  for (const [index, { name, memory }] of contenders.entries()) {
    const own = times[index] as number[];
    const ratio = median(own.map((ms, round) => ms / (reference[round] as number)));
    ratios.push(ratio);
    const mib = await memory?.();
    const cells = [
      `min ${seconds(Math.min(...own))}`,
      `median ${seconds(median(own))}`,
      `max ${seconds(Math.max(...own))}`,
      `× ${ratio.toFixed(2)}`,
    ];
    console.log(
      `  ${name.padEnd(44)} ${cells.join('   ')}${mib === undefined ? '' : `   ${mib} MiB`}`,
    );
  }
  return ratios;
}

function median(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(3)}s`;
