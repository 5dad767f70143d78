import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { LabelSelector } from '../../../../src/lib/kube/client/objects.ts';
import {
  type DownsyncClause,
  isExcludedKind,
} from '../../../../src/lib/ocm/model/kubestellar-names.ts';
import { selectsLabels } from '../../../../src/lib/workloads/selection/label-selectors.ts';
import {
  nearestClause,
  selectObjects,
} from '../../../../src/lib/workloads/selection/select-objects.ts';
import { candidate, nameOf, namespaces, objects, recorded } from './records.ts';

const wecs = (clusterSelectors: LabelSelector[]) =>
  Object.entries(recorded.managedClusters).flatMap(([name, labels]) =>
    selectsLabels(clusterSelectors, labels) ? name : [],
  );
const selected = (downsync: DownsyncClause[]) =>
  Object.fromEntries(
    selectObjects(downsync, objects, namespaces).map(({ object, modulation }) => [
      nameOf(object),
      modulation,
    ]),
  );
const why = (clauses: DownsyncClause[], name: string) =>
  nearestClause(
    [{ name: 'p', downsync: clauses }],
    candidate(name, recorded.objects[name]),
    namespaces,
  );

describe('a policy selects what KubeStellar has selected', () => {
  const cases = Object.entries(recorded.cases).filter(
    ([, { destinations }]) => destinations !== null,
  );
  test('in 46 records', () => assert.equal(cases.length, 46));
  for (const [name, record] of cases)
    test(`${name}: ${JSON.stringify(record.clusterSelectors)} ${JSON.stringify(record.downsync)}`, () => {
      assert.deepEqual(wecs(record.clusterSelectors), record.destinations);
      assert.deepEqual(selected(record.downsync), record.objects);
    });
});

describe('a policy selects no WEC', () => {
  for (const [title, requirement] of Object.entries({
    'by an operator that there is not': { key: 'env', operator: 'Near', values: ['x'] },
    'by NotIn without values': { key: 'env', operator: 'NotIn', values: [] },
    'by In without values': { key: 'env', operator: 'In' },
    'by DoesNotExist with values': { key: 'none', operator: 'DoesNotExist', values: ['x'] },
    'by a value that no label can have': { key: 'env', operator: 'NotIn', values: ['not valid!'] },
    'by a key that no label can have': { key: 'not valid!', operator: 'DoesNotExist' },
  }))
    test(`${title}, whatever its other selectors`, () => {
      assert.deepEqual(wecs([{ matchExpressions: [requirement] }]), []);
      assert.deepEqual(wecs([{}, { matchExpressions: [requirement] }]), []);
    });
  test('by a label that every JavaScript object has', () =>
    assert.deepEqual(
      wecs([{ matchExpressions: [{ key: 'constructor', operator: 'Exists' }] }]),
      [],
    ));
});

describe('the reason why an object is not selected', () => {
  const one = [{ matchLabels: { app: 'one' } }];
  test('names the failing part of the clause, and what it requires', () =>
    assert.deepEqual(
      why([{ namespaces: ['sel-a'], objectSelectors: one }], 'configmaps sel-a/a2'),
      {
        policy: 'p',
        clause: { namespaces: ['sel-a'], objectSelectors: one },
        fails: ['objectSelectors'],
        distance: 1.5,
      },
    ));
  test('names the clause with the fewest failing parts', () => {
    const clauses = [{ namespaces: ['other'], objectSelectors: one }, { resources: ['configmap'] }];
    assert.deepEqual(why(clauses, 'configmaps sel-a/a2'), {
      policy: 'p',
      clause: { resources: ['configmap'] },
      fails: ['resources'],
      distance: 1,
    });
  });
  describe('of several policies with one failing part names the one', () => {
    const object = { group: '', version: 'v1', resource: 'configmaps', kind: 'ConfigMap' };
    const nearest = (policies: [name: string, ...downsync: DownsyncClause[]][]) => {
      const named = policies.map(([name, ...downsync]) => ({ name, downsync }));
      const metadata = { name: 'c', namespace: 'shop', labels: { app: 'one' } };
      const inShop = new Map([['shop', { app: 'shop' }]]);
      return nearestClause(named, { ...object, metadata }, inShop)?.policy;
    };
    const shop = [{ matchLabels: { app: 'shop' } }];
    const first: [string, DownsyncClause] = [
      'a',
      { objectSelectors: [{ matchLabels: { app: 'other' } }] },
    ];
    test('that selects its Namespace', () =>
      assert.equal(nearest([first, ['p', { objectSelectors: shop }]]), 'p'));
    test('that selects its labels', () =>
      assert.equal(nearest([first, ['p', { resources: ['secrets'], objectSelectors: one }]]), 'p'));
  });
  test('is that no policy has a clause', () =>
    assert.equal(why([], 'configmaps sel-a/a1'), undefined));
});

describe('arbitrary clauses', () => {
  const selector = fc.record(
    {
      matchLabels: fc.dictionary(
        fc.constantFrom('app', 'team', 'r'),
        fc.constantFrom('one', 'two', 'x', 'bad!'),
        { maxKeys: 2 },
      ),
      matchExpressions: fc.array(
        fc.record(
          {
            key: fc.constantFrom('app', 'team'),
            operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist', 'Near'),
            values: fc.subarray(['one', 'two', 'x']),
          },
          { requiredKeys: ['key', 'operator'] },
        ),
        { maxLength: 2 },
      ),
    },
    { requiredKeys: [] },
  );
  const names = (...values: string[]) => fc.subarray(['*', ...values], { maxLength: 2 });
  const clause: fc.Arbitrary<DownsyncClause> = fc.record(
    {
      apiGroup: fc.constantFrom('', 'apps', 'example.com', 'coordination.k8s.io'),
      resources: names('configmaps', 'deployments', 'namespaces', 'configmap'),
      namespaces: names('', 'sel-a', 'sel-b'),
      objectNames: names('a1', 'a*', 'sel-a', 'default'),
      objectSelectors: fc.array(selector, { maxLength: 2 }),
      namespaceSelectors: fc.array(selector, { maxLength: 2 }),
      createOnly: fc.boolean(),
      statusCollectors: fc.subarray(['c1', 'c2']),
    },
    { requiredKeys: [] },
  );
  const clauses = fc.array(clause, { maxLength: 3 });
  const namesOf = (downsync: DownsyncClause[]) => Object.keys(selected(downsync));

  test('together select what each of them selects, in any order', () =>
    fc.assert(
      fc.property(clauses, (downsync) => {
        const each = new Set(downsync.flatMap((one) => namesOf([one])));
        assert.deepEqual(new Set(namesOf(downsync)), each);
        assert.deepEqual(selected([...downsync].reverse()), selected(downsync));
      }),
    ));
  test('select no more with an additional part', () =>
    fc.assert(
      fc.property(clause, clause, (one, two) => {
        const both = new Set(namesOf([one]));
        for (const name of namesOf([{ ...two, ...one }])) assert.ok(both.has(name), name);
      }),
    ));
  test('select an object or give a reason', () =>
    fc.assert(
      fc.property(clauses, (downsync) => {
        const found = new Set(namesOf(downsync));
        for (const object of objects.filter((each) => !isExcludedKind(each))) {
          const nearest = nearestClause([{ name: 'p', downsync }], object, namespaces);
          assert.equal(nearest?.fails.length === 0, found.has(nameOf(object)), nameOf(object));
        }
      }),
    ));
});
