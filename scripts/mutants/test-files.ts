import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import path from 'node:path';

/** What became of a test file. */
export interface FileResult {
  file: string;
  ms: number;
  /** The first test that failed, or why the file did not end; undefined if it passed. */
  failure?: string | undefined;
}

interface Options {
  root: string;
  env: NodeJS.ProcessEnv;
  concurrency: number;
  /** How long a file may take. */
  limitMs: (file: string) => number;
  signal: AbortSignal;
}

/**
 * The files of `npm test` that can notice a change of src: unit tests, and tests of whole commands. The test bed's own tests share
 * nothing with src.
 */
export function testFiles(root: string): Record<'unit' | 'e2e', string[]> {
  const found = (folder: string) =>
    globSync(`${folder}/**/*.test.ts`, { cwd: root })
      .filter((file) => !/\.(?:long|release)\.test\.ts$/.test(file))
      .sort();
  return { unit: found('test/unit'), e2e: found('test/e2e') };
}

/** Runs test files, the first ones first, until one fails. Returns the results of those that ended. */
export async function untilFailure(
  files: readonly string[],
  options: Options,
): Promise<FileResult[]> {
  return await runAll(files, options, true);
}

/** Runs all test files. */
export async function runAll(
  files: readonly string[],
  options: Options,
  stop = false,
): Promise<FileResult[]> {
  const results: FileResult[] = [];
  const stopped = new AbortController();
  const signal = AbortSignal.any([stopped.signal, options.signal]);
  const open = [...files];
  const worker = async () => {
    for (let file = open.shift(); file !== undefined && !signal.aborted; file = open.shift()) {
      const result = await runFile(file, options, signal);
      if (signal.aborted) return;
      results.push(result);
      if (stop && result.failure !== undefined) stopped.abort();
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, worker));
  options.signal.throwIfAborted();
  return results;
}

/** The time that the processes of a test get to end. */
const graceMs = 5000;

/** Runs a test file in a process group of its own, so that nothing of it remains. */
function runFile(
  file: string,
  { root, env, limitMs }: Options,
  signal: AbortSignal,
): Promise<FileResult> {
  const started = Date.now();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--test-reporter=tap', file], {
      ...{ cwd: root, env, detached: true },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let tap = '';
    let failure: string | undefined;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      tap += text;
      // One failed test is enough.
      if (failure === undefined && text.includes('ok')) {
        const failed = failedTest(tap.slice(0, tap.lastIndexOf('\n') + 1));
        if (failed !== undefined) end(failed);
      }
    });
    child.stderr.resume();
    const kill = (by: NodeJS.Signals) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, by);
      } catch {
        // They have ended.
      }
    };
    const timers: NodeJS.Timeout[] = [];
    const end = (why: string) => {
      failure ??= why;
      kill('SIGTERM');
      timers.push(setTimeout(() => kill('SIGKILL'), graceMs));
    };
    const onAbort = () => end('stopped');
    signal.addEventListener('abort', onAbort);
    timers.push(
      setTimeout(() => end(`hangs for more than ${limitMs(file) / 1000} s`), limitMs(file)),
    );
    child.on('error', reject);
    child.on('close', (code) => {
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      kill('SIGKILL');
      if (code !== 0) failure ??= failedTest(tap) ?? 'fails outside of its tests';
      resolve({ file, ms: Date.now() - started, failure });
    });
  });
}

/** The name of the first failed test in TAP, after those of its suites. */
export function failedTest(tap: string): string | undefined {
  const names: string[] = [];
  for (const line of tap.split('\n')) {
    const [, indent = '', kind, name = ''] =
      /^( *)(# Subtest:|not ok \d+ -) (.*)$/.exec(line) ?? [];
    const depth = indent.length / 4;
    if (kind === '# Subtest:') names.splice(depth, names.length, name);
    else if (kind !== undefined && !/ # (?:TODO|SKIP)\b/.test(name))
      return [...names.slice(0, depth), name].join(' › ');
  }
  return undefined;
}

/**
 * Orders test files by how near they are to a source: those of the mirrored folder, then of the folders around it, then those whose
 * path has the area's name.
 */
export function byNearness(files: readonly string[], source: string, area: string): string[] {
  const mirrored = source
    .replace(/^src\//, 'test/unit/')
    .split('/')
    .slice(0, -1);
  const nearness = (file: string) => {
    const folders = file.split('/');
    const shared = mirrored.findIndex((folder, index) => folders[index] !== folder);
    const name = [area, ...source.split('/').slice(2)].some((word) =>
      file.includes(path.parse(word).name),
    )
      ? 1
      : 0;
    return (shared === -1 ? mirrored.length : shared) + name / 2;
  };
  return [...files].sort((a, b) => nearness(b) - nearness(a));
}
