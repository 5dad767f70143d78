import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { judgeNames } from '../../../../src/lib/spaces/entrance-checks.ts';

const hosting = (data: Record<string, string> | undefined) =>
  ({
    cluster: { context: 'host1', server: '' },
    get: async () => data && { metadata: {}, data: { externalPort: '9443', hostContainer: 'h', ...data } },
  }) as unknown as Kube;
const asked: string[] = [];
const known = async (host: string) => {
  asked.push(host);
  return { address: '127.0.0.1' };
};
const unknown = () => Promise.reject(new Error('ENOTFOUND'));

test('resolvable names of spaces pass', async () => {
  const outcome = await judgeNames(hosting({ domain: 'localtest.me' }), known);
  assert.deepEqual(outcome, { status: 'pass', found: 'its1.localtest.me is 127.0.0.1' });
  assert.deepEqual(asked, ['its1.localtest.me']);
});

test('unresolvable names are a warning, because stellarctl does not need them', async () => {
  const outcome = await judgeNames(hosting({ domain: 'example.test' }), unknown);
  assert.equal(outcome.status, 'warn');
  assert.match(JSON.stringify(outcome), /kubectl needs it.*127\.0\.0\.1 its1\.example\.test/);
});

test('without KubeFlex, or with OpenShift routes, they do not matter', async () => {
  for (const data of [undefined, { domain: 'd', isOpenShift: 'true' }])
    assert.equal((await judgeNames(hosting(data), unknown)).status, 'skipped');
});
