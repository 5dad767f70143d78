import './support/environment.ts';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { commandsFile, commandsPage } from '../../scripts/commands.ts';
import { registration, registrationFile } from '../../scripts/join-steps.ts';
import { security, securityFile } from '../../scripts/roles.ts';
import {
  readProblems,
  troubleshooting,
  troubleshootingFile,
} from '../../scripts/troubleshooting.ts';
import { catalogue } from '../../src/lib/doctor/catalogue.ts';
import { registrationStageIds } from '../../src/lib/wecs/registration/registration-stage-ids.ts';
import { sources } from './support/sources.ts';

/** Problems of policies and workloads are reported by their own commands. */
const library = sources
  .filter(({ file }) =>
    /^src\/lib\/(?!workloads\/(?!workload-checks\.ts|delivery\/conflicts\.ts))/.test(file),
  )
  .map(({ text }) => text);
const problems = readProblems();
const told = new Set([...problems.values()].flatMap((found) => found.map(({ code }) => code)));

for (const [what, file, current] of [
  ['the documentation lists the current checks', troubleshootingFile, troubleshooting],
  ['the page of commands is current', commandsFile, commandsPage],
  ['the table of roles is current', securityFile, security],
  ['the table of the steps of a join is current', registrationFile, registration],
] as const)
  test(`${what} (else: npm run docs)`, async () => {
    const present = readFileSync(file, 'utf8');
    assert.equal(await current(present), present);
  });

test('every check is documented, and every documented check exists', () =>
  assert.deepEqual([...problems.keys()].sort(), catalogue.map(({ id }) => id).sort()));

/**
 * Where the sources of checks and stages contain codes: the first argument of a Problem constructor, or a field.
 */
const named = /\b(?:fail|warn|problem|wecProblem|otherwise)\(\s*([^,()]+),|\bcode: ('[^']+')/g;

test('every code of a check is documented, and no other', () => {
  const judges = library.filter((text) =>
    /from '.*core\/(?:checks|stages)\.ts'|\b[Pp]roblem\b[^}]*\} from '.*core\/next-step\.ts'/.test(
      text,
    ),
  );
  const written = judges.flatMap((text) =>
    [...text.matchAll(named)].map((match) => match.slice(1).join('')),
  );
  const codes = written.flatMap((text) =>
    [...text.matchAll(/'([a-z-]+)'(?!:)/g)].map(([, code]) => code),
  );
  assert.ok(codes.length > 50, 'this test sees hardly any code');
  const all = library.join('\n');
  const stages = [
    ...catalogue.map(({ id }) => id.replace(/^[a-z]+-/, '')),
    ...registrationStageIds,
  ];
  const errors = [
    'endpoint-unusable',
    'forbidden',
    'name-taken',
    'not-a-hub',
    'not-found',
    'unreachable',
  ];
  const untold = codes.filter((code) => !told.has(code ?? '') && code !== 'skipped');
  assert.deepEqual(untold, []);
  assert.deepEqual(
    [...told].filter(
      (code) => ![...stages, ...errors].includes(code) && !all.includes(`'${code}'`),
    ),
    [],
  );
  // If not written there, the code is that of a stage, or else its ID.
  assert.deepEqual([...new Set(written.filter((text) => !text.includes("'")))].sort(), ['code']);
});
