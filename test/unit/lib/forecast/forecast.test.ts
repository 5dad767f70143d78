import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { removalsOf } from '../../../../src/lib/core/read-confirmed.ts';
import {
  anyGroup,
  type Change,
  type PolicyChange,
  type Sends,
} from '../../../../src/lib/forecast/change.ts';
import { forecast } from '../../../../src/lib/forecast/forecast.ts';
import { lostBy, unforeseenIn } from '../../../../src/lib/forecast/losses.ts';
import {
  selectionChange,
  type ValueChanges,
  type WecChange,
  wecChange,
} from '../../../../src/lib/forecast/wec-change.ts';
import {
  boundView,
  type PolicyState,
  type SentWork,
  type World,
} from '../../../../src/lib/forecast/world.ts';
import type { LabelSelector } from '../../../../src/lib/kube/client/objects.ts';
import type { BoundObject } from '../../../../src/lib/ocm/model/kubestellar-names.ts';
import { type PolicyOptions, policy, uidOf } from '../../support/policy-builders.ts';

/** An object as `Namespace shop`, `ConfigMap shop/a`. */
const bound = (text: string): BoundObject => {
  const [kind = '', path = ''] = text.split(' ');
  const [namespace, name] = path.includes('/') ? path.split('/') : [undefined, path];
  return { resource: `${kind.toLowerCase()}s`, name: name ?? '', ...(namespace && { namespace }) };
};
const viewed = (text: string, asks: string[] = [], collector?: string) => {
  const of = { ...bound(text), ...(collector && { statusCollectors: [collector] }) };
  return boundView(of, text.split(' ')[0] ?? '', new Set(asks));
};
const by = (labels: Record<string, string>): PolicyOptions => ({
  clusterSelectors: [{ matchLabels: labels }],
});
interface StateOptions extends PolicyOptions {
  sends?: string[];
  asks?: string[];
  collector?: string;
}
const state = (name: string, { sends = [], asks, collector, ...options }: StateOptions) => ({
  ...policy(name, { ...options, objects: sends.map(bound) }),
  bound: sends.map((text) => viewed(text, asks, collector)),
});
/** A work for each object. */
const sent = (wec: string, from: string, objects: string[], how: Partial<SentWork> = {}) =>
  objects.map((text, index): SentWork => {
    const { object } = viewed(text);
    const origin = { wds: 'wds1', binding: from, wec, bindingUid: uidOf(from) };
    const name = `${from}-${index}`;
    const work = { wec, name, uid: `${wec}-${name}`, origin, isOrphan: false, isLeaving: false };
    return { ...work, objects: [{ ...object, isApplied: true }], ...how };
  });
const worldOf = (policies: PolicyState[], works: SentWork[], more: Partial<World> = {}): World => ({
  policies,
  works: Map.groupBy(works, ({ wec }) => wec),
  foreign: [],
  unread: [],
  ...more,
});
const changed = (name: string, before: Record<string, string>, to: ValueChanges, isNew = false) =>
  wecChange(
    {
      cluster: { metadata: { name, labels: before }, spec: { hubAcceptsClient: true } },
      configMap: undefined,
    },
    to,
    isNew,
  );
/** Rows as `removed ConfigMap shop/a on c1 by shop`. */
const rowsOf = (world: World, ...changes: (WecChange | Change)[]) =>
  forecast(
    world,
    changes.reduce<Change>(
      (all, each) => ('after' in each ? { wecs: [...(all.wecs ?? []), each] } : each),
      {},
    ),
  )
    .rows.map(
      ({ effect, object, wec, policy: of }) =>
        `${effect} ${[object?.kind, [object?.namespace, object?.name].filter(Boolean).join('/')].filter(Boolean).join(' ')} on ${wec} by ${of}`,
    )
    .sort();

