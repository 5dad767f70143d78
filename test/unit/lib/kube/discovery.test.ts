import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { discover, discoverKinds } from '../../../../src/lib/kube/discovery.ts';
import { matches } from '../../support/steps.ts';

const all = ['create', 'list', 'watch'];
const reader = (answers: Record<string, object>) => ({
  read: async (path: string, accept?: string) => {
    matches(accept, /APIGroupDiscoveryList/);
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
    '/api': {
      items: [
        { metadata: {}, versions: [{ version: 'v1', resources: [resource('pods', 'Pod')] }] },
      ],
    },
    '/apis': {
      items: [
        {
          metadata: { name: 'example.com' },
          versions: [
            {
              version: 'v1',
              resources: [resource('gadgets', 'Gadget'), resource('orders', 'Order', ['create'])],
            },
            {
              version: 'v1beta1',
              resources: [resource('gadgets', 'Gadget'), resource('old', 'Old', all, 'Cluster')],
            },
          ],
        },
        { metadata: { name: 'stale.io' }, versions: [{ version: 'v1', freshness: 'Stale' }] },
      ],
    },
  };
  const expected = [
    {
      apiVersion: 'v1',
      kind: 'Pod',
      plural: 'pods',
      namespaced: true,
      versions: ['v1'],
      aliases: ['pod', 'po'],
    },
    {
      apiVersion: 'example.com/v1',
      kind: 'Gadget',
      plural: 'gadgets',
      namespaced: true,
      versions: ['example.com/v1', 'example.com/v1beta1'],
      aliases: ['gadget'],
    },
    {
      apiVersion: 'example.com/v1beta1',
      kind: 'Old',
      plural: 'old',
      namespaced: false,
      versions: ['example.com/v1beta1'],
      aliases: ['old'],
    },
  ];
  test('in the preferred version of each group, from two responses', async () =>
    assert.deepEqual(await discoverKinds(reader(aggregated)), expected));
  test('with the APIs whose kinds are not known', async () => {
    assert.deepEqual((await discover(reader(aggregated), [])).unseen, ['stale.io/v1']);
  });
  test('and not of an older server, which answers in another form', async () => {
    const older = { '/api': { versions: ['v1'] }, '/apis': { groups: [] } };
    for (const answers of [older, {}])
      await assert.rejects(discover(reader(answers), []), {
        code: 'api-error',
        message: /Kubernetes 1\.27 and later/,
      });
  });
});
