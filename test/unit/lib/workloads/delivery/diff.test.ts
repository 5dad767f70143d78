import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seen } from '../../../../../src/lib/kube/access.ts';
import type { Kube } from '../../../../../src/lib/kube/client/client.ts';
import { apiError } from '../../../../../src/lib/kube/client/errors.ts';
import type { ManifestWork } from '../../../../../src/lib/ocm/model/manifest-works.ts';
import type { Wds } from '../../../../../src/lib/spaces/choose/open-wds.ts';
import {
  compare,
  diffWorkloads,
  lastingDifferences,
} from '../../../../../src/lib/workloads/delivery/diff.ts';
import { sentObjects } from '../../../../../src/lib/workloads/delivery/works.ts';
import { fakeKube } from '../../../support/builders.ts';

/** An object of a work in the mailbox of cluster1. */
function sent(object: object, strategy?: string) {
  const metadata = { name: 'conf', namespace: 'shop' };
  const work = {
    metadata: { name: 'w', namespace: 'cluster1', labels: {} },
    spec: {
      workload: { manifests: [{ apiVersion: 'v1', metadata, ...object }] },
      manifestConfigs: [{ resourceIdentifier: metadata, updateStrategy: { type: strategy } }],
    },
    status: {
      resourceStatus: {
        manifests: [{ resourceMeta: { ordinal: 0, resource: 'configmaps', version: 'v1' } }],
      },
    },
  } as unknown as ManifestWork;
  return sentObjects(work)[0] ?? assert.fail();
}

const head = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'conf', namespace: 'shop' } };
const settings = { kind: 'ConfigMap', data: { a: 'b' } };
const on = (data: object | undefined, tryApply?: Kube['tryApply']) =>
  fakeKube({
    get: (async () => data && { ...head, data }) as Kube['get'],
    ...(tryApply && { tryApply }),
  });
const stored = (async (_: unknown, object: object) => object) as unknown as Kube['tryApply'];

