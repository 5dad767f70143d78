import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Kube } from '../../../../../src/lib/kube/client/client.ts';
import { apiError } from '../../../../../src/lib/kube/client/errors.ts';
import type { ManifestWork } from '../../../../../src/lib/ocm/model/manifest-works.ts';
import { compare } from '../../../../../src/lib/workloads/delivery/diff.ts';
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
  test('is missing where it is not there', async () =>
    assert.equal((await compare(on(undefined), sent(settings))).state, 'missing'));
});