describe('removing labels from a WEC', () => {
  const labels = { env: 'prod', 'feature.open-cluster-management.io/addon-x': 'available' };
  const after = { 'feature.open-cluster-management.io/addon-x': 'available' };
  const change = { name: 'm1', before: labels, after };
  const effect = (clusterSelectors: LabelSelector[]) =>
    selectionChange(policy('p', { clusterSelectors }), change);
  const operation = (operator: string, values?: string[], key = 'env') => [
    { matchExpressions: [{ key, operator, ...(values && { values }) }] },
  ];
  test('releases it from policies that select by them', () => {
    assert.equal(effect([{ matchLabels: { env: 'prod' } }]), 'released');
    assert.equal(effect(operation('In', ['prod'])), 'released');
    assert.equal(effect(operation('Exists')), 'released');
  });
  test('makes policies select it that select by their absence', () => {
    assert.equal(effect(operation('NotIn', ['prod'])), 'starting');
    assert.equal(effect(operation('DoesNotExist')), 'starting');
  });
  test("leaves it to policies that select by OCM's labels, or everything", () => {
    assert.equal(effect([{}]), 'staying');
    assert.equal(
      effect(operation('Exists', undefined, 'feature.open-cluster-management.io/addon-x')),
      'staying',
    );
    assert.equal(effect(operation('NotIn', ['dev'])), 'staying');
    assert.equal(effect([{ matchLabels: { env: 'prod' } }, {}]), 'staying');
  });
  test('does not affect others', () =>
    assert.equal(effect([{ matchLabels: { env: 'dev' } }]), undefined));
  test('does not release it from a Binding without a policy', () => {
    const orphaned = (wec: string) => policy('p', { orphaned: true, destinations: [wec] });
    assert.deepEqual(
      [selectionChange(orphaned('m1'), change), selectionChange(orphaned('m2'), change)],
      ['staying', undefined],
    );
  });
});

describe('an object of a policy that no longer selects a WEC', () => {
  const sends = ['Namespace shop', 'ConfigMap shop/a'];
  const shop = state('shop', { ...by({ env: 'prod' }), destinations: ['c1', 'c2'], sends });
  const gone = changed('c1', { env: 'prod' }, { labels: { env: null } });
  const works = [...sent('c1', 'shop', sends), ...sent('c2', 'shop', sends)];
  const rows = (more: SentWork[], policies: PolicyState[] = [], change = gone) =>
    rowsOf(worldOf([shop, ...policies], [...works, ...more]), change);
  const removed = [
    'removed ConfigMap shop/a on c1 by shop',
    'removed Namespace shop on c1 by shop',
  ];
  test('is removed there, and only what works have is: by an absence as well', () => {
    assert.deepEqual(rows([]), removed);
    const absent = { matchExpressions: [{ key: 'quarantine', operator: 'DoesNotExist' }] };
    const pay = state('pay', { clusterSelectors: [absent], destinations: ['c1'], sends });
    const quarantine = changed('c1', {}, { labels: { quarantine: 'true' } });
    assert.deepEqual(rowsOf(worldOf([pay], sent('c1', 'pay', ['ConfigMap x/b'])), quarantine), [
      'removed ConfigMap x/b on c1 by pay',
    ]);
    assert.deepEqual(rowsOf(worldOf([pay], []), quarantine), []);
  });
  test('stays if another work that stays has applied it, or its work leaves it', () => {
    const other = state('other', { destinations: ['c1'], sends });
    const kept = ['kept ConfigMap shop/a on c1 by shop', 'kept Namespace shop on c1 by shop'];
    assert.deepEqual(rows(sent('c1', 'other', sends), [other]), kept);
    const byHand = { origin: undefined };
    assert.deepEqual(rows(sent('c1', 'x', sends, byHand)), kept);
    const orphans = sent('c1', 'shop', sends, { isOrphan: true });
    assert.deepEqual(rowsOf(worldOf([shop], orphans), gone), kept);
    // Works of another Binding of that name, of another hosting cluster, stay as well.
    const origin = { wds: 'wds1', binding: 'shop', wec: 'c1', bindingUid: uidOf('x') };
    assert.deepEqual(rows(sent('c1', 'shop', sends, { origin })), kept);
  });
  test('is recreated if another work has not applied it yet, or is created by the same change', () => {
    const open = { objects: [{ ...viewed('ConfigMap shop/a').object, isApplied: false }] };
    assert.deepEqual(
      rowsOf(
        worldOf(
          [shop],
          [...sent('c1', 'shop', ['ConfigMap shop/a']), ...sent('c1', 'x', [''], open)],
        ),
        gone,
      ),
      ['recreated ConfigMap shop/a on c1 by shop'],
    );
    const next = state('next', { ...by({ env: 'dev' }), sends });
    const moved = changed('c1', { env: 'prod' }, { labels: { env: 'dev' } });
    assert.deepEqual(rows([], [next], moved), [
      'recreated ConfigMap shop/a on c1 by shop',
      'recreated Namespace shop on c1 by shop',
    ]);
  });
  test('stays if one of several works has applied it, and is not created again by a policy that stops', () => {
    const of = (isApplied: boolean) => ({
      objects: [{ ...viewed('ConfigMap shop/a').object, isApplied }],
    });
    const two = [...sent('c1', 'x', [''], of(true)), ...sent('c1', 'y', [''], of(false))];
    const own = sent('c1', 'shop', ['ConfigMap shop/a']);
    assert.deepEqual(rowsOf(worldOf([shop], [...own, ...two]), gone), [
      'kept ConfigMap shop/a on c1 by shop',
    ]);
    const stopped = state('next', { ...by({ tier: 'web' }), sends, asks: ['region'] });
    const moved = changed('c1', { env: 'prod' }, { labels: { env: null, tier: 'web' } });
    assert.deepEqual(
      rowsOf(worldOf([shop, stopped], own), moved).filter((row) => row.endsWith('shop')),
      ['removed ConfigMap shop/a on c1 by shop'],
    );
  });
  test('goes with its Namespace, whoever sends it', () => {
    const other = state('other', {
      destinations: ['c1'],
      sends: ['ConfigMap shop/a', 'Secret shop/b'],
    });
    assert.deepEqual(
      rows(sent('c1', 'other', ['ConfigMap shop/a', 'Secret shop/b']), [other]),
      [...removed, 'removed Secret shop/b on c1 by other'].sort(),
    );
    // Nothing is created in a Namespace that is gone, by a work that has not been applied yet either.
    const object = { ...viewed('ConfigMap shop/a').object, isApplied: false };
    assert.deepEqual(rows(sent('c1', 'other', [''], { objects: [object] }), [other]), removed);
  });
  test('is not kept by a work of a WDS that could not be read', () => {
    const unread = [{ wds: 'wds2', why: 'forbidden' }];
    const world = worldOf([shop], [...works, ...sent('c1', 'x', sends)], { unread });
    assert.deepEqual(rowsOf(world, gone), [...removed, 'unknown  on null by null']);
  });
  test('is not kept by a work that goes as well, or is being deleted', () => {
    const twin = state('twin', { ...by({ env: 'prod' }), destinations: ['c1'], sends });
    assert.deepEqual(rows(sent('c1', 'twin', sends), [twin]).length, 4);
    assert.deepEqual(rows(sent('c1', 'x', sends, { isLeaving: true })), removed);
  });
});

