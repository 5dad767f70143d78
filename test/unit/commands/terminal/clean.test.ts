import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { describeExamined } from '../../../../src/commands/doctor/show.ts';
import { describeStatus } from '../../../../src/commands/status/status-text.ts';
import {
  oneLine,
  refusedValues,
  safeJson,
  safeYaml,
} from '../../../../src/commands/terminal/clean.ts';
import { formatTable, writeError } from '../../../../src/commands/terminal/output.ts';
import { createProgress } from '../../../../src/commands/terminal/progress.ts';
import { fail, pass, skipped } from '../../../../src/lib/core/checks.ts';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { advice, command, run } from '../../../../src/lib/core/next-step.ts';
import { unreached } from '../../../../src/lib/core/stages.ts';
import { asWritten, coloured, fakeIo, plain } from '../../support/fake-io.ts';
import { doesSomething, hostileText } from '../../support/hostile.ts';

const isSafe = (lines: readonly string[]) => lines.every((line) => !doesSomething.test(line));
// biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of a style, as chalk writes them
const withoutColours = (line: string) => line.replace(/\u001b\[(?:2|22|32|31|36|39)m/g, '');

describe('text of other programs', () => {
  const cases: [what: string, text: string, line: string][] = [
    ['that writes the clipboard', 'a\u001b]52;c;eA==\u0007', 'a\\x1b]52;c;eA==\\x07'],
    ['with characters of C1', '\u009b2J', '\\x9b2J'],
    ['of several lines', 'a:\n  b\r\n\r\nc', 'a: ⏎ b ⏎ c'],
    ['that ends a line', 'a\n', 'a'],
    ['with tabs', 'a\tb', 'a b'],
    ['that turns around', 'a\u202eb', 'a\\u202eb'],
    ['that nobody sees', 'a\u200b\u{e0041}', 'a\\u200b\\u{e0041}'],
    ['of other scripts', 'größe 集群 ✓', 'größe 集群 ✓'],
    ['without an end', 'x'.repeat(8003), `${'x'.repeat(8000)}… (3 characters more)`],
  ];
  for (const [what, text, line] of cases)
    test(what, () => {
      assert.deepEqual(asWritten([text]), [line]);
      assert.equal(oneLine(text), line);
    });

  test('has the values that an API server refuses with -o wide only, and never in a table', () => {
    const refusal = `spec.template: Invalid value: core.PodTemplateSpec{${'x'.repeat(60)}}: field is immutable`;
    const columns = { WHY: () => refusal };
    try {
      for (const areShown of [false, true]) {
        refusedValues.areShown = areShown;
        assert.equal(oneLine(refusal), areShown ? refusal : 'spec.template: field is immutable');
        assert.deepEqual(formatTable(columns, [{}]).at(-1), 'spec.template: field is immutable');
      }
    } finally {
      refusedValues.areShown = false;
    }
  });

  test('is one line each, without control characters', () =>
    fc.assert(
      fc.property(fc.array(hostileText), (lines) => {
        const written = asWritten(lines);
        assert.equal(written.length, lines.length);
        assert.ok(isSafe(written), JSON.stringify(written));
      }),
    ));
  test('is the same when cleaned twice', () =>
    fc.assert(
      fc.property(hostileText, (text) => assert.equal(oneLine(oneLine(text)), oneLine(text))),
    ));
  test('adds no colours of its own, and removes none of ours', () =>
    fc.assert(
      fc.property(hostileText, hostileText, (one, other) => {
        const [line = ''] = asWritten([`${coloured.bad} ${coloured.faint(`x${one}`)} ${other}`]);
        assert.ok(line.startsWith('\u001b[31m✗\u001b[39m \u001b[2m'), JSON.stringify(line));
        assert.ok(isSafe([withoutColours(line)]), JSON.stringify(line));
      }),
    ));
  test('keeps its value in documents, without control characters', async () => {
    const values = fc.jsonValue({ stringUnit: 'binary' });
    const documents = fc.oneof(
      fc.dictionary(hostileText, hostileText),
      fc.record({ a: fc.array(hostileText), b: values }),
    );
    await fc.assert(
      fc.asyncProperty(documents, async (document) => {
        // A lone surrogate is not a Unicode character, and is replaced on output.
        fc.pre(
          JSON.stringify(document).isWellFormed() && !/\\ud[89a-f]/.test(JSON.stringify(document)),
        );
        const expected = JSON.parse(JSON.stringify(document));
        for (const text of [safeJson(document), safeJson(document, 2)]) {
          assert.deepEqual(JSON.parse(text), expected);
          assert.ok(isSafe(text.split('\n')), text);
        }
        // JSON has no -0.
        const yaml = await safeYaml(expected);
        assert.deepEqual(parse(yaml), expected);
        assert.ok(isSafe(yaml.replaceAll('\t', ' ').split('\n')), yaml);
      }),
    );
  });
});

describe('a view shows hostile values on its own lines:', () => {
  test('a table', () =>
    fc.assert(
      fc.property(fc.array(fc.record({ name: hostileText, value: hostileText })), (rows) => {
        const lines = formatTable({ NAME: ({ name }) => name, VALUE: ({ value }) => value }, rows);
        const written = asWritten(lines);
        assert.equal(written.length, rows.length + 1);
        assert.ok(isSafe(written));
      }),
    ));
  test('a tree', () =>
    fc.assert(
      fc.property(hostileText, hostileText, hostileText, (title, fact, child) => {
        const hosting = {
          name: title,
          server: '',
          hooksVersion: fact,
          versions: [],
          problem: true,
          reason: fact,
        };
        const place = { ...unreached, context: null, server: null, created: null, ready: false };
        const its = {
          ...place,
          name: child,
          type: fact,
          problem: true,
          reason: fact,
          versions: [],
          wecs: null,
        };
        const written = asWritten(describeStatus({ hosting, itses: [its], wdses: [] }, plain));
        assert.equal(written.length, 2);
        assert.ok(isSafe(written));
      }),
    ));
  test('findings', () =>
    fc.assert(
      fc.property(hostileText, hostileText, hostileText, (title, cause, found) => {
        const findings = [
          { id: 'a', title, ...fail('broken', cause, run(command`kubectl get ${found}`)) },
          { id: 'b', title, ...pass(found) },
          { id: 'c', title, ...skipped(cause) },
        ];
        const written = asWritten(
          describeExamined([{ subject: { kind: 'its', name: title }, findings }], plain, 'all'),
        );
        assert.equal(written.length, 7);
        assert.ok(isSafe(written));
      }),
    ));
  test('an error', () =>
    fc.assert(
      fc.property(hostileText, fc.array(hostileText), hostileText, (message, details, step) => {
        const { io, stderr } = fakeIo();
        writeError(
          io,
          plain,
          new StellarError('api-error', message, advice(step)).with({ details }),
          false,
        );
        assert.equal(stderr.lines.length, details.length + 2);
        assert.ok(isSafe(stderr.lines));
      }),
    ));
  test('progress', () =>
    fc.assert(
      fc.property(fc.boolean(), hostileText, hostileText, (tty, subject, text) => {
        const { io, stdout, stderr } = fakeIo({ tty });
        const progress = createProgress(io, { quiet: false, results: 'stdout', style: plain });
        progress.note(text);
        progress.reached(subject, text);
        progress.done(subject, text, true);
        progress.stop();
        if (!tty) assert.deepEqual([stdout.lines.length, stderr.lines.length], [1, 2]);
        assert.ok(isSafe([...stdout.lines, ...stderr.lines]));
      }),
    ));
});
