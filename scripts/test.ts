/**
 * Runs the tests: npm test [-- [--unit|--long|--all|--release] [--test-name-pattern PATTERN] FILE-OR-FOLDER-OR-NAME...]. The report and the
 * exit code are those of Node's test runner. Named files always run. Without names, *.long.test.ts files run with --long, and then alone,
 * or with --all, in one queue with the others but for unit tests, which run beside it; *.release.test.ts files run only with --release,
 * and then alone; *.long.release.test.ts files run with all three, but only --release runs all their tests. --release also lists, at the
 * end, what fell short of its goal. --unit runs only those of test/unit: they get no other program than Node, and none may be skipped. With
 * CI=true and no names, a file on real servers that has failed runs once more, if at most two have.
 */
import { once } from 'node:events';
import { globSync } from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';
import { collectShortfalls } from '../test/bench/goals.ts';
import { buildOcm101 } from '../testbed/ocm-1.0/build.ts';
import { buildOcm12 } from '../testbed/ocm-1.2/build.ts';
import { Pool } from '../testbed/pool/pool.ts';
import { buildPrograms } from '../testbed/programs/build.ts';
import { cleanEnvironment, pathWithoutPrograms } from './test-environment.ts';
import { together, waiting, withoutBed } from './together.ts';

const root = path.resolve(import.meta.dirname, '..');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'test-name-pattern': { type: 'string', multiple: true },
    unit: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    release: { type: 'boolean', default: false },
  },
});

const isUnit = (place: string) => place.startsWith('test/unit/');
/** In start order: the longest, and then what starts control planes, so that no core is idle at the end. */
const present = new Set(
  [
    'test/e2e/workloads/main-job.test.ts',
    'test/e2e/**/*.test.ts',
    'testbed/**/*.test.ts',
    'test/unit/**/*.test.ts',
    'test/bench/**/*.test.ts',
  ]
    .filter((pattern) => !values.unit || isUnit(pattern))
    .flatMap((pattern) => globSync(pattern, { cwd: root }).sort()),
);
const chosen = positionals.map((place) => path.relative(root, path.resolve(place)));

const kindsOf = (file: string) => file.match(/(?<=\.)(?:long|release)(?=\.)/g) ?? ['short'];
const kinds = values.release
  ? ['release']
  : values.all
    ? ['short', 'long']
    : [values.long ? 'long' : 'short'];
const files = [...present].filter((file) => {
  const isOfRun = kindsOf(file).some((kind) => kinds.includes(kind));
  if (chosen.length === 0) return isOfRun;
  // A folder is all that does not take a release, and a name such as `faults` is that of a file of the run.
  const isIn = (place: string) =>
    file.startsWith(place + path.sep) && (values.release || kindsOf(file).join() !== 'release');
  const isCalled = (place: string) => isOfRun && path.basename(file).startsWith(`${place}.`);
  return chosen.some((place) => file === place || isIn(place) || isCalled(place));
});
if (files.length === 0) {
  console.error(`There are no tests in ${chosen.join(', ')}.`);
  process.exit(1);
}

const isCi = process.env.CI === 'true';
cleanEnvironment();
if (values.release) process.env.TEST_RELEASE = '1';
// Each test file is a process, which would strip the types of all its modules again: a third of the unit tests' processor time.
process.env.NODE_COMPILE_CACHE = path.join(root, 'node_modules', '.cache', 'compiled');

// Compiling takes all cores for minutes: beside it, tests that wait for servers would be too late.
const withServers = files.filter((file) => !isUnit(file));
if (withServers.length > 0) await buildPrograms(console.error);
if (withServers.length > 0) await buildOcm101(console.error);
if (withServers.some((file) => !kindsOf(file).includes('short'))) await buildOcm12(console.error);

const tellShortfalls = values.release ? collectShortfalls() : () => {};

const pool = withServers.length > 0 ? await Pool.start(console.error) : undefined;

// The processes of the test files end with the run, together with the processes that they started.
const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());

interface Batch {
  some: readonly string[];
  concurrency: number;
  env?: NodeJS.ProcessEnv;
}