describe('what a command takes away is one number, whatever the number of policies', () => {
  const names = Array.from({ length: 6 }, (_, index) => `c${index + 1}`);
  const released = (count: number) =>
    names.slice(0, count).map((name) => changed(name, { name }, { labels: { name: null } }));
  test('six policies, each of one WEC', () => {
    const policies = names.map((name) => state(name, { ...by({ name }), destinations: [name] }));
    const works = names.flatMap((name) => sent(name, name, ['ConfigMap a/a']));
    const seen = forecast(worldOf(policies, works), { wecs: released(6) });
    assert.equal(seen.released.length, 6);
    const leaving = ['c7', 'c1'].map((wec) => ({ object: 'its registration', wec }));
    const counted = removalsOf([...leaving, ...lostBy(seen)], 6, seen.sentTo);
    assert.deepEqual(counted, { wecs: 7, of: 6, max: 6 });
  });
  test('a policy whose template asks for what one WEC loses is sent to none', () => {
    const sends = ['ConfigMap a/a'];
    const all = { clusterSelectors: [{}], sends };
    const policies = [
      state('all', { ...all, destinations: names, asks: ['name', 'x'] }),
      state('elsewhere', { ...all, destinations: ['c9'], asks: ['name'] }),
      state('plain', { ...all, destinations: names, asks: ['x'] }),
    ];
    const works = ['all', 'plain'].flatMap((from) =>
      names.flatMap((name) => sent(name, from, ['ConfigMap a/a'])),
    );
    const seen = forecast(worldOf(policies, works), { wecs: released(1) });
    assert.deepEqual(
      seen.released.map((each) => [each.policy.name, each.wecs, each.lacking]),
      [['all', names, 'name of c1']],
    );
    assert.deepEqual(
      seen.rows.map(({ effect, wec }) => `${effect} ${wec}`),
      names.map((name) => `kept ${name}`),
    );
    const alone = forecast(worldOf(policies.slice(0, 2), works.slice(0, 6)), { wecs: released(1) });
    const counted = removalsOf(lostBy(alone), undefined, alone.sentTo);
    assert.deepEqual(counted, { wecs: 6, of: 7, max: undefined });
  });
});

