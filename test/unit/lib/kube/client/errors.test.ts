import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mayPass, StellarError } from '../../../../../src/lib/core/errors.ts';
import { run } from '../../../../../src/lib/core/next-step.ts';
import { apiError, networkError } from '../../../../../src/lib/kube/client/errors.ts';
import { stepsOf } from '../../../support/steps.ts';

const cluster = { context: 'its1', server: 'https://its1.example.com:6443' };
const named = 'its1 (https://its1.example.com:6443)';
const status = (message: string, rest: object = {}) =>
  JSON.stringify({ kind: 'Status', message, ...rest });

describe('the response', () => {
  const cases: [status: number, code: string, message: string][] = [
    [400, 'api-error', `${named} refused: m`],
    [401, 'unauthorized', `${named} does not accept the credentials of this context`],
    [403, 'forbidden', `Not allowed on ${named}: m`],
    [404, 'not-found', `Not found on ${named}: m`],
    [409, 'conflict', `It was modified concurrently on ${named}: m`],
    [422, 'api-error', `${named} refused: m`],
    [503, 'api-error', `${named} refused: m`],
  ];
  for (const [httpStatus, code, message] of cases) {
    test(`${httpStatus} is ${code}`, () => {
      const error = apiError(cluster, httpStatus, status('m', { reason: 'Because' }));
      assert.deepEqual([error.code, error.message, error.status], [code, message, httpStatus]);
    });
  }

  test('never repeats the credentials that it was sent', () => {
    for (const body of [
      status('refused: you sent Bearer abc.def-ghi'),
      'refused: you sent Basic dXNlcjpwYXNz',
    ])
      assert.match(
        apiError(cluster, 403, body).message,
        /: refused: you sent (?:Bearer|Basic) <removed>$/,
      );
    for (const body of [
      status('you sent token=USERTOKEN-1'),
      status('you sent {"token":"USERTOKEN-1"}'),
    ])
      assert.doesNotMatch(apiError(cluster, 403, body).message, /USERTOKEN/);
    const named = 'secrets "vc-vcluster" is forbidden: User "ann" cannot get resource "secrets"';
    assert.ok(apiError(cluster, 403, status(named)).message.endsWith(named));
  });

  test('without a message shows its number', () =>
    assert.match(apiError(cluster, 502, '').message, /: HTTP 502$/));
  test('of a proxy is cut to one line', () => {
    const { message } = apiError(cluster, 502, `<html>Bad gateway</html>\n${'x'.repeat(1000)}`);
    assert.match(message, /<html>Bad gateway<\/html>$/);
    assert.ok(apiError(cluster, 502, 'x'.repeat(1000)).message.length < 300);
  });
  test('of JSON that is not a Status shows its number', () =>
    assert.match(apiError(cluster, 500, '"text"').message, /"text"|HTTP 500/));
  test('with several causes lists them', () => {
    const causes = [
      { field: 'spec.a', message: 'wrong' },
      { field: 'spec.b', message: 'missing' },
    ];
    assert.deepEqual(apiError(cluster, 422, status('m', { details: { causes } })).details, [
      '  spec.a: wrong',
      '  spec.b: missing',
    ]);
  });
  test('has a next step if one is known', () => {
    assert.equal(
      stepsOf(apiError(cluster, 403, '')),
      'See what is allowed: kubectl --context its1 auth can-i --list',
    );
    assert.match(stepsOf(apiError(cluster, 401, '')), /kubectl --context its1 auth whoami/);
  });
  describe('to the token of a service account', () => {
    const user = 'system:serviceaccount:ci:deployer';
    const expires = Date.parse('2026-11-20T07:00:00Z');
    test('says when it expired, and what creates another one: nobody can log in', () => {
      const error = apiError({ ...cluster, token: { user, expires } }, 401, '');
      assert.equal(
        error.message,
        `${named} does not accept the credentials of this context: its token expired at 2026-11-20T07:00:00.000Z`,
      );
      assert.equal(
        stepsOf(error),
        'Write a new token into context its1; an administrator of the cluster requests one: kubectl -n ci create token deployer',
      );
    });
    test('of a space names the command that writes its context', () => {
      const renewal = run('stellarctl its context its1');
      assert.equal(
        stepsOf(apiError({ ...cluster, token: { user, expires }, renewal }, 401, '')),
        'stellarctl its context its1',
      );
    });
    test('that was revoked does not say that it expired', () => {
      const valid = { user, expires: Date.parse('9999-01-01T00:00:00Z') };
      assert.doesNotMatch(apiError({ ...cluster, token: valid }, 401, '').message, /expired/);
    });
  });
});

describe('no response because of', () => {
  const cases: [code: string, errorCode: string, why: RegExp][] = [
    ['ENOTFOUND', 'unreachable', /no such host/],
    ['EAI_AGAIN', 'unreachable', /could not be looked up/],
    ['ECONNREFUSED', 'unreachable', /connection refused/],
    ['ECONNRESET', 'unreachable', /connection was closed/],
    ['ETIMEDOUT', 'unreachable', /no answer in time/],
    ['EHOSTUNREACH', 'unreachable', /no route/],
    ['EPROTO', 'unreachable', /does not speak TLS/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'unreachable', /does not speak TLS/],
    ['CERT_HAS_EXPIRED', 'tls-error', /has expired/],
    ['CERT_NOT_YET_VALID', 'tls-error', /not valid yet/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls-error', /unknown authority/],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'tls-error', /unknown authority/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls-error', /unknown authority/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls-error', /other names/],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'tls-error', /told/],
    ['EWHATEVER', 'unreachable', /told/],
  ];
  for (const [code, errorCode, why] of cases) {
    test(`${code} is ${errorCode} and exit code 4`, () => {
      const error = networkError(cluster, Object.assign(new Error('told'), { code }));
      assert.deepEqual([error.code, error.exitCode], [errorCode, 4]);
      assert.match(error.message, why);
      assert.ok(error.message.startsWith(`Cannot reach ${named}: `));
    });
  }
});

test('transient errors are those of busy servers; refused credentials and missing rights are not', () => {
  const passing = [429, 500, 503].map((code) => apiError(cluster, code, ''));
  const staying = [400, 401, 403, 404, 409, 422].map((code) => apiError(cluster, code, ''));
  assert.ok(passing.every(mayPass));
  assert.ok(
    ![
      ...staying,
      networkError(cluster, { code: 'ECONNREFUSED' }),
      networkError(cluster, { code: 'CERT_HAS_EXPIRED' }),
      new StellarError('interrupted', ''),
      new TypeError(),
    ].some(mayPass),
  );
});
