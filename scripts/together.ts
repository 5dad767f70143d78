/**
 * Test files that run in one process, one after the other: those that share a bed (test/e2e/support/shared-bed.ts), and unit tests, of
 * which starting a process takes a good part.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');

/** By folders of test/e2e. What leaves a WDS on the hub is last. */
const groups: Record<string, readonly string[]> = {
  joins: [
    ...[
      'general/terminal',
      'real/registration',
      'wec/before-join',
      'wec/label',
      'wec/join',
      'wec/join-file',
    ],
    ...['wec/join-refusals', 'wec/join-troubles', 'wec/grant', 'wec/deregister'],
  ],
  agents: [
    ...['general/refusals', 'wec/old-hub', 'wec/resume', 'wec/join-agents', 'wec/join-again'],
    'wec/deregister-stops',
  ],
  'two-hubs': ['spaces/its-token-use', 'wec/accept'],
  returns: ['wec/deregister-returns', 'wec/wrong-contexts'],
  faults: ['wec/registration-faults', 'wec/recovery'],
  doctor: ['wec/doctor', 'wec/doctor-fix'],
};

/** Files whose programs wait for most of their time (leases, back-off, a hub that is gone): they run beside two others. */
export const waiting: readonly string[] = [
  ...['spaces/ocm-upgrade', 'spaces/lost-hub', 'spaces/its-troubles'],
  ...[
    'workloads/traps',
    'workloads/forecast',
    'wec/registration-faults',
    'wec/recovery',
    'general/doctor',
  ],
].map((name) => `test/e2e/${name}.`);

/** Files that need built programs, but no control plane: they run beside others too. */
export const withoutBed: readonly string[] = [
  ...['testbed/engine/images.', 'test/e2e/general/first-verb.'],
  ...['go-yaml', 'go-yaml-kubeconfigs', 'kubectl-kubeconfigs', 'kubeflex-certificate'].map(
    (name) => `test/e2e/real/${name}.`,
  ),
];

/** Unit tests that change what a process has once (its environment, its exit code), or that nothing else keeps running. */
const alone =
  /own-context-kubeconfigs|process\.(?:env\.\w+ =|chdir|exitCode)|mock\.module|tryEntrance|destroy-runs|runHere/;
const unitsEach = 20;

const sharedBed = path.join(root, 'test/e2e/support/shared-bed.ts');
const folder = path.join(root, 'node_modules', '.cache', 'together');

/**
 * The files to run, with one file for each group instead of its own files, first.
 * @param files paths in the repository
 */
export function together(files: readonly string[]): string[] {
  mkdirSync(folder, { recursive: true });
  const beds = Object.entries(groups).map(([group, names]) => {
    const own = names.flatMap((name) =>
      files.filter((file) => file.startsWith(`test/e2e/${name}.`)),
    );
    return {
      group,
      own,
      prelude: `import { keepBed } from ${JSON.stringify(sharedBed)};\nkeepBed();\n`,
    };
  });
  const units = files.filter(
    (file) =>
      file.startsWith('test/unit/') && !alone.test(readFileSync(path.join(root, file), 'utf8')),
  );
  const batches = Array.from({ length: Math.ceil(units.length / unitsEach) }, (_, index) => ({
    ...{ group: `units-${index + 1}`, prelude: '' },
    own: units.slice(index * unitsEach, (index + 1) * unitsEach),
  }));
  const made = [...beds, ...batches].filter(({ own }) => own.length > 0);
  const ofGroups = new Set(made.flatMap(({ own }) => own));
  return [...made.map(runnerOf), ...files.filter((file) => !ofGroups.has(file))];
}

function runnerOf({
  group,
  own,
  prelude,
}: {
  group: string;
  own: readonly string[];
  prelude: string;
}): string {
  const file = path.join(folder, `${group}.test.mjs`);
  const run = own.map((each) => {
    const place = JSON.stringify(path.join(root, each));
    return `describe(${JSON.stringify(each)}, { concurrency: 1 }, async () => void (await import(${place})));\n`;
  });
  writeFileSync(file, `import { describe } from 'node:test';\n${prelude}${run.join('')}`);
  return path.relative(root, file);
}