describe('an object beside its work', () => {
  test('is equal without a dry run, if all that the work says stands there', async () => {
    const { state, wec } = await compare(on({ a: 'b', more: 'c' }), sent(settings));
    assert.deepEqual([state, wec], ['equal', 'cluster1']);
  });
  test('is equal if the API server would store what is there', async () => {
    const same = (async () => ({ ...head, data: { a: 'c' } })) as never;
    assert.equal((await compare(on({ a: 'c' }, same), sent(settings))).state, 'equal');
  });
  test('differs, also with createOnly, which is said', async () => {
    const found = await compare(on({ a: 'c' }, stored), sent(settings, 'CreateOnly'));
    assert.deepEqual([found.state, found.createOnly], ['different', true]);
    const [field] = found.differs.filter((each) => each.field === 'data.a');
    assert.deepEqual([field?.work, field?.wec, field?.by], ['b', 'c', null]);
  });
  test('has no values, if it is a Secret', async () => {
    const secret = { kind: 'Secret', data: { a: 'b' } };
    const { differs } = await compare(on({ a: 'c' }, stored), sent(secret));
    assert.ok(differs.every((field) => !('work' in field) && !('wec' in field)));
  });
  test('is not known without the right to ask, or if the agent has not reported it', async () => {
    const refused = async () => {
      throw apiError({ context: 'c1', server: '' }, 403, '{"message":"you may not patch it"}');
    };
    const found = await compare(on({ a: 'c' }, refused), sent(settings));
    assert.equal(found.state, 'unseen');
    assert.match(String(found.why), /you may not patch it/);
    const early = { ...sent(settings), manifest: undefined };
    assert.match(String((await compare(on({}), early)).why), /has not reported it/);
  });
  test('offers what corrects it where the agent never does', async () => {
    const managed = {
      manager: 'work-agent',
      fieldsV1: { 'f:metadata': { 'f:labels': { 'f:old': {} }, 'f:annotations': { 'f:a/b': {} } } },
    };
    const metadata = { ...head.metadata, labels: { old: '1' }, annotations: { 'a/b': '' } };
    const live = { ...head, metadata: { ...metadata, managedFields: [managed] }, data: { a: 'b' } };
    const wec = fakeKube({ get: (async () => live) as never });
    const { state, left, next, steps } = await compare(wec, sent(settings));
    assert.deepEqual(
      [state, left],
      ['different', ['metadata.labels.old', 'metadata.annotations["a/b"]']],
    );
    assert.match(next ?? '', /^kubectl --context \S+ -n shop label configmaps conf old-$/);
    assert.match(steps[1] ?? '', /annotate configmaps conf a\/b-$/);
    assert.equal((await compare(wec, sent(settings, 'CreateOnly'))).next, null);
    const account = { kind: 'ServiceAccount', imagePullSecrets: [{ name: 'new' }] };
    const changed = await compare(on({}, stored), sent(account));
    assert.match(changed.next ?? '', / patch configmaps conf --patch '\{"imagePullSecrets":/);
    const other = { manager: 'kubectl-edit', fieldsV1: { 'f:imagePullSecrets': {} } };
    const theirs = { ...head, metadata: { ...head.metadata, managedFields: [other] } };
    const kept = fakeKube({ get: (async () => theirs) as never, tryApply: stored });
    assert.equal((await compare(kept, sent(account))).next, null);
  });
  test('is missing where it is not there', async () =>
    assert.equal((await compare(on(undefined), sent(settings))).state, 'missing'));
});

test('works that answer 404 are unknown, and not equal to what is on WECs', async () => {
  const its = seen({ name: 'its1', kube: fakeKube({ list: async () => undefined }) });
  const wds = { name: 'wds1', sender: 'wds1', kube: fakeKube(), its } as unknown as Wds;
  for (const wecs of [[], [{ name: 'cluster1', kube: fakeKube() }]])
    await assert.rejects(diffWorkloads(wds, { object: undefined, policy: undefined, wecs }), {
      code: 'api-error',
      message: /does not serve manifestworks/,
    });
});

describe('what a WEC keeps otherwise', () => {
  const work = ({ work: { metadata, spec, status } }: ReturnType<typeof sent>, name: string) => {
    const object = { ...spec?.workload?.manifests?.[0], metadata: { name, namespace: 'shop' } };
    const [manifest] = status?.resourceStatus?.manifests ?? [];
    const applied = { type: 'Applied', status: 'True', observedGeneration: 1 };
    const manifests = [{ ...manifest, conditions: [applied] }];
    return {
      metadata: { ...metadata, generation: 1, managedFields: [{ time: '2026-11-20T15:00:00Z' }] },
      spec: { ...spec, workload: { manifests: [object] } },
      status: { resourceStatus: { manifests } },
    } as ManifestWork;
  };
  const names = Array.from({ length: 30 }, (_, index) => `conf-${index}`);
  const works = ['same', 'gone', ...names].map((name) => work(sent(settings), name));
  const told = async (now: string, since = '2026-11-20T15:00:00Z') => {
    const asked = { lists: 0, dryRuns: 0 };
    const by = { manager: 'kubectl-edit', time: since, fieldsV1: { 'f:data': { 'f:a': {} } } };
    const wec = fakeKube({
      now: () => Date.parse(now),
      list: (async (_: unknown, { trim }: { trim(object: object): object }) => {
        asked.lists += 1;
        return ['same', ...names, 'other'].map((name) => {
          const metadata = { name, namespace: 'shop', managedFields: [by] };
          return trim({ metadata, data: { a: name === 'same' ? 'b' : 'c' } });
        });
      }) as never,
      tryApply: (async (_: unknown, object: object) => {
        asked.dryRuns += 1;
        return object;
      }) as never,
    });
    return { asked, ...(await lastingDifferences(wec, works)) };
  };
  test('is found with one list of each kind and at most 20 dry runs', async () => {
    const { asked, items, more } = await told('2026-11-20T15:07:00Z');
    assert.deepEqual(asked, { lists: 1, dryRuns: 19 });
    assert.deepEqual([items.length, more], [20, 11]);
    assert.deepEqual(
      items.slice(0, 2).map(({ name, state }) => [name, state]),
      [
        ['gone', 'missing'],
        ['conf-0', 'different'],
      ],
    );
  });
  test('is not what the agent may still correct', async () => {
    const { items } = await told('2026-11-20T15:07:00Z', '2026-11-20T15:05:00Z');
    assert.deepEqual(
      items.map(({ name }) => name),
      ['gone'],
    );
  });
});
