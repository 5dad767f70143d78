import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireOcmImages } from '../../../../src/lib/spaces/space-images.ts';

test('an image of OCM that a registry lacks is an error, and one that it does not speak about is none', async (context) => {
  const asked: string[] = [];
  const answers = (status: (name: string) => number) =>
    context.mock.method(globalThis, 'fetch', async (url: string, { method }: RequestInit) => {
      asked.push(`${method} ${url}`);
      return { status: status(url) };
    });
  answers((url) => (url.includes('/placement/') ? 404 : 200));
  await assert.rejects(
    requireOcmImages('registry.example:5000/mirror', '1.0.1'),
    (error: Error & { next: unknown }) => {
      assert.match(
        error.message,
        /does not have registry\.example:5000\/mirror\/open-cluster-management\/placement:v1\.0\.1/,
      );
      assert.match(JSON.stringify(error.next), /--ocm-version chart/);
      return true;
    },
  );
  const first =
    'https://registry.example:5000/v2/mirror/open-cluster-management/registration-operator/manifests/v1.0.1';
  assert.equal(asked[0], `HEAD ${first}`);
  assert.equal(asked.length, 5);
  answers(() => 401);
  await requireOcmImages('registry.example', '1.0.1');
  context.mock.method(globalThis, 'fetch', () => Promise.reject(new Error('ENOTFOUND')));
  await requireOcmImages('registry.example', '1.0.1');
});
