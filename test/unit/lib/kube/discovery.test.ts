import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StellarError } from '../../../../src/lib/engine/errors.ts';
import { discover, discoverKinds } from '../../../../src/lib/kube/discovery.ts';

const all = ['create', 'list', 'watch'];
const reader = (answers: Record<string, object>) => ({
  read: async (path: string, accept?: string) => {
    if (path === '/apis/broken/v1') throw new StellarError('api-error', 'the API service does not answer');
    assert.match(
      path === '/api' || path === '/apis' ? (accept ?? '') : 'aPIGroupDiscoveryList',
      /APIGroupDiscoveryList/i,
    );
    return answers[path] as never;
  },
});

describe('the kinds of a server are discovered', () => {
  const resource = (plural: string, kind: string, verbs = all, scope = 'Namespaced') => ({
    resource: plural,
    responseKind: { kind },
    scope,
    verbs,
    singularResource: kind.toLowerCase(),
    shortNames: plural === 'pods' ? ['po'] : [],
  });
  const aggregated = {
    '/api': { items: [{ metadata: {}, versions: [{ version: 'v1', resources: [resource('pods', 'Pod')] }] }] },
    '/apis': {
      items: [
        {
          metadata: { name: 'example.com' },
          versions: [
            { version: 'v1', resources: [resource('gadgets', 'Gadget'), resource('orders', 'Order', ['create'])] },
            { version: 'v1beta1', resources: [resource('gadgets', 'Gadget'), resource('old', 'Old', all, 'Cluster')] },
          ],
        },
        { metadata: { name: 'stale.io' }, versions: [{ version: 'v1', freshness: 'Stale' }] },
      ],
    },
  };
  const listed = {
    '/api': { versions: ['v1'], aliases: ['pod', 'po'] },
    '/api/v1': {
      resources: [
        { ...{ name: 'pods', kind: 'Pod', singularName: 'pod', shortNames: ['po'] }, namespaced: true, verbs: all },
        { name: 'pods/log', kind: 'Pod', namespaced: true, verbs: all },
      ],
    },
    '/apis': {
      groups: [
        {
          preferredVersion: { groupVersion: 'example.com/v1' },
          versions: [{ groupVersion: 'example.com/v1beta1' }, { groupVersion: 'example.com/v1' }],
        },
        { versions: [{ groupVersion: 'broken/v1' }] },
      ],
    },
    '/apis/example.com/v1': {
      resources: [
        { name: 'gadgets', kind: 'Gadget', singularName: 'gadgets'.replace(/s$/, ''), namespaced: true, verbs: all },
        { name: 'orders', kind: 'Order', namespaced: true, verbs: ['create'] },
      ],
    },
    '/apis/example.com/v1beta1': {
      resources: [
        { name: 'gadgets', kind: 'Gadget', singularName: 'gadgets'.replace(/s$/, ''), namespaced: true, verbs: all },
        { name: 'old', kind: 'Old', singularName: 'old'.replace(/s$/, ''), namespaced: false, verbs: all },
      ],
    },
  };
  const expected = [
    { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true, versions: ['v1'], aliases: ['pod', 'po'] },
    {
      ...{ apiVersion: 'example.com/v1', kind: 'Gadget', plural: 'gadgets', namespaced: true },
      versions: ['example.com/v1', 'example.com/v1beta1'],
      aliases: ['gadget'],
    },
    {
      ...{ apiVersion: 'example.com/v1beta1', kind: 'Old', plural: 'old', namespaced: false },
      versions: ['example.com/v1beta1'],
      aliases: ['old'],
    },
  ];
  test('in the preferred version of each group, from two responses', async () =>
    assert.deepEqual(await discoverKinds(reader(aggregated)), expected));
  test('and the same from a server without aggregated discovery, without an API that does not answer', async () =>
    assert.deepEqual(await discoverKinds(reader(listed)), expected));
  test('with the APIs whose kinds are not known', async () => {
    assert.deepEqual((await discover(reader(aggregated), [])).unseen, ['stale.io/v1']);
    assert.deepEqual((await discover(reader(listed), [])).unseen, ['broken/v1']);
    assert.deepEqual((await discover(reader({ '/api': {} }), [])).unseen, ['/api', '/apis']);
  });
});
