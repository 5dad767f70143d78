/**
 * Runs the tests: npm test [-- [--long] [--test-name-pattern PATTERN] FILE-OR-FOLDER...]. All of them are reported as one run of Node's
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

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'test-name-pattern': { type: 'string', multiple: true }, long: { type: 'boolean' } },
});

/**
 * The files of a run, one pattern after the other. Node starts as many of them at the same time as `atOnce` says, in this order: what
 * takes longest comes first, so that no core is left without work in the end.
 */
interface Group {
  files: readonly string[];
  except?: RegExp;
  atOnce: number;
}

// Three fill two cores: whole commands wait for servers at times. More would only make each other miss their deadlines.
const tests: Group = {
  files: ['test/e2e/**/*.test.ts', 'test/unit/**/*.test.ts', 'test/*.test.ts'],
  except: /\.long\.test\.ts$/,
  atOnce: 3,
};
// They wait more than they compute, but they stop servers and measure what happens in seconds.
const longTests: Group = { files: ['test/e2e/**/*.long.test.ts', 'testbed/**/*.long.test.ts'], atOnce: 2 };

const chosen = positionals.map((place) => path.relative(root, path.resolve(place)));

/** Files that are named are run wherever they belong; otherwise the long ones only with --long, and then alone. */
const wanted = chosen.length > 0 ? [tests, longTests] : values.long ? [longTests] : [tests];

function filesOf({ files: patterns, except }: Group): string[] {
  const files = patterns
    .flatMap((pattern) => globSync(pattern, { cwd: root }).sort())
    .filter((file) => !except?.test(file));
  return chosen.length === 0
    ? files
    : files.filter((file) => chosen.some((place) => `${file}/`.startsWith(`${place}/`)));
}

const groups = wanted
  .map((group) => ({ files: filesOf(group), atOnce: group.atOnce }))
  .filter(({ files }) => files.length > 0);
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
