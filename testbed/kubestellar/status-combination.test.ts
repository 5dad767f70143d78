/** How StatusCollectors and CustomTransforms process values, according to KubeStellar's source. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePath, removeField } from './json-path.ts';
import { combine } from './status-combination.ts';

const replicas = { a: 1, b: 3, c: 3 };
const clusters = Object.entries(replicas).map(([cluster, ready]) => ({
  cluster,
  content: { inventory: { name: cluster }, returned: { status: { ready } }, obj: { spec: { replicas: 3 } } },
}));
const number = (float: string) => ({ type: 'Number', float });
const subject = 'returned.status.ready';

describe('a StatusCollector', () => {
  it('aggregates all clusters, or those of one group', () => {
    const combinedFields = ['COUNT', 'SUM', 'AVG', 'MIN', 'MAX'].map((type) => ({
      name: type,
      type,
      ...(type !== 'COUNT' && { subject }),
    }));
    const one = combine('all', { combinedFields, limit: 20 }, clusters);
    assert.deepEqual(one.rows, [{ columns: ['3', '7', '2.3333333333333335', '1', '3'].map(number) }]);
    const groupBy = [{ name: 'ready', def: subject }];
    const grouped = combine('groups', { groupBy, combinedFields: combinedFields.slice(0, 1), limit: 20 }, clusters);
    assert.deepEqual(grouped.columnNames, ['ready', 'COUNT']);
    assert.deepEqual(grouped.rows, [{ columns: ['1', '1'].map(number) }, { columns: ['3', '2'].map(number) }]);
  });

  it('lists the clusters that its filter lets pass', () => {
    const select = [{ name: 'wec', def: 'inventory.name' }];
    const filter = 'returned.status.ready == obj.spec.replicas';
    const { rows } = combine('ready', { filter, select, limit: 20 }, clusters);
    assert.deepEqual(
      rows,
      ['b', 'c'].map((name) => ({ columns: [{ type: 'String', string: name }] })),
    );
  });

  it('counts zero without clusters, and reports that there is no average', () => {
    const combinedFields = [
      { name: 'count', type: 'COUNT' },
      { name: 'average', type: 'AVG', subject },
    ];
    const none = combine('none', { combinedFields, limit: 20 }, []);
    assert.deepEqual(none.rows, [{ columns: ['0', 'NaN'].map(number) }]);
    assert.deepEqual(none.aggregationErrors, [{ columnName: 'average', error: 'no values to average' }]);
  });

  it('leaves clusters without values out of an aggregate, and names the first', () => {
    const combinedFields = [{ name: 'sum', type: 'SUM', subject: 'returned.status.nosuch' }];
    const { rows, rowErrors } = combine('bad', { combinedFields, limit: 20 }, clusters);
    assert.deepEqual(rows ?? [], []);
    const error = 'failed to evaluate expression: no such key: nosuch';
    assert.deepEqual(rowErrors, [{ columnName: 'sum', error, wec: { clusterId: 'a' } }]);
  });
});

describe('a path of a CustomTransform', () => {
  it('addresses one field by names and quoted names', () => {
    const object = { metadata: { annotations: { 'example.com/a': '1', b: '2' } } };
    removeField(object, parsePath('$.metadata.annotations["example.com/a"]'));
    removeField(object, parsePath('$.nosuch.field'));
    assert.deepEqual(object, { metadata: { annotations: { b: '2' } } });
  });

  it('is rejected with the message of KubeStellar', () => {
    const failures: Record<string, string> = {
      '': 'EOF',
      spec: 'syntax error at 0: missing root identifier (dollar sign)',
      '$..[bad': "syntax error at 2: expected member-name-shorthand, got '.'",
      '$.spec[0]': "syntax error at 7: expected open quote, got '0'",
      '$.spec["a': 'syntax error at 9: missing close quote',
      '$.spec*': "syntax error at 6: extra junk '*' after last segment",
    };
    for (const [text, message] of Object.entries(failures)) assert.throws(() => parsePath(text), { message }, text);
  });
});