describe('a WEC that a policy starts to select', () => {
  const sends = ['ConfigMap conf/a'];
  const options = { ...by({ env: 'prod' }), destinations: ['c1', 'c2'], sends };
  const conf = state('conf', { ...options, asks: ['region', 'env'] });
  const works = ['c1', 'c2'].flatMap((wec) => sent(wec, 'conf', sends));
  const labels = { env: 'prod' };
  test('and lacks a property of its templates takes it from all others', () => {
    const lost = ['c1', 'c2'].map((wec) => `removed ConfigMap conf/a on ${wec} by conf`);
    const blocked = 'blocked ConfigMap conf/a on c3 by conf';
    const world = worldOf([conf], works);
    assert.deepEqual(rowsOf(world, changed('c3', {}, { labels })), [blocked, ...lost]);
    // Once it is accepted, although it has the labels already.
    assert.deepEqual(rowsOf(world, changed('c3', labels, {}, true)), [blocked, ...lost]);
    assert.deepEqual(rowsOf(world, changed('c3', labels, {})), []);
  });
  test('and no longer selects another one that lacks a property then is interrupted', () => {
    const change = changed('c1', { ...labels, region: 'eu' }, { labels: { env: null } });
    const world = worldOf([conf], works);
    assert.deepEqual(rowsOf(world, change), [
      'recreated ConfigMap conf/a on c2 by conf',
      'removed ConfigMap conf/a on c1 by conf',
    ]);
    const released = forecast(world, { wecs: [change] }).released.map(({ wecs, lacking }) => [
      wecs,
      lacking,
    ]);
    assert.deepEqual(released, [
      [['c1'], undefined],
      [['c2'], 'env of c1'],
    ]);
  });
  test('gets its objects, if it is accepted', () => {
    const data = { region: 'eu' };
    const world = worldOf([conf], works);
    assert.deepEqual(rowsOf(world, changed('c3', {}, { labels, data })), [
      'added ConfigMap conf/a on c3 by conf',
    ]);
    // The transport handles WECs in the order of their names, and stops at the first without a mailbox.
    const next = (name: string) => changed(name, {}, { labels, data });
    const waiting = (name: string) => ({ ...next(name), isAccepted: false });
    assert.deepEqual(rowsOf(world, waiting('c4'), waiting('c3'), next('c2b')), [
      'added ConfigMap conf/a on c2b by conf',
      'blocked ConfigMap conf/a on c3 by conf',
      'blocked ConfigMap conf/a on c4 by conf',
    ]);
  });
  test('can be sent something once it is accepted', () => {
    const cluster = { metadata: { name: 'c3', labels } };
    const accepted = (isNew: boolean) =>
      wecChange({ cluster, configMap: undefined }, {}, isNew).isAccepted;
    assert.deepEqual([accepted(true), accepted(false)], [true, false]);
  });
  test('may do so without labels, by a policy that selects by absence', () => {
    const bySelectors = [{ matchExpressions: [{ key: 'quarantine', operator: 'DoesNotExist' }] }];
    const absent = state('conf', { ...options, clusterSelectors: bySelectors, asks: ['region'] });
    const accepted = changed('c3', {}, {}, true);
    assert.deepEqual(rowsOf(worldOf([absent], works), accepted), [
      'blocked ConfigMap conf/a on c3 by conf',
      ...['c1', 'c2'].map((wec) => `removed ConfigMap conf/a on ${wec} by conf`),
    ]);
  });
  test('changes by labels, unless it has none that policies may select by', () => {
    const isByLabels = (...of: Parameters<typeof changed>) =>
      forecast(worldOf([], []), { wecs: [changed(...of)] }).isByLabels;
    const ofOcm = { 'feature.open-cluster-management.io/addon-x': 'available' };
    assert.deepEqual(
      [isByLabels('c3', ofOcm, {}, true), isByLabels('c3', labels, {}, true)],
      [false, true],
    );
    assert.equal(isByLabels('c3', labels, { labels: { env: null } }), true);
  });
  test('and has an object that no work has applied loses that', () => {
    const { object } = viewed('ConfigMap conf/a');
    const world = worldOf([state('conf', options)], works, { foreign: [{ wec: 'c3', object }] });
    const change = changed('c3', {}, { labels });
    assert.deepEqual(rowsOf(world, change), ['taken-over ConfigMap conf/a on c3 by conf']);
    assert.deepEqual(unforeseenIn(forecast(world, { wecs: [change] })), [
      'conf (wds1) would overwrite what no work has applied: ConfigMap conf/a on c3',
    ]);
  });
});

