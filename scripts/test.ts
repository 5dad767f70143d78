/**
 * Runs the tests: npm test [-- [--long|--all] [--test-name-pattern PATTERN] FILE-OR-FOLDER...]. The report and the exit code are
 * those of Node's test runner. Named files always run. Without names, *.long.test.ts files run with --long, and then alone, or with
 * --all, which runs everything; *.bench.test.ts files never run.
 */
import { globSync } from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';
import { Pool } from '../testbed/pool/pool.ts';
import { isTested, writeTested } from './tested.ts';

const root = path.resolve(import.meta.dirname, '..');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'test-name-pattern': { type: 'string', multiple: true },
    long: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
  },
});

/** In start order: what starts control planes comes first, so that no core is idle at the end. */
const present = ['test/e2e/**/*.test.ts', 'testbed/**/*.test.ts', 'test/unit/**/*.test.ts'].flatMap((pattern) =>
  globSync(pattern, { cwd: root }).sort(),
);
const chosen = positionals.map((place) => path.relative(root, path.resolve(place)));
const isOfBed = (file: string) => file.startsWith('testbed/');
/** The bed's own tests: all of them, and only if it has changed since they passed. */
const testsBed = chosen.length === 0 && (values.long || values.all) && !isTested(root);
const files = present.filter((file) => {
  if (chosen.length > 0) return chosen.some((place) => `${file}/`.startsWith(`${place}/`));
  if (file.endsWith('.bench.test.ts') || (isOfBed(file) && !testsBed)) return false;
  return values.all || file.endsWith('.long.test.ts') === values.long;
});
if (files.length === 0) {
  console.error(`There are no tests in ${chosen.join(', ')}.`);
  process.exit(1);
}

// Each test file is a process, which would strip the types of all its modules again: a third of the unit tests' processor time.
process.env.NODE_COMPILE_CACHE ??= path.join(root, 'node_modules', '.cache', 'compiled');

const pool = await Pool.start(console.error);

// The processes of the test files end with the run, together with the processes that they started.
const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());

const events = run({
  cwd: root,
  files: files.map((file) => path.join(root, file)),
  // More than the two cores of a small machine, because commands wait for servers. Node's default is the cores less one.
  concurrency: 4,
  testNamePatterns: values['test-name-pattern'] ?? [],
  signal: stopped.signal,
});
let bedFailed = false;
events.on('test:summary', ({ file, success }) => {
  if (file === undefined && !success) process.exitCode = 1;
  if (file !== undefined && isOfBed(path.relative(root, file)) && !success) bedFailed = true;
});
events.on('end', async () => {
  if (stopped.signal.aborted) process.exitCode = 130;
  else if (testsBed && !bedFailed) writeTested(root);
  const { started, lent } = pool.counts;
  if (lent > 0) console.log(`${lent} control planes were used, of which ${started} were started`);
  await pool.stop();
});
events.compose(new spec()).pipe(process.stdout);
