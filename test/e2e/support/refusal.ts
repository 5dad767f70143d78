import assert from 'node:assert/strict';
import type { AuditEvent, Plane } from '../../../testbed/index.ts';
import type { Cli, CliOptions, CliRun } from './harness.ts';

/**
 * What users have written on a plane since its last mark, as `verb resource/subresource namespace/name`: without writes of the test
 * bed and the programs of the clusters, and without what stores nothing (access reviews, dry runs, rejected requests).
 */
export async function writesOn(plane: Plane): Promise<string[]> {
  const events = await plane.auditWrites();
  return events.filter(isOfPeople).filter(storesSomething).map(describeWrite);
}

const isOfPeople = ({ user }: AuditEvent) =>
  user.username !== 'bed' && !user.username.startsWith('system:');

const storesSomething = ({ objectRef, requestURI, responseStatus }: AuditEvent) =>
  !objectRef?.resource?.endsWith('subjectaccessreviews') &&
  !requestURI.includes('dryRun=All') &&
  (responseStatus?.code ?? 0) < 400;

function describeWrite({ verb, objectRef }: AuditEvent) {
  const { resource, subresource, namespace, name } = objectRef ?? {};
  const kind = [resource, subresource].filter(Boolean).join('/');
  return `${verb} ${kind} ${[...new Set([namespace, name])].filter(Boolean).join('/')}`;
}

export async function markAll(planes: readonly Plane[]): Promise<void> {
  await Promise.all(planes.map((plane) => plane.markAudit()));
}

/** Nothing was written on any of these planes since their marks. */
export async function assertUnwritten(planes: readonly Plane[]): Promise<void> {
  for (const plane of planes)
    assert.deepEqual(await writesOn(plane), [], `written on ${plane.name}`);
}

export interface Refusal {
  exitCode: number;
  /** The message. */
  says: RegExp;
  /** The hint: its steps, each a line. */
  hint?: RegExp;
}

/** A failed run prints one message on stderr, and nothing on stdout. */
export function assertRefused(run: CliRun, { exitCode, says, hint }: Refusal): void {
  const all = run.stdout + run.stderr;
  assert.equal(run.exitCode, exitCode, all);
  assert.equal(run.stdout, '', 'nothing is a result');
  const messages = run.stderr.split('\n').filter((line) => line.startsWith('✗'));
  assert.equal(messages.length, 1, `one message:\n${all}`);
  assert.match(messages[0] ?? '', says);
  if (hint) assert.match(run.stderr.slice(run.stderr.indexOf('✗')), hint);
}

/** Runs a command line that must fail and write nothing on these planes. */
export async function assertRefuses(
  cli: Cli,
  planes: readonly Plane[],
  line: string | string[],
  refusal: Refusal,
  options: CliOptions = {},
): Promise<CliRun> {
  await markAll(planes);
  const run = await cli.run(typeof line === 'string' ? line.split(' ') : line, options);
  assertRefused(run, refusal);
  await assertUnwritten(planes);
  return run;
}