describe('statuses that KubeStellar would confuse', () => {
  const s1 = state('s1', {
    ...by({ a: '1' }),
    destinations: ['c1'],
    sends: ['Deployment s1/web'],
    collector: 'replicas',
  });
  const s2 = state('s2', { ...by({ b: '1' }), destinations: ['c2'], sends: ['Deployment s2/web'] });
  const confused = (policies: PolicyState[], name: string, labels: Record<string, string>) =>
    unforeseenIn(forecast(worldOf(policies, []), { wecs: [changed(name, {}, { labels })] }));
  const says =
    /on c\d, KubeStellar would confuse the statuses of Deployment s\d\/web and Deployment s\d\/web, and crash/;
  test('are those of namesakes of which either one is combined', () => {
    assert.match(String(confused([s1, s2], 'c2', { a: '1' })), says);
    assert.match(String(confused([s1, s2], 'c1', { b: '1' })), says);
    const other = state('pay', { wds: 'wds2', destinations: ['c2'], sends: ['Deployment s3/web'] });
    assert.match(String(confused([s1, other], 'c2', { a: '1' })), says);
  });
  test('also if two policies start together', () => {
    assert.match(String(confused([s1, s2], 'c3', { a: '1', b: '1' })), says);
  });
  test('are not those of one object that two policies send', () => {
    const same = state('s2', {
      ...by({ b: '1' }),
      destinations: ['c2'],
      sends: ['Deployment s1/web'],
    });
    assert.deepEqual(confused([s1, same], 'c2', { a: '1' }), []);
  });
  test('are none on another WEC, without collectors, or in one policy that combines both', () => {
    assert.deepEqual(confused([s1, s2], 'c3', { a: '1' }), []);
    const plain = state('s1', {
      ...by({ a: '1' }),
      destinations: ['c1'],
      sends: ['Deployment s1/web'],
    });
    assert.deepEqual(confused([plain, s2], 'c2', { a: '1' }), []);
    const sends = ['Deployment s1/web', 'Deployment s2/web'];
    assert.deepEqual(
      confused([state('both', { ...by({ a: '1' }), sends, collector: 'x' })], 'c1', { a: '1' }),
      [],
    );
  });
});

describe('what is unknown', () => {
  const change = changed('c1', {}, { labels: { env: 'prod' } });
  const unknown = (policies: PolicyState[], works: SentWork[] = [], more: Partial<World> = {}) =>
    forecast(worldOf(policies, works, more), { wecs: [change] }).rows.flatMap(({ effect, why }) =>
      effect === 'unknown' ? why : [],
    );
  test('is what a Binding sends that lists nothing, although there are works of it', () => {
    const sends = ['ConfigMap s1/web'];
    const works = sent('c1', 'p', sends);
    assert.deepEqual(unknown([state('p', { sends, destinations: ['c1'] })], works), []);
    const without = { ...state('p', {}), binding: undefined, bound: undefined };
    const says = 'the Binding of p (wds1) lists nothing, and works of it are on c1';
    for (const each of [state('p', { sends }), state('p', { destinations: ['c1'] }), without])
      assert.deepEqual(unknown([each], works), [says]);
    assert.deepEqual(unknown([without]), []);
    assert.deepEqual(unknown([without], sent('c1', 'p', sends, { isLeaving: true })), []);
    const foreign = { wds: 'wds1', binding: 'p', wec: 'c1', bindingUid: uidOf('x') };
    const empty = state('p', { sends });
    assert.deepEqual(unknown([empty], sent('c1', 'p', sends, { origin: foreign })), []);
  });
  test('is what a policy sends that has just been created, if it concerns the WEC', () => {
    const fresh = {
      ...state('p', by({ env: 'prod' })),
      binding: undefined,
      bound: undefined,
      isFresh: true,
    };
    assert.deepEqual(unknown([fresh]), ['KubeStellar has not bound p (wds1) yet']);
    assert.deepEqual(unknown([{ ...fresh, clusterSelectors: [] }]), []);
  });
  test('is what a WDS sends that cannot be read', () =>
    assert.deepEqual(unknown([], [], { unread: [{ wds: 'wds2', why: 'It is silent' }] }), [
      'the binding policies of wds2 could not be read: It is silent',
    ]));
});

