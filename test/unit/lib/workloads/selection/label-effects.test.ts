import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { removalsOf } from '../../../../../src/lib/core/read-confirmed.ts';
import type { LabelSelector } from '../../../../../src/lib/kube/client/objects.ts';
import {
  effectOn,
  judgeChanges,
  wecChange,
} from '../../../../../src/lib/workloads/selection/label-effects.ts';
import { policy } from '../../../support/policy-builders.ts';

describe('removing labels from a WEC', () => {
  const labels = { env: 'prod', 'feature.open-cluster-management.io/addon-x': 'available' };
  const after = { 'feature.open-cluster-management.io/addon-x': 'available' };
  const change = { name: 'm1', before: labels, after };
  const effect = (clusterSelectors: LabelSelector[]) =>
    effectOn(policy('p', { clusterSelectors }), change);
  const by = (operator: string, values?: string[], key = 'env') => [
    { matchExpressions: [{ key, operator, ...(values && { values }) }] },
  ];
  test('releases it from policies that select by them', () => {
    assert.equal(effect([{ matchLabels: { env: 'prod' } }]), 'released');
    assert.equal(effect(by('In', ['prod'])), 'released');
    assert.equal(effect(by('Exists')), 'released');
  });
  test('makes policies select it that select by their absence', () => {
    assert.equal(effect(by('NotIn', ['prod'])), 'starting');
    assert.equal(effect(by('DoesNotExist')), 'starting');
  });
  test("leaves it to policies that select by OCM's labels, or everything", () => {
    assert.equal(effect([{}]), 'staying');
    assert.equal(
      effect(by('Exists', undefined, 'feature.open-cluster-management.io/addon-x')),
      'staying',
    );
    assert.equal(effect(by('NotIn', ['dev'])), 'staying');
    assert.equal(effect([{ matchLabels: { env: 'prod' } }, {}]), 'staying');
  });
  test('does not affect others', () =>
    assert.equal(effect([{ matchLabels: { env: 'dev' } }]), undefined));
  test('does not release it from a Binding without a policy', () => {
    const bound = (wec: string) => policy('p', { orphaned: true, destinations: [wec] });
    assert.deepEqual(
      [effectOn(bound('m1'), change), effectOn(bound('m2'), change)],
      ['staying', undefined],
    );
  });
});

describe('what a command takes away is one number, whatever the number of policies', () => {
  const names = Array.from({ length: 6 }, (_, index) => `c${index + 1}`);
  const removed = (count: number) =>
    names
      .slice(0, count)
      .map((name) => ({ name, before: { name }, after: {}, has: [], lacks: ['name'], stale: [] }));
  test('six policies, each of one WEC', () => {
    const policies = names.map((name) =>
      policy(name, { clusterSelectors: [{ matchLabels: { name } }], destinations: [name] }),
    );
    const effects = judgeChanges({ policies, unread: [] }, removed(6));
    assert.equal(effects.released.length, 6);
    const leaving = ['c7', 'c1'].map((wec) => ({ object: 'its registration', wec }));
    const counted = removalsOf([...leaving, ...effects.lost], 6, effects.sentTo);
    assert.deepEqual(counted, { wecs: 7, of: 6, max: 6 });
  });
  test('a policy whose template asks for what one WEC loses is sent to none', () => {
    const all = {
      ...policy('all', { clusterSelectors: [{}], destinations: names }),
      asked: new Set(['name', 'x']),
    };
    const others = [
      {
        ...policy('elsewhere', { clusterSelectors: [{}], destinations: ['c9'] }),
        asked: new Set(['name']),
      },
      {
        ...policy('plain', { clusterSelectors: [{}], destinations: names }),
        asked: new Set(['x']),
      },
    ];
    const effects = judgeChanges({ policies: [all, ...others], unread: [] }, removed(1));
    assert.deepEqual(
      effects.released.map((each) => [each.policy.name, each.wecs, each.lacking]),
      [['all', names, 'name of c1']],
    );
    const counted = removalsOf(effects.lost, undefined, effects.sentTo);
    assert.deepEqual(counted, { wecs: 6, of: 7, max: undefined });
  });
});

describe('a WEC that a policy starts to select', () => {
  const conf = {
    ...policy('conf', {
      clusterSelectors: [{ matchLabels: { env: 'prod' } }],
      destinations: ['c1', 'c2'],
    }),
    asked: new Set(['region', 'env']),
  };
  const labels = { env: 'prod' };
  const released = (data: Record<string, string>, metadata: object = {}, isNew = false) =>
    judgeChanges({ policies: [conf], unread: [] }, [
      wecChange(
        {
          cluster: { metadata: { name: 'c3', ...metadata } },
          configMap: { metadata: { name: 'c3' }, data },
        },
        { labels },
        isNew,
      ),
    ]).lost.map(({ wec }) => wec);
  test('and lacks a property of its templates takes it from all others', () => {
    assert.deepEqual(released({}), ['c1', 'c2']);
    assert.deepEqual(released({ region: 'eu' }), []);
  });
  test('although it has the labels already, once it is accepted', () => {
    assert.deepEqual(released({}, { labels }), []);
    assert.deepEqual(released({}, { labels }, true), ['c1', 'c2']);
  });
  test('by an absence stops being selected by a label that is added', () => {
    const absent = { matchExpressions: [{ key: 'quarantine', operator: 'DoesNotExist' }] };
    const pay = policy('pay', { clusterSelectors: [absent], destinations: ['c1'] });
    const change = wecChange(
      { cluster: { metadata: { name: 'c1', labels } }, configMap: undefined },
      { labels: { quarantine: 'true' } },
    );
    const { lost } = judgeChanges({ policies: [pay], unread: [] }, [change]);
    assert.deepEqual(lost, [{ object: 'what pay (wds1) sends', wec: 'c1' }]);
  });
});

describe('a property that gets another value', () => {
  const cluster = { metadata: { name: 'c1', labels: { region: 'eu', 'a/tier': 'web' } } };
  const of = (wec: string, key: string) => ({
    ...policy(`${wec}-${key}`, { destinations: [wec] }),
    asked: new Set([key]),
  });
  const outdated = (change: ReturnType<typeof wecChange>) =>
    judgeChanges(
      { policies: [of('c1', 'region'), of('c1', 'size'), of('c2', 'region')], unread: [] },
      [change],
    ).outdated.map(({ name }) => name);
  test('leaves the works of the policies outdated whose templates use it', () => {
    const change = wecChange(
      { cluster, configMap: undefined },
      { labels: { region: 'us', 'a/tier': 'db', size: 'new' } },
    );
    assert.deepEqual([change.stale, change.lacks], [['region'], []]);
    assert.deepEqual(outdated(change), ['c1-region']);
  });
  test('leaves nothing outdated if another source hides it', () => {
    const configMap = { metadata: { name: 'c1' }, data: { region: 'fr' } };
    const change = wecChange({ cluster, configMap }, { labels: { region: 'us' } });
    assert.deepEqual([change.stale, outdated(change)], [[], []]);
  });
});
