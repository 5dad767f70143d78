/**
 * Runs the tests: npm test [-- [--test-name-pattern PATTERN] FILE-OR-FOLDER...]. All of them are reported as one run of Node's
 * test runner, with its summary and exit code.
 */
import { globSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';
import { isFailedRun, joinRuns } from './test-totals.ts';

const root = path.resolve(import.meta.dirname, '..');

/** Files of tests, and how many of a group run at the same time. */
const GROUPS = [
  { files: ['test/*.test.ts', 'test/unit/**/*.test.ts'], atOnce: true },
  // Each of these files starts control planes of its own, and waits for them most of the time: this many fill two cores, and
  // many more would make each other miss their deadlines.
  { files: ['test/bed/**/*.test.ts', 'test/e2e/**/*.test.ts'], atOnce: 3 },
] as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'test-name-pattern': { type: 'string', multiple: true } },
});
const chosen = positionals.map((place) => path.relative(root, path.resolve(place)));

function filesOf(patterns: readonly string[]): string[] {
  const files = globSync(patterns, { cwd: root }).sort();
  return chosen.length === 0
    ? files
    : files.filter((file) => chosen.some((place) => `${file}/`.startsWith(`${place}/`)));
}

const groups = GROUPS.map(({ files, atOnce }) => ({ files: filesOf(files), atOnce })).filter(
  ({ files }) => files.length > 0,
);
if (groups.length === 0) {
  console.error(`There are no tests in ${chosen.join(', ')}.`);
  process.exit(1);
}

// The processes of the test files end with the run, and what they started with them.
const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());

async function* runs() {
  for (const { files, atOnce } of groups) {
    if (stopped.signal.aborted) return;
    yield run({
      cwd: root,
      files: files.map((file) => path.join(root, file)),
      concurrency: atOnce,
      testNamePatterns: values['test-name-pattern'] ?? [],
      signal: stopped.signal,
    });
  }
}

async function* reported() {
  for await (const event of joinRuns(runs())) {
    if (isFailedRun(event)) process.exitCode = 1;
    yield event;
  }
  if (stopped.signal.aborted) process.exitCode = 130;
}

Readable.from(reported()).compose(new spec()).pipe(process.stdout);