describe('a property that gets another value', () => {
  const labels = { region: 'eu', 'a/tier': 'web' };
  const of = (name: string, wec: string, key: string) =>
    state(name, {
      clusterSelectors: [{}],
      destinations: [wec],
      sends: ['ConfigMap a/a'],
      asks: [key],
    });
  const world = worldOf(
    [of('r1', 'c1', 'region'), of('s1', 'c1', 'size'), of('r2', 'c2', 'region')],
    [],
  );
  test('leaves the works stale whose templates use it', () => {
    const change = changed('c1', labels, { labels: { region: 'us', 'a/tier': 'db', size: 'new' } });
    assert.deepEqual([change.stale, change.lacks], [['region'], []]);
    assert.deepEqual(rowsOf(world, change), ['stale ConfigMap a/a on c1 by r1']);
  });
  test('leaves nothing stale of a policy that no longer selects the WEC, or stops', () => {
    const one = (name: string, asks: string[], labels_: Record<string, string>) =>
      state(name, { ...by(labels_), destinations: ['c1'], sends: ['ConfigMap a/a'], asks });
    const change = changed(
      'c1',
      { region: 'eu', env: 'prod' },
      { labels: { region: 'us', env: null } },
    );
    const left = one('left', ['region'], { env: 'prod' });
    const stops = { ...one('stops', ['region', 'env'], {}), clusterSelectors: [{}] };
    const works = ['left', 'stops'].flatMap((from) => sent('c1', from, ['ConfigMap a/a']));
    assert.deepEqual(rowsOf(worldOf([left, stops], works), change), [
      'removed ConfigMap a/a on c1 by left',
      'removed ConfigMap a/a on c1 by stops',
    ]);
  });
  test('leaves none stale that are rewritten, because WECs start or stop to be selected', () => {
    const eu = { env: 'prod', region: 'eu' };
    const conf = state('conf', {
      ...{ ...by({ env: 'prod' }), destinations: ['c1', 'c4'], sends: ['ConfigMap a/a'] },
      asks: ['region'],
    });
    const both = ['c1', 'c4'].flatMap((wec) => sent(wec, 'conf', ['ConfigMap a/a']));
    const rows = (...more: WecChange[]) => {
      const values = (name: string) => changed(name, eu, { labels: { region: 'us' } });
      return rowsOf(worldOf([conf], both), values('c1'), values('c4'), ...more);
    };
    const starting = changed('c2', { region: 'eu' }, { labels: { env: 'prod' } });
    const [c1, c4] = ['c1', 'c4'].map((wec) => `stale ConfigMap a/a on ${wec} by conf`);
    assert.deepEqual(rows(), [c1, c4]);
    assert.deepEqual(rows(starting), ['added ConfigMap a/a on c2 by conf']);
    // The transport stops at a WEC without a mailbox.
    const blocked = 'blocked ConfigMap a/a on c2 by conf';
    assert.deepEqual(rows({ ...starting, isAccepted: false }), [blocked, c4]);
  });
  test('leaves nothing stale if another source hides it', () => {
    const cluster = { metadata: { name: 'c1', labels } };
    const configMap = { metadata: { name: 'c1' }, data: { region: 'fr' } };
    const change = wecChange({ cluster, configMap }, { labels: { region: 'us' } });
    assert.deepEqual([change.stale, rowsOf(world, change)], [[], []]);
  });
});

