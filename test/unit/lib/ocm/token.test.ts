import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { apiError } from '../../../../src/lib/kube/client/errors.ts';
import { claimsOf } from '../../../../src/lib/kube/client/validity.ts';
import { requestBootstrapToken } from '../../../../src/lib/ocm/hub/hub-access.ts';
import { checkTokenRequest } from '../../../../src/lib/ocm/hub/its-token.ts';
import { fakeKube } from '../../support/builders.ts';

const expirationTimestamp = '2026-11-20T09:00:00Z';

/** An ITS with these service accounts that records requests. */
function its(accounts: string[], status: object | null = { token: 'secret', expirationTimestamp }) {
  const asked: unknown[] = [];
  const kube = fakeKube({
    async create<T>(_resource: object, body: object, options: object = {}) {
      asked.push({ ...(body as { spec: object }).spec, ...options });
      const { name = '' } = options as { name?: string };
      if (!accounts.includes(name)) throw apiError({ context: 'its1', server: '' }, 404, '');
      return (status === null ? {} : { status }) as T;
    },
  });
  return { kube, asked };
}

describe('a bootstrap token', () => {
  const today = 'agent-registration-bootstrap';
  test("is requested for the ITS's bootstrap service account", async () => {
    const { kube, asked } = its([today]);
    assert.deepEqual(await requestBootstrapToken(kube, 900), {
      token: 'secret',
      expires: new Date(expirationTimestamp),
    });
    assert.deepEqual(asked, [
      {
        expirationSeconds: 900,
        namespace: 'open-cluster-management',
        name: today,
        subresource: 'token',
      },
    ]);
  });
  test('is unavailable if there is none', async () => {
    await assert.rejects(requestBootstrapToken(its([]).kube), {
      code: 'not-found',
      message: /no bootstrap service account agent-registration-bootstrap/,
    });
  });
  test('is a placeholder in a dry run', async () =>
    assert.equal((await requestBootstrapToken(its([today], null).kube)).token, '(token)'));
  test('is not looked for elsewhere without permission', async () => {
    let calls = 0;
    const create = async () => {
      calls += 1;
      throw apiError({ context: 'its1', server: '' }, 403, '');
    };
    await assert.rejects(requestBootstrapToken(fakeKube({ create })), { code: 'forbidden' });
    assert.equal(calls, 1);
  });
});

describe('the expiry of a token', () => {
  const jwt = (payload: string) => `header.${Buffer.from(payload).toString('base64url')}.signature`;
  test('is the one in a JSON Web Token', () =>
    assert.equal(claimsOf(jwt('{"exp":1795161600}')).expires, 1795161600_000));
  const silent: Record<string, string> = {
    'a JSON Web Token that does not expire': jwt('{}'),
    'an expiry that is no number': jwt('{"exp":"soon"}'),
    "kubeadm's": 'abcdef.0123456789abcdef',
    'a payload that is no JSON': jwt('hello'),
    'one part': 'hello',
    nothing: '',
  };
  for (const [what, token] of Object.entries(silent))
    test(`is unknown from ${what}`, () => assert.equal(claimsOf(token).expires, undefined));
});

describe('a token request is rejected', () => {
  const usage = { name: 'StellarError', code: 'usage' };
  test('below ten minutes, as by the API server', () => {
    assert.throws(() => checkTokenRequest(599_999, false), usage);
    assert.doesNotThrow(() => checkTokenRequest(600_000, false));
  });
  test('if it would print the token implicitly', () =>
    assert.throws(() => checkTokenRequest(600_000, true), usage));
});
