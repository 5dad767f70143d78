import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import type { OutputFormat } from '../../../../src/commands/terminal/io.ts';
import {
  errorDocument,
  toDocument,
  writeDocument,
  writeError,
} from '../../../../src/commands/terminal/output.ts';
import { styleFor } from '../../../../src/commands/terminal/style.ts';
import { fail } from '../../../../src/lib/core/checks.ts';
import { reportOf, StellarError } from '../../../../src/lib/core/errors.ts';
import {
  advice,
  callProgram,
  diagnosisOf,
  problem,
  run,
} from '../../../../src/lib/core/next-step.ts';
import { describeGroup } from '../../../../src/lib/doctor/catalogue.ts';
import { fakeIo, plain } from '../../support/fake-io.ts';
import { sessionWith } from '../../support/session.ts';

const rows = [
  { name: 'cluster1', state: 'available' },
  { name: 'cluster2', state: 'pending' },
];
const columns = { NAME: ({ name }: { name: string }) => name };
const wide = { STATE: ({ state }: { state: string }) => state };

async function formatResult(output: OutputFormat, items = rows) {
  const { session, stdout } = sessionWith({ output });
  await session.print({ items }, items, columns, wide);
  return stdout.text;
}

describe('a result is', () => {
  for (const [format, read] of [
    ['json', (text: string) => JSON.parse(text)],
    ['yaml', (text: string) => parse(text)],
  ] as const)
    test(`one ${format} document, complete up to its last line`, async () => {
      const text = await formatResult(format);
      assert.deepEqual(read(text), { items: rows });
      assert.match(text, /[^\n]\n$/);
    });
  for (const [format, text] of [
    ['name', 'cluster1\ncluster2\n'],
    ['table', 'NAME\ncluster1\ncluster2\n'],
    ['wide', 'NAME       STATE\ncluster1   available\ncluster2   pending\n'],
  ] as const)
    test(`a line per item as ${format}`, async () =>
      assert.equal(await formatResult(format), text));
  test('nothing if there is nothing for a table or names, but a document for JSON', async () => {
    assert.deepEqual([await formatResult('table', []), await formatResult('name', [])], ['', '']);
    assert.deepEqual(JSON.parse(await formatResult('json', [])), { items: [] });
  });
});

describe('errors in documents', () => {
  const error = new StellarError('request-denied', 'was denied', advice('ask again')).with({
    details: ['a'],
  });
  test('appear with the known fields of their name', () => {
    assert.deepEqual(
      toDocument([
        { name: 'a', changed: true },
        { name: 'b', changed: false, error },
      ]),
      {
        items: [
          { name: 'a', changed: true },
          { name: 'b', changed: false, error: reportOf(error) },
        ],
      },
    );
  });
  test('of the whole command replace the items', () =>
    assert.deepEqual(errorDocument(error), { items: [], error: reportOf(error) }));
});

describe('errors for people', () => {
  const written = (error: unknown, { verbose = false } = {}) => {
    const { io, stdout, stderr } = fakeIo();
    writeError(io, plain, error, verbose);
    assert.equal(stdout.text, '');
    return stderr.text;
  };
  const error = new StellarError(
    'not-found',
    'There is none.',
    run('stellarctl wec list', 'See'),
  ).with({ details: ['a  b'], cause: new Error('because') });
  test('show what failed, the details and the next step, without a stack trace', () =>
    assert.equal(written(error), '✗ There is none.\n    a  b\n  See: stellarctl wec list\n'));
  test('show each next step on a line, to be copied', () => {
    const next = [run('kubectl get x', 'Look'), run('stellarctl wec list')];
    const several = new StellarError('not-found', 'There is none.', ...next);
    assert.equal(
      written(several),
      '✗ There is none.\n  Look: kubectl get x\n  stellarctl wec list\n',
    );
  });
  test('show the cause as well with -v', () =>
    assert.match(written(error, { verbose: true }), /Error: because\n\s+at /));
  test('that are bugs keep their stack and show where to report it', () => {
    const text = written(new TypeError('oops'));
    assert.match(text, /TypeError: oops\n\s+at /);
    assert.match(text, /bug in stellarctl.*report it/);
  });
  test('that are not Error objects are shown', () =>
    assert.match(written('thrown'), /^✗ thrown\n/));
});

test('suggested commands in documents use the name of the called program, and nothing else changes', async (t) => {
  t.after(() => callProgram('stellarctl'));
  const told = (program: string) => ({
    diagnosis: {
      problem: 'stellarctl its get',
      steps: [`Look: ${program} its get its1`],
      next: `${program} its get its1`,
    },
    items: [{ command: `${program} init`, labels: { a: 'stellarctl init' }, cause: null }],
  });
  for (const program of ['kubectl stellar', 'stellarctl']) {
    callProgram(program);
    const { io, stdout } = fakeIo();
    const diagnosis = diagnosisOf(
      problem('x', 'stellarctl its get', run('stellarctl its get its1', 'Look')),
    );
    const finding = { id: '', title: '', ...fail('x', '', run('stellarctl init')) };
    const { command } = describeGroup({ subjects: [{ kind: 'machine', name: '' }], finding }) as {
      command?: string;
    };
    const document = {
      diagnosis,
      items: [{ command, labels: { a: 'stellarctl init' }, cause: null }],
    };
    await writeDocument(io, document, { format: 'json' });
    assert.deepEqual(JSON.parse(stdout.text), told(program));
  }
});

describe('colour is', () => {
  const colored = (
    tty: boolean,
    env: NodeJS.ProcessEnv,
    mode: 'auto' | 'always' | 'never' = 'auto',
  ) => {
    const { io } = fakeIo({ tty, env });
    return styleFor(io.stderr, io, mode).ok !== '✓';
  };
  const cases: [what: string, actual: boolean, expected: boolean][] = [
    ['for terminals', colored(true, {}), true],
    ['not for pipes', colored(false, {}), false],
    ['not for terminals that cannot', colored(true, { TERM: 'dumb' }), false],
    ['not with NO_COLOR', colored(true, { NO_COLOR: '1' }), false],
    ['there with an empty NO_COLOR', colored(true, { NO_COLOR: '' }), true],
    [
      'not with NO_COLOR, although FORCE_COLOR is there',
      colored(true, { NO_COLOR: '1', FORCE_COLOR: '1' }),
      false,
    ],
    ['for pipes with FORCE_COLOR', colored(false, { FORCE_COLOR: '1' }), true],
    ['not for terminals with FORCE_COLOR=0', colored(true, { FORCE_COLOR: '0' }), false],
    [
      'there when asked for, whatever the environment says',
      colored(false, { NO_COLOR: '1' }, 'always'),
      true,
    ],
    [
      'not there when asked not to, whatever the environment says',
      colored(true, { FORCE_COLOR: '1' }, 'never'),
      false,
    ],
  ];
  for (const [what, actual, expected] of cases) test(what, () => assert.equal(actual, expected));
});