describe('a policy that changes', () => {
  const sends = ['Namespace shop', 'ConfigMap shop/a'];
  const shop = state('shop', { destinations: ['c1', 'c2'], sends });
  const works = ['c1', 'c2'].flatMap((wec) => sent(wec, 'shop', sends));
  /** @param wecs `c1` or, without a mailbox, `c1!` */
  const rows = (wecs: string[], objects: string[], more: Partial<PolicyChange['after']> = {}) => {
    const after = {
      wecs: wecs.map((name) => ({ name: name.replace('!', ''), isAccepted: !name.endsWith('!') })),
      objects: objects.map((text) => viewed(text)),
      unread: [],
      ...more,
    };
    return rowsOf(worldOf([shop], works), { policies: [{ wds: 'wds1', name: 'shop', after }] });
  };
  const both = ['c1', 'c2'];
  test('takes what it no longer selects, and WECs that it no longer selects', () => {
    assert.deepEqual(rows(both, sends), []);
    assert.deepEqual(rows(both, ['Namespace shop']), [
      'removed ConfigMap shop/a on c1 by shop',
      'removed ConfigMap shop/a on c2 by shop',
    ]);
    assert.deepEqual(rows(['c1'], sends), [
      'removed ConfigMap shop/a on c2 by shop',
      'removed Namespace shop on c2 by shop',
    ]);
  });
  test('adds what it has not sent, up to the first WEC that is not accepted', () => {
    assert.deepEqual(
      rows(['c1', 'c2', 'c3!', 'c4'], [...sends, 'Secret shop/b']),
      [
        'added Secret shop/b on c1 by shop',
        'added Secret shop/b on c2 by shop',
        ...['c3', 'c4'].flatMap((wec) => [
          `blocked ConfigMap shop/a on ${wec} by shop`,
          `blocked Namespace shop on ${wec} by shop`,
          `blocked Secret shop/b on ${wec} by shop`,
        ]),
      ].sort(),
    );
  });
  test('is sent to no WEC if one object cannot be sent', () => {
    assert.deepEqual(rows(both, sends, { stops: 'WEC c1 lacks a property' }).length, 4);
  });
  test('may take what could not be read', () => {
    const unread = [{ kind: 'ConfigMap', group: '', why: 'configmaps could not be read' }];
    assert.deepEqual(rows(both, ['Namespace shop'], { unread }), [
      'unknown ConfigMap shop/a on c1 by shop',
      'unknown ConfigMap shop/a on c2 by shop',
    ]);
    const effectsOf = (kind: string | null, group: string) =>
      rows(both, ['Namespace shop'], { unread: [{ kind, group, why: '' }] }).map(
        (row) => row.split(' ')[0],
      );
    assert.deepEqual(effectsOf('ConfigMap', 'x.io'), ['removed', 'removed']);
    for (const group of ['', anyGroup])
      assert.deepEqual(effectsOf(null, group), ['unknown', 'unknown']);
    assert.deepEqual(effectsOf(null, 'x.io'), ['removed', 'removed']);
    const wecs = [{ kind: null, group: null, why: 'WECs could not be read' }];
    assert.deepEqual(rows([], sends, { unread: wecs }), ['unknown  on null by shop']);
  });
  test('is measured by the WECs that it is sent to itself', () => {
    const other = state('other', { destinations: ['c7', 'c8', 'c9'], sends });
    const change = { wds: 'wds1', name: 'shop', after: null };
    const world = worldOf([shop, other], works);
    assert.equal(forecast(world, { policies: [change] }).sentTo, 2);
    assert.equal(forecast(world, {}).sentTo, 5);
  });
  test('takes everything if it is deleted, unless its works leave their objects', () => {
    const change = { wds: 'wds1', name: 'shop', after: null };
    const deleted = (keepsWorkloads: boolean) =>
      rowsOf(worldOf([shop], works), { policies: [{ ...change, keepsWorkloads }] });
    assert.deepEqual(
      deleted(false).map((row) => row.split(' ')[0]),
      Array(4).fill('removed'),
    );
    assert.deepEqual(
      deleted(true).map((row) => row.split(' ')[0]),
      Array(4).fill('kept'),
    );
  });
});

test('a WEC that is deregistered loses all, unless its works or its agent are gone', () => {
  const works = [...sent('c1', 'p', ['ConfigMap a/a']), ...sent('c2', 'p', ['ConfigMap a/a'])];
  const leaving = (keepsWorkloads: boolean) =>
    rowsOf(worldOf([], works), { leaving: [{ name: 'c1', keepsWorkloads }] });
  assert.deepEqual(leaving(false), ['removed ConfigMap a/a on c1 by p']);
  assert.deepEqual(leaving(true), ['kept ConfigMap a/a on c1 by p']);
});

describe('a policy that sends to a WEC that is not accepted', () => {
  const sends = ['ConfigMap a/a'];
  const shop = state('shop', { ...by({ env: 'prod' }), destinations: ['c1', 'c9'], sends });
  // Its Binding has let go of c2 and of an object, and nothing of that has been deleted yet.
  const works = [
    ...sent('c1', 'shop', ['ConfigMap a/a', 'ConfigMap a/old']),
    ...sent('c2', 'shop', sends),
  ];
  const rows = (labels: Record<string, string | null>, wasAccepted: boolean, isAccepted: boolean) =>
    rowsOf(worldOf([shop], works), {
      ...changed('c9', { env: 'prod' }, { labels }),
      ...{ wasAccepted, isAccepted },
    });
  const removed = ['removed ConfigMap a/a on c2 by shop', 'removed ConfigMap a/old on c1 by shop'];
  test('deletes what was held once that WEC is accepted, or no longer selected', () => {
    assert.deepEqual(rows({ env: null }, false, false), removed);
    assert.deepEqual(rows({}, false, true), removed);
  });
  test('deletes nothing while it still does', () => {
    assert.deepEqual(rows({ x: 'y' }, false, false), []);
    assert.deepEqual(rows({ x: 'y' }, true, true), []);
  });
});

