import '../../support/environment.ts';
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { appliedTo, judgeValues, managerOf } from '../../../../src/lib/fleet/owned-values.ts';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import type { ManagedCluster } from '../../../../src/lib/ocm/model/ocm-objects.ts';

const fleet = 'prod';
const own = managerOf(fleet);

/** A value, with those who have written it. */
interface Written {
  value: string;
  managers: string[];
}

/** Labels as an API server shows them, with its record of fields. */
function objectOf(labels: Record<string, Written>): KubeObject {
  const managers = [...new Set(Object.values(labels).flatMap((each) => each.managers))];
  const fieldsOf = (manager: string) =>
    Object.entries(labels).flatMap(([key, each]) =>
      each.managers.includes(manager) ? [[`f:${key}`, {}]] : [],
    );
  return {
    metadata: {
      name: 'c1',
      labels: Object.fromEntries(Object.entries(labels).map(([key, { value }]) => [key, value])),
      managedFields: managers.map((manager) => ({
        manager,
        operation: manager === own ? 'Apply' : 'Update',
        fieldsV1: {
          'f:metadata': { 'f:labels': { '.': {}, ...Object.fromEntries(fieldsOf(manager)) } },
        },
      })),
    },
  } as KubeObject;
}

const judge = (
  labels: Record<string, Written>,
  values: Record<string, string>,
  forced: string[] = [],
) => judgeValues(objectOf(labels), 'labels', { fleet, values, forced });

const written = (value: string, ...managers: string[]): Written => ({ value, managers });

test('a value that another program has set to another one is a conflict, and not that of stellarctl itself', () => {
  const values = { a: 'new', b: 'new', c: 'same', d: 'new' };
  const labels = {
    a: written('old', 'helm'),
    b: written('old', 'stellarctl'),
    c: written('same', 'helm'),
  };
  assert.deepEqual(judge(labels, values), {
    changes: [
      { key: 'b', from: 'old', to: 'new' },
      { key: 'd', from: null, to: 'new' },
    ],
    conflicts: [{ key: 'a', value: 'old', managers: ['helm'] }],
    isOwned: false,
  });
  assert.deepEqual(judge(labels, values, ['a']).conflicts, []);
});

test('what left the file is removed by the record of the fleet alone, and only if nobody else wants it', () => {
  const labels = {
    a: written('1', own),
    b: written('1', own, 'stellarctl'),
    c: written('1', own, 'helm'),
    d: written('1', 'stellarctl'),
    e: written('1', managerOf('other')),
  };
  assert.deepEqual(judge(labels, {}).changes, [
    { key: 'a', from: '1', to: null },
    { key: 'b', from: '1', to: null },
  ]);
});

test('a value without a record of who has written it may be anybody’s', () => {
  const object = { metadata: { name: 'c1', labels: { tier: 'db' } } };
  const judged = (forced: string[]) =>
    judgeValues(object, 'labels', { fleet, values: { tier: 'web' }, forced });
  assert.deepEqual(judged([]).conflicts, [{ key: 'tier', value: 'db', managers: ['unknown'] }]);
  assert.deepEqual(judged(['tier']).changes, [{ key: 'tier', from: 'db', to: 'web' }]);
});

test('keys are called as anything', () => {
  const values = { constructor: 'a', toString: 'b' };
  assert.deepEqual(judge({}, values).changes, [
    { key: 'constructor', from: null, to: 'a' },
    { key: 'toString', from: null, to: 'b' },
  ]);
});

test('what a fleet has applied is what it owns, alone or with others', () => {
  const labels = { a: written('1', own), b: written('2', own, 'helm'), c: written('3', 'helm') };
  const applied = { manager: own, labels: { a: '1', b: '2' }, annotations: {} };
  assert.deepEqual(appliedTo(objectOf(labels) as ManagedCluster, fleet), applied);
  assert.equal(appliedTo(objectOf(labels) as ManagedCluster, 'other'), undefined);
});

test('a record of a status is none of labels', () => {
  const object = objectOf({ a: written('1', own) });
  const [record] = object.metadata.managedFields ?? [];
  assert.ok(record);
  const ofStatus = {
    ...object,
    metadata: { ...object.metadata, managedFields: [{ ...record, subresource: 'status' }] },
  };
  assert.deepEqual(judgeValues(ofStatus, 'labels', { fleet, values: {}, forced: [] }).changes, []);
});

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const value = fc.constantFrom('1', '2', '3');
const plain = { noNullPrototype: true };
const present = fc.dictionary(
  key,
  fc.record(
    {
      value,
      managers: fc.uniqueArray(fc.constantFrom(own, 'stellarctl', 'helm', managerOf('other')), {
        minLength: 1,
      }),
    },
    plain,
  ),
  plain,
);
const wanted = fc.dictionary(key, value, plain);

/** What the API server makes of the removals and the forced apply of a fleet. */
function applied(
  labels: Record<string, Written>,
  values: Record<string, string>,
): Record<string, Written> {
  const { changes } = judge(labels, values);
  const removed = changes.filter(({ to }) => to === null).map((change) => change.key);
  const left = Object.entries(labels).filter(([name]) => !removed.includes(name));
  const after = new Map<string, Written>();
  for (const [name, each] of left) {
    const managers = each.managers.filter(
      (manager) => manager !== own || Object.hasOwn(values, name),
    );
    if (managers.length > 0) after.set(name, { ...each, managers });
  }
  for (const [name, each] of Object.entries(values)) {
    const before = after.get(name);
    const others = before?.value === each ? before.managers : [];
    after.set(name, { value: each, managers: [...new Set([...others, own])] });
  }
  return Object.fromEntries(after);
}

test('whatever is there, an apply makes the wanted values true, is done then, and leaves those of others alone', () => {
  fc.assert(
    fc.property(present, wanted, (before, values) => {
      fc.pre(judge(before, values).conflicts.length === 0);
      const after = applied(before, values);
      for (const [name, each] of Object.entries(values)) assert.equal(after[name]?.value, each);
      for (const [name, each] of Object.entries(before)) {
        const isOthers = each.managers.some(
          (manager) => manager !== own && manager !== 'stellarctl',
        );
        if (isOthers) assert.equal(after[name]?.value, each.value);
        const isUntouched = !each.managers.includes(own) && !Object.hasOwn(values, name);
        if (isUntouched) assert.deepEqual(after[name], each);
      }
      assert.deepEqual(judge(after, values), { changes: [], conflicts: [], isOwned: true });
    }),
    { numRuns: 2000 },
  );
});
