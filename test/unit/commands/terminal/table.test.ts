import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Columns, formatTable } from '../../../../src/commands/terminal/output.ts';

interface Row {
  name: string;
  state: string;
}
const columns: Columns<Row> = { NAME: ({ name }) => name, STATE: ({ state }) => state };
const rows: Row[] = [
  { name: 'cluster1', state: 'available' },
  { name: 'c2', state: '' },
];

describe('a table', () => {
  test('has columns as wide as their widest cell, three spaces between them, and no trailing spaces', () => {
    assert.deepEqual(formatTable(columns, rows), [
      'NAME       STATE',
      'cluster1   available',
      'c2',
    ]);
  });
  test('of nothing shows its headers', () =>
    assert.deepEqual(formatTable(columns, []), ['NAME   STATE']));
  test('does not cut a later cell that is wider', () =>
    assert.deepEqual(
      formatTable(columns, [{ name: 'abcdef', state: 'b' }], { headers: false, widths: [4, 5] }),
      ['abcdef   b'],
    ));
});
