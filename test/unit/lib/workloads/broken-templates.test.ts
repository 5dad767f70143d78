import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { type AffectedWec, brokenByRemoval, lostProperties } from '../../../../src/lib/workloads/broken-templates.ts';
import { fakeKube } from '../../support/builders.ts';
import { type PolicyOptions, policy } from '../../support/policy-builders.ts';

const template = (name: string, text: string) => ({
  metadata: { name, annotations: { 'control.kubestellar.io/expand-templates': 'true' } },
  data: { a: text },
});
const bound = (name: string) => ({ group: '', version: 'v1', resource: 'configmaps', namespace: 'web', name });
const holding = (...objects: object[]) => fakeKube({ list: async () => objects as never });
const region = (options: PolicyOptions = {}) =>
  policy('demo', {
    clusterSelectors: [{ matchLabels: { tier: 'edge' } }],
    destinations: ['m1', 'm2'],
    objects: [bound('regional')],
    reader: holding(template('regional', '{{.region}}'), template('not-selected', '{{.region}}')),
    ...options,
  });
const losing = (wec: Partial<AffectedWec> = {}): AffectedWec => ({
  ...{ name: 'm1', lost: ['region'], labels: { tier: 'edge' } },
  ...wec,
});
const broken = async (options: PolicyOptions, ...wecs: AffectedWec[]) =>
  (await brokenByRemoval([region(options)], wecs)).broken.map(({ policy: { name }, ...rest }) => ({ name, ...rest }));

describe('a template breaks', () => {
  const brokenRegion = { name: 'demo', object: 'configmaps web/regional', keys: ['region'], wecs: ['m1'] };
  test('if a WEC loses a property that it uses; the others lose their works as well', async () => {
    assert.deepEqual(await broken({}, losing()), [{ ...brokenRegion, others: ['m2'] }]);
  });
  test('even if the WEC leaves the policy by the same change: for a moment', async () => {
    const leaving = losing({ labels: {} });
    assert.deepEqual(await broken({}, leaving), [{ ...brokenRegion, others: ['m2'] }]);
  });
  test('for all WECs that lose it at once', async () => {
    const [both] = await broken({}, losing(), losing({ name: 'm2' }));
    assert.deepEqual([both?.wecs, both?.others], [['m1', 'm2'], []]);
  });
});

describe('no template breaks', () => {
  const unread = { list: async () => assert.fail('nothing is to be read') };
  test('if no used property is lost', async () => {
    assert.deepEqual(await broken({}, losing({ lost: ['tier'] })), []);
    assert.deepEqual(await broken({ reader: fakeKube(unread) }, losing({ lost: [] })), []);
  });
  test('if the policy does not send to the WEC', async () =>
    assert.deepEqual(await broken({ destinations: ['m2'], reader: fakeKube(unread) }, losing()), []));
  test('for others, if all WECs leave the policy', async () => {
    const leaving = losing({ labels: {} });
    assert.deepEqual(await broken({ destinations: ['m1'], reader: fakeKube(unread) }, leaving), []);
    assert.deepEqual(await broken({}, leaving, losing({ name: 'm2', labels: {} })), []);
  });
});

test('unreadable parts are reported', async () => {
  const silent = fakeKube({
    list: async () => {
      throw new StellarError('forbidden', 'Not allowed to list configmaps.');
    },
  });
  assert.deepEqual(await brokenByRemoval([region({ reader: silent })], [losing()]), {
    broken: [],
    unread: [{ wds: 'wds1', why: 'the objects of demo: Not allowed to list configmaps' }],
  });
});

describe('a property is lost', () => {
  const wec = (labels: Record<string, string>, annotations = {}, data?: Record<string, string>) => ({
    cluster: { metadata: { name: 'm1', labels, annotations } },
    configMap: data && { metadata: { name: 'm1' }, data },
  });
  const lost = (before: ReturnType<typeof wec>, after: ReturnType<typeof wec>) => lostProperties('m1', before, after);
  test('if no other source has it', () => {
    assert.deepEqual(lost(wec({ region: 'eu' }), wec({})), ['region']);
    assert.deepEqual(lost(wec({}, {}, { region: 'eu' }), wec({}, {}, {})), ['region']);
  });
  test('but not if one has', () => {
    assert.deepEqual(lost(wec({ region: 'eu' }, { region: 'x' }), wec({}, { region: 'x' })), []);
    assert.deepEqual(lost(wec({ region: 'eu' }, {}, { region: 'x' }), wec({}, {}, { region: 'x' })), []);
    assert.deepEqual(lost(wec({ clusterName: 'x' }), wec({})), [], 'it is built in');
  });
  test('and never if KubeStellar ignores it', () =>
    assert.deepEqual(lost(wec({ 'location-group': 'edge', 'a/b': 'c', type: 'd' }), wec({})), []));
});
