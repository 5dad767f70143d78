import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StellarError } from '../../../../../src/lib/core/errors.ts';
import type { KubeObject } from '../../../../../src/lib/kube/client/objects.ts';
import type { DiscoveredKind } from '../../../../../src/lib/kube/discovery.ts';
import {
  countsTwice,
  readContents,
  unservedBy,
} from '../../../../../src/lib/workloads/selection/wds-contents.ts';
import { fakeKube } from '../../../support/builders.ts';

const kind = (
  apiVersion: string,
  name: string,
  plural: string,
  versions = [apiVersion],
): DiscoveredKind => ({
  ...{ apiVersion, kind: name, plural, versions, aliases: [] },
  namespaced: plural !== 'namespaces',
});
const namespaces = kind('v1', 'Namespace', 'namespaces');
const deployments = kind('apps/v1', 'Deployment', 'deployments');
const kinds = [namespaces, kind('v1', 'Secret', 'secrets'), deployments];

function fakeWds(lists: Record<string, KubeObject[] | Error>, definitions: readonly string[] = []) {
  const listed: string[] = [];
  const wds = fakeKube({
    list: async ({ plural }, selection) => {
      listed.push(plural);
      assert.deepEqual(selection, { metadataOnly: true });
      const found = lists[plural];
      if (found instanceof Error) throw found;
      return found as never;
    },
    get: async (_, name) =>
      (definitions.includes(name) ? { metadata: { name } } : undefined) as never,
  });
  return { wds, listed };
}

describe('the contents of a WDS', () => {
  const web = {
    metadata: {
      name: 'web',
      namespace: 'shop',
      labels: { app: 'one' },
      managedFields: [{ manager: 'kubectl', time: '2026-11-20T08:00:00Z' }],
    },
  };
  const shop = { metadata: { name: 'shop', labels: { team: 'x' } } };

  test('are listed as far as clauses may select them, with the labels of Namespaces', async () => {
    const { wds, listed } = fakeWds({ deployments: [web], namespaces: [shop] });
    const { objects, ...rest } = await readContents(wds, [{ apiGroup: 'apps' }], kinds);
    assert.deepEqual(listed.sort(), ['deployments', 'namespaces']);
    assert.deepEqual(rest, { namespaces: new Map([['shop', { team: 'x' }]]), unread: [] });
    const managedFields = [{ time: '2026-11-20T08:00:00Z' }];
    const metadata = { name: 'web', namespace: 'shop', labels: { app: 'one' }, managedFields };
    const found = {
      group: 'apps',
      version: 'v1',
      resource: 'deployments',
      kind: 'Deployment',
      of: deployments,
      metadata,
    };
    assert.deepEqual(objects, [found]);
  });

  test('are shown without the kinds that cannot be listed, which are named', async () => {
    const refused = new StellarError('forbidden', 'Not allowed to list secrets.');
    const { wds } = fakeWds({ deployments: [web], namespaces: [shop], secrets: refused });
    const { objects, unread } = await readContents(wds, [{ objectNames: ['*'] }], kinds);
    assert.deepEqual(
      objects.map(({ resource, metadata }) => `${resource} ${metadata.name}`),
      ['namespaces shop', 'deployments web'],
    );
    assert.deepEqual(unread, [
      { what: 'secrets', why: 'Not allowed to list secrets', error: refused },
    ]);
  });

  test('have no objects of a kind only if its list or the absence of its definition says so', async () => {
    const gadgets = kind('example.com/v1', 'Gadget', 'gadgets');
    const unreadOf = async (plural: string, ...definitions: string[]) => {
      const lists = { deployments: [], namespaces: [], gadgets: [], [plural]: undefined as never };
      const { wds } = fakeWds(lists, definitions);
      const { unread } = await readContents(wds, [{}], [namespaces, deployments, gadgets]);
      return unread.map(({ what }) => what);
    };
    assert.deepEqual(await unreadOf('none'), []);
    assert.deepEqual(await unreadOf('deployments'), ['deployments']);
    assert.deepEqual(await unreadOf('namespaces'), ['namespaces']);
    assert.deepEqual(await unreadOf('gadgets', 'gadgets.example.com'), ['gadgets']);
    assert.deepEqual(await unreadOf('gadgets'), []);
  });

  test('are unread where clauses may select what the WDS does not say', async () => {
    const unreadBy = async (clause: object, unseen: string[], ...definitions: string[]) => {
      const { wds } = fakeWds({ namespaces: [] }, definitions);
      const unread = await unservedBy(wds, [clause], { kinds: [namespaces], unseen });
      return unread.map(({ what }) => what);
    };
    assert.deepEqual(await unreadBy({ apiGroup: 'apps', resources: ['deployments'] }, []), [
      'deployments',
    ]);
    assert.deepEqual(await unreadBy({ apiGroup: 'example.com', resources: ['gadgets'] }, []), []);
    const defined = await unreadBy(
      { apiGroup: 'example.com', resources: ['gadgets'] },
      [],
      'gadgets.example.com',
    );
    assert.deepEqual(defined, ['gadgets']);
    const unseen = ['apps/v1', 'example.com/v1'];
    assert.deepEqual(await unreadBy({}, unseen), unseen);
    assert.deepEqual(await unreadBy({ apiGroup: 'apps', resources: ['*'] }, unseen), ['apps/v1']);
    assert.deepEqual(await unreadBy({ apiGroup: 'batch', resources: ['*'] }, ['apps/v1']), []);
  });
});

test('a kind counts twice if a CustomResourceDefinition serves it in two versions, but not if it is built in', async () => {
  const definitions = new Set(['gadgets.example.com', 'parts.example.com']);
  const wds = fakeKube({
    get: async (_, name) => (definitions.has(name) ? { metadata: { name } } : undefined) as never,
  });
  const custom = (plural: string, ...versions: string[]) =>
    kind('example.com/v1', 'Gadget', plural, versions);
  assert.equal(
    await countsTwice(wds, custom('gadgets', 'example.com/v1', 'example.com/v1beta1')),
    true,
  );
  assert.equal(await countsTwice(wds, custom('parts', 'example.com/v1')), false);
  const autoscalers = kind(
    'autoscaling/v2',
    'HorizontalPodAutoscaler',
    'horizontalpodautoscalers',
    ['v2', 'v1'],
  );
  assert.equal(await countsTwice(wds, autoscalers), false);
});
