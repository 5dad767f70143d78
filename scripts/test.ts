/**
 * Runs the tests: npm test [-- [--long|--release] [--test-name-pattern PATTERN] FILE-OR-FOLDER...]. The report and the exit code
 * are those of Node's test runner. Named files always run. Without names, *.long.test.ts files run only with --long, and
 * *.release.test.ts files only with --release, and then alone. --release also lists, at the end, what fell short of its goal.
 */
import { globSync } from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';
import { collectShortfalls } from '../test/bench/goals.ts';
import { cleanEnvironment } from './test-environment.ts';

const root = path.resolve(import.meta.dirname, '..');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'test-name-pattern': { type: 'string', multiple: true },
    long: { type: 'boolean', default: false },
    release: { type: 'boolean', default: false },
  },
});

/** In start order: the slowest tests come first, so that no core is idle at the end. */
const all = [
  'test/e2e/**/*.test.ts',
  'testbed/**/*.test.ts',
  'test/unit/**/*.test.ts',
  'test/bench/**/*.test.ts',
].flatMap((pattern) => globSync(pattern, { cwd: root }).sort());
const chosen = positionals.map((place) => path.relative(root, path.resolve(place)));
const files = all.filter((file) =>
  chosen.length === 0
    ? file.endsWith('.release.test.ts') === values.release && file.endsWith('.long.test.ts') === values.long
    : chosen.some((place) => `${file}/`.startsWith(`${place}/`)),
);
if (files.length === 0) {
  console.error(`There are no tests in ${chosen.join(', ')}.`);
  process.exit(1);
}

cleanEnvironment();
// Each test file is a process, which would strip the types of all its modules again: a third of the unit tests' processor time.
process.env.NODE_COMPILE_CACHE = path.join(root, 'node_modules', '.cache', 'compiled');

const tellShortfalls = values.release ? collectShortfalls() : () => {};

// The processes of the test files end with the run, together with the processes that they started.
const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());

const events = run({
  cwd: root,
  files: files.map((file) => path.join(root, file)),
  // More than the two cores of a small machine, because commands wait for servers. Node's default is the cores less one.
  // Figures are measured alone.
  concurrency: values.release ? 1 : values.long ? 4 : 3,
  testNamePatterns: values['test-name-pattern'] ?? [],
  signal: stopped.signal,
});
events.on('test:summary', ({ file, success }) => {
  if (file === undefined && !success) process.exitCode = 1;
});
events.on('end', () => {
  if (stopped.signal.aborted) process.exitCode = 130;
});
events.compose(new spec()).on('end', tellShortfalls).pipe(process.stdout);
