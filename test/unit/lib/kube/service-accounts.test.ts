import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestToken } from '../../../../src/lib/kube/service-accounts.ts';
import { fakeKube } from '../../support/builders.ts';

const asking = (token: string) =>
  requestToken(
    fakeKube({ create: async () => ({ status: { token } }) }),
    { namespace: 'n', name: 'a' },
    60,
  );

test('a token that a cluster issues is used only if it can be one: it becomes part of kubeconfigs', async () => {
  assert.deepEqual(await asking('e30.e30.s-_~+/=='), { token: 'e30.e30.s-_~+/==' });
  for (const text of ['t\u2028    exec:', 't\ninsecure-skip-tls-verify: true', 'a b', ''])
    await assert.rejects(
      asking(text),
      (error: Error) => /not a token/.test(error.message) && !/exec|insecure/.test(error.message),
    );
});
