/**
 * Changes single lines of src, and counts how many of these mutants the tests of `npm test` notice: npm run mutants [-- OPTION...].
 *
 *   --seed TEXT     another choice of lines
 *   --count N       how many lines, evenly over policy, workload, doctor, deregister and join
 *   --only N,N      only these of the list
 *   --list          print the list
 *   --unit-only     without the tests of whole commands
 *   --root FOLDER   the tests and sources of another checkout, such as an earlier commit, with the list of this one
 *   --results FILE  where the results are written as JSON
 *   --concurrency N how many test files run at a time
 *
 * It works on a copy. A mutant is noticed if a test file that passes without it fails or hangs twice with it: the second time alone.
 * The tests that are nearest to the changed line run first; unit tests that neither import its file nor run or read the program do
 * not run.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { copyOf } from './mutants/checkout.ts';
import { chooseMutants, type Mutant, mutated } from './mutants/choose.ts';
import { Reach } from './mutants/reach.ts';
import {
  byNearness,
  type FileResult,
  runAll,
  testFiles,
  untilFailure,
} from './mutants/test-files.ts';

const own = path.resolve(import.meta.dirname, '..');
const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: 'stellarctl' },
    count: { type: 'string', default: '40' },
    only: { type: 'string' },
    list: { type: 'boolean', default: false },
    'unit-only': { type: 'boolean', default: false },
    root: { type: 'string', default: own },
    results: { type: 'string', default: 'mutants.json' },
    concurrency: { type: 'string', default: '2' },
  },
});

interface Result extends Mutant {
  result: 'noticed' | 'not noticed' | 'line not there';
  /** The test that noticed it. */
  by?: string;
  seconds: number;
}

const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => stopped.abort(signal));

const root = path.resolve(options.root);
const only = options.only?.split(',').map(Number);
const mutants = chooseMutants(own, options.seed, Number(options.count)).filter(
  ({ number }) => only?.includes(number) ?? true,
);

function inWords({ number, area, file, line, kind, before, after }: Mutant): string {
  return `${number}. ${area} ${file}:${line} ${kind}: ${before} -> ${after}`;
}