const runFiles = ({ some, concurrency, env = process.env }: Batch) =>
  run({
    env,
    cwd: root,
    files: some.map((file) => path.join(root, file)),
    concurrency,
    testNamePatterns: values['test-name-pattern'] ?? [],
    signal: stopped.signal,
  });
/** Unit tests, what else needs no bed, and then what waits more than it computes, run beside two files with a bed. Figures are measured alone. */
const isWaiting = (file: string) => waiting.some((start) => file.startsWith(start));
const isBeside = (file: string) =>
  !values.release &&
  (isUnit(file) || isWaiting(file) || withoutBed.some((start) => file.startsWith(start)));
const beside = files
  .filter((file) => isBeside(file) && !isUnit(file))
  .sort((one, other) => Number(isWaiting(one)) - Number(isWaiting(other)));
const units = files.filter((file) => isBeside(file) && isUnit(file));
const others = files.filter((file) => !isBeside(file));
const isNamed = chosen.length > 0 || values.release;
// On the two cores of a small machine a third bed makes what it waits for late. Unit tests wait for half of their time.
const besideAtOnce = Math.max(1, 3 - others.length);
const env = { ...process.env, PATH: pathWithoutPrograms() };
const lanes: Batch[][] = [
  [{ some: others, concurrency: values.release ? 1 : 2 }],
  [
    { some: units, concurrency: besideAtOnce, env },
    { some: beside, concurrency: besideAtOnce },
  ],
];
/** Seconds of each file, for the list at the end of what is worth shortening. */
const took = new Map<string, number>();
/** What has failed: tests by their files, and the files that were run, which may hold those of several. */
const failures: string[] = [];
const again: string[] = [];
const skipped: string[] = [];
/** A batch has a report and a summary of its own. */
async function runBatch(batch: Batch) {
  if (batch.some.length === 0 || stopped.signal.aborted) return;
  const stream = runFiles({ ...batch, some: isNamed ? batch.some : together(batch.some) });
  stream.on('test:pass', ({ file = '', name, skip }) => {
    if (skip !== undefined && batch.some === units)
      skipped.push(`${path.relative(root, file)}: ${name}`);
  });
  stream.on('test:fail', ({ file = '', name, details }) => {
    if (details.type === 'test') failures.push(`${path.relative(root, file)}: ${name}`);
  });
  stream.on('test:summary', ({ file, success, duration_ms }) => {
    if (file === undefined && !success) process.exitCode = 1;
    if (file !== undefined) took.set(path.relative(root, file), Math.round(duration_ms / 1_000));
    if (file !== undefined && !success) again.push(path.relative(root, file));
  });
  const report = stream.compose(new spec());
  report.pipe(process.stdout, { end: false });
  await once(report, 'end');
}

await Promise.all(
  lanes.map(async (lane) => {
    for (const batch of lane) await runBatch(batch);
  }),
);
const hasUnits = (file: string) => isUnit(file) || /\/units-\d+\.test\.mjs$/.test(file);
const mayPass = again.length > 0 && again.length <= 2 && !again.some(hasUnits);
if (isCi && !isNamed && mayPass && !stopped.signal.aborted) {
  for (const failure of failures) console.log(`second try: ${failure}`);
  const second = runFiles({ some: again, concurrency: 1 });
  second.on('test:summary', ({ file, success }) => {
    if (file === undefined) process.exitCode = success ? 0 : 1;
  });
  // Its summary must not be taken for that of the run.
  for await (const text of second.compose(new spec()))
    process.stdout.write(String(text).replace(/^(?=.)/gm, '│ '));
}
if (stopped.signal.aborted) process.exitCode = 130;
if (skipped.length > 0) {
  process.exitCode ||= 1;
  console.log(`Unit tests must not be skipped:\n${skipped.join('\n')}`);
}
const { started, lent } = pool?.counts ?? { started: 0, lent: 0 };
if (lent > 0) console.log(`${lent} control planes were used, and ${started} of them started`);
const longest = [...took]
  .filter(([, seconds]) => seconds >= 10)
  .sort(([, one], [, other]) => other - one);
for (const [file, seconds] of longest) console.log(`${`${seconds} s`.padStart(6)}  ${file}`);
tellShortfalls();
await pool?.stop();
