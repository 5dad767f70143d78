import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unknown } from '../../../../src/commands/common/lines.ts';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { sessionWith } from '../../support/session.ts';

const refused = (kind: string) =>
  `Not allowed on wds1: ${kind} is forbidden: User "eve" cannot list resource "${kind}" in API group ""`;
const kinds = ['secrets', 'pods', 'events'];

test('what a user may not do with several kinds is one error', () => {
  const { session, stderr } = sessionWith();
  const other = new StellarError('unreachable', 'Cannot reach its1.');
  const errors = kinds.map((kind) => new StellarError('forbidden', refused(kind)));
  session.incomplete([...errors, other, other, errors[0] ?? other]);
  assert.deepEqual(stderr.text.trim().split('\n'), [
    `✗ ${refused('secrets')}`,
    '    and 2 others like it',
    '✗ Cannot reach its1.',
  ]);
});

test('kinds that a user may not read are one line', () => {
  const rest = { what: 'works', why: 'no route' };
  const lines = unknown([...kinds.map((what) => ({ what, why: refused(what) })), rest]);
  assert.deepEqual(
    lines.map((line) => line.trim().replace(/^unknown +/, '')),
    [`secrets, pods, events: ${refused('secrets')}`, 'works: no route'],
  );
});