async function tryAll(): Promise<void> {
  const copy = await copyOf(root);
  try {
    const trial = await Trial.begin(copy);
    const results: Result[] = [];
    for (const mutant of mutants) {
      const result = await trial.of(mutant);
      results.push(result);
      console.log(`${inWords(mutant)}\n   ${outcomeOf(result)} (${result.seconds} s)`);
      await writeFile(options.results, `${JSON.stringify(results, undefined, 2)}\n`);
    }
    summarize(results);
  } catch (error) {
    if (!stopped.signal.aborted) throw error;
    console.error(`stopped by ${stopped.signal.reason}`);
    process.exitCode = 130;
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

function outcomeOf({ result, by }: Result): string {
  return by === undefined ? result : `${result} by ${by}`;
}

function summarize(results: readonly Result[]): void {
  const noticed = (some: readonly Result[]) =>
    some.filter(({ result }) => result === 'noticed').length;
  console.log(`\nnoticed: ${noticed(results)} of ${results.length}`);
  for (const [area, some = []] of Object.entries(Object.groupBy(results, ({ area }) => area)))
    console.log(`  ${area.padEnd(10)} ${noticed(some)} of ${some.length}`);
  for (const result of results.filter(({ result }) => result !== 'noticed'))
    console.log(`${result.result}: ${inWords(result)}`);
}

/** The tests of a copy, and how long they take without a mutant. */
class Trial {
  readonly #copy: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #concurrency = Number(options.concurrency);
  readonly #reach: Reach;
  readonly #times = new Map<string, number>();

  private constructor(copy: string) {
    this.#copy = copy;
    this.#reach = new Reach(copy);
    this.#env = { ...process.env, NODE_COMPILE_CACHE: path.join(copy, '.compiled') };
  }

  /** @throws Error if a test fails without a mutant: twice, the second time alone */
  static async begin(copy: string): Promise<Trial> {
    const trial = new Trial(copy);
    await trial.#build();
    const { unit, e2e } = testFiles(copy);
    const needed = unit.filter((test) => mutants.some(({ file }) => trial.#reach.has(test, file)));
    const files = options['unit-only'] ? needed : [...e2e, ...needed];
    console.log(`${files.length} test files without a mutant`);
    for (const result of await runAll(files, { ...trial.#running, limitMs: () => 600_000 })) {
      const again = result.failure === undefined ? result : await trial.#alone(result.file);
      if (again.failure !== undefined)
        throw new Error(`without a mutant, ${result.file} › ${again.failure}`);
      trial.#times.set(result.file, Math.max(result.ms, again.ms));
    }
    return trial;
  }

  async of(mutant: Mutant): Promise<Result> {
    const started = Date.now();
    const place = path.join(this.#copy, mutant.file);
    const source = existsSync(place) ? await readFile(place, 'utf8') : '';
    const text = mutated(source, mutant);
    const seconds = () => Math.round((Date.now() - started) / 1000);
    if (text === undefined) return { ...mutant, result: 'line not there', seconds: seconds() };
    await writeFile(place, text);
    try {
      const failed = await this.#firstFailure(mutant);
      if (failed === undefined) return { ...mutant, result: 'not noticed', seconds: seconds() };
      const by = `${failed.file} › ${failed.failure}`;
      return { ...mutant, result: 'noticed', by, seconds: seconds() };
    } finally {
      await writeFile(place, source);
    }
  }

  /** First the unit tests of the mirrored folder, without those that run the program: these need a build. */
  async #firstFailure({ file, area }: Mutant): Promise<FileResult | undefined> {
    const { unit, e2e } = testFiles(this.#copy);
    const folder = `${path.dirname(file).replace(/^src/, 'test/unit')}/`;
    const reaching = byNearness(unit, file, area).filter((test) => this.#reach.has(test, file));
    const near = reaching.filter(
      (test) => test.startsWith(folder) && !this.#reach.runsProgram(test),
    );
    const rest = reaching.filter((test) => !near.includes(test));
    const failed = await this.#failureOf(near);
    if (failed !== undefined) return failed;
    const unbuilt = await this.#build().catch((error: Error) => ({
      file: 'scripts/build.ts',
      ms: 0,
      failure: error.message,
    }));
    if (unbuilt !== undefined) return unbuilt;
    return (
      (await this.#failureOf(rest)) ??
      (options['unit-only'] ? undefined : await this.#failureOf(byNearness(e2e, file, area)))
    );
  }

  async #failureOf(files: readonly string[]): Promise<FileResult | undefined> {
    const open = [...files];
    while (open.length > 0) {
      const results = await untilFailure(open, {
        ...this.#running,
        limitMs: (file) => this.#limitMs(file),
      });
      const failed = results.find(({ failure }) => failure !== undefined);
      if (failed === undefined) return undefined;
      const again = await this.#alone(failed.file);
      if (again.failure !== undefined) return again;
      for (const { file } of results) open.splice(open.indexOf(file), 1);
    }
    return undefined;
  }

  async #alone(file: string): Promise<FileResult> {
    const options = { ...this.#running, concurrency: 1, limitMs: () => this.#limitMs(file) };
    const [result] = await runAll([file], options);
    return result as FileResult;
  }

  get #running() {
    return {
      root: this.#copy,
      env: this.#env,
      concurrency: this.#concurrency,
      signal: stopped.signal,
    };
  }

  #limitMs(file: string): number {
    return Math.max(20_000, 4 * (this.#times.get(file) ?? 150_000));
  }

  async #build(): Promise<undefined> {
    await promisify(execFile)(process.execPath, ['scripts/build.ts'], {
      cwd: this.#copy,
      env: this.#env,
    });
  }
}

if (options.list) for (const mutant of mutants) console.log(inWords(mutant));
else await tryAll();