describe('a work', () => {
  const sends = ['Namespace shop', 'ConfigMap shop/a'];
  const shop = state('shop', { ...by({ env: 'prod' }), destinations: ['c1'], sends });
  const pay = state('pay', {
    ...by({ tier: 'web' }),
    destinations: ['c1'],
    sends: ['ConfigMap pay/a'],
  });
  const change = changed('c1', { env: 'prod', tier: 'web' }, { labels: { env: null } });
  const worksOf = (world: World, of: Change = { wecs: [change] }) =>
    forecast(world, of).works.map(({ policy: from, name, goes }) => [from, name, goes]);
  const works = [...sent('c1', 'shop', sends), ...sent('c1', 'pay', ['ConfigMap pay/a'])];
  test('goes if all its objects do, and stays otherwise', () => {
    assert.deepEqual(worksOf(worldOf([shop, pay], works)), [
      ['shop', 'shop-0', true],
      ['shop', 'shop-1', true],
      ['pay', 'pay-0', false],
    ]);
    const both = sent('c1', 'shop', ['ConfigMap shop/a'], {
      objects: sends.map((text) => ({ ...viewed(text).object, isApplied: true })),
    });
    const fewer = {
      wds: 'wds1',
      name: 'shop',
      after: { objects: [viewed(sends[0] ?? '')], unread: [] },
    };
    assert.deepEqual(worksOf(worldOf([shop], both), { policies: [fewer] }), [
      ['shop', 'shop-0', false],
    ]);
  });
  test('is left out if it goes already, or comes from no policy that is known', () => {
    const leaving = sent('c1', 'shop', sends, { isLeaving: true });
    const byHand = sent('c1', 'shop', sends, { origin: undefined });
    assert.deepEqual(
      worksOf(worldOf([shop], [...leaving, ...byHand, ...sent('c1', 'other', sends)])),
      [],
    );
  });
  test('is left out if its policy is unknown, or KubeStellar may crash', () => {
    const empty = policy('shop', { ...by({ env: 'prod' }), destinations: ['c1'] });
    assert.deepEqual(worksOf(worldOf([empty, pay], works)), [['pay', 'pay-0', false]]);
    const namesakes = ['shop', 'pay'].map((name) =>
      state(name, {
        ...by({ [name]: 'x' }),
        destinations: ['c1'],
        sends: [`Deployment ${name}/web`],
        collector: 'c',
      }),
    );
    const created = { collectors: [{ wds: 'wds1', name: 'c' }] };
    assert.deepEqual(worksOf(worldOf(namesakes, works), created), []);
  });
});

test('Bindings name the WECs that their policies select after a change of WECs, whatever templates lack', () => {
  const shop = state('shop', { ...by({ env: 'prod' }), destinations: ['c2', 'c1'], asks: ['x'] });
  const world = worldOf([shop, state('pay', { ...by({ env: 'test' }), destinations: ['c9'] })], []);
  const wecs = [
    changed('c1', { env: 'prod' }, { labels: { env: null } }),
    changed('c0', {}, { labels: { env: 'prod' } }),
  ];
  assert.deepEqual(forecast(world, { wecs }).bindings, [
    { wds: 'wds1', policy: 'shop', wecs: ['c0', 'c2'], isKnown: true },
    { wds: 'wds1', policy: 'pay', wecs: ['c9'], isKnown: true },
  ]);
});

test('the Binding of a policy that changes names what it sends then, and is unknown if part of that is unread', () => {
  const shop = state('shop', { ...by({ env: 'prod' }), destinations: ['c2', 'c1'] });
  const world = worldOf([shop, state('pay', by({ env: 'test' }))], []);
  const bindingsOf = (after: Sends | null) =>
    forecast(world, { policies: [{ wds: 'wds1', name: 'shop', after }] }).bindings;
  const of = { group: '', resource: 'configmaps', namespace: 'shop', name: 'a' };
  const sends = {
    wecs: ['c3', 'c1'].map((name) => ({ name, isAccepted: true })),
    objects: [boundView(of, 'ConfigMap')],
    unread: [],
  };
  const expected = { wds: 'wds1', policy: 'shop', wecs: ['c1', 'c3'] };
  const objects = ['/configmaps/shop/a'];
  assert.deepEqual(bindingsOf(sends), [{ ...expected, objects, isKnown: true }]);
  const unread = [{ kind: 'ConfigMap', group: '', why: 'no' }];
  assert.deepEqual(bindingsOf({ ...sends, unread }), [{ ...expected, objects, isKnown: false }]);
  assert.deepEqual(bindingsOf(null), []);
});

test('a collector or a transform of another WDS does nothing', () => {
  const options = { ...by({ env: 'prod' }), destinations: ['c1'], collector: 'c' };
  const both = ['shop', 'pay'].map((name) =>
    state(name, { ...options, sends: [`Deployment ${name}/web`] }),
  );
  const of = (wds: string): Change => ({
    collectors: [{ wds, name: 'c' }],
    transforms: [{ wds, name: 't', group: '', resource: 'deployments' }],
  });
  assert.deepEqual(rowsOf(worldOf(both, []), of('wds2')), []);
  assert.equal(rowsOf(worldOf(both, []), of('wds1')).length, 4);
});
