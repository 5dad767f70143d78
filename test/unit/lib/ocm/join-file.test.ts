import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { type JoinFile, parseJoinFile } from '../../../../src/lib/ocm/hub/hub-access.ts';
import { now, secondsAgo } from '../../support/builders.ts';
import { stepsOf } from '../../support/steps.ts';

const token = 'very.secret.token';
const file: JoinFile = {
  kind: 'stellarctl-join-file',
  version: 1,
  its: 'its1',
  token,
  expires: secondsAgo(-600),
  external: { server: 'https://hub.example.com:6443', certificateAuthority: 'PEM' },
  internal: { server: 'https://its1-control-plane:6443', certificateAuthority: undefined },
  ocmVersion: '1.3.1',
  imageRegistry: 'quay.io/open-cluster-management',
};
const parse = (content: unknown) => parseJoinFile(JSON.stringify(content), new Date(now));

test('a written file can be read', () => {
  assert.deepEqual(parse(file), JSON.parse(JSON.stringify(file)));
});

test('optional fields may be missing, and fields of later versions may be present', () => {
  const { internal: _, ocmVersion: __, imageRegistry: ___, ...least } = file;
  assert.equal(parse({ ...least, comment: 'x' }).its, 'its1');
});

function refuses(content: unknown, code: string, message: RegExp) {
  assert.throws(
    () => parse(content),
    (error: unknown) => {
      assert.ok(error instanceof StellarError, String(error));
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert.ok(!JSON.stringify([error.message, stepsOf(error), error.details]).includes(token));
      return true;
    },
  );
}

const incomplete =
  /its token, its expiry, or the name or the address of its ITS is missing or not valid/;

describe('a join file is rejected', () => {
  const wrong: [what: string, content: unknown, message: RegExp][] = [
    ['of another kind', { ...file, kind: 'Config' }, /not written by/],
    ['that is null', null, /not a JSON object/],
    ['that is a list', [file], /not a JSON object/],
    ['of a later version', { ...file, version: 2 }, /its version is 2/],
    ['without a token', { ...file, token: undefined }, incomplete],
    ['with an empty token', { ...file, token: '' }, incomplete],
    ['with a token that is no text', { ...file, token: [token] }, incomplete],
    [
      'with a token that would be further lines of a kubeconfig',
      { ...file, token: 't\u2028    exec:' },
      incomplete,
    ],
    ['without its ITS', { ...file, its: undefined }, incomplete],
    ['without an expiry', { ...file, expires: undefined }, incomplete],
    ['with an expiry that is no time', { ...file, expires: 'soon' }, incomplete],
    ['without an address', { ...file, external: undefined }, incomplete],
    ['with an address without TLS', { ...file, external: { server: 'http://hub' } }, incomplete],
    [
      'with an address of further lines',
      { ...file, external: { server: 'https://hub/\u2028 a: b' } },
      incomplete,
    ],
    ['with an internal address that is none', { ...file, internal: { server: 'hub' } }, incomplete],
    [
      'whose authority is no text',
      { ...file, external: { ...file.external, certificateAuthority: 5 } },
      /./,
    ],
    ['whose version is no text', { ...file, ocmVersion: 5 }, /./],
    ['whose registry is no text', { ...file, imageRegistry: {} }, /./],
  ];
  for (const [what, content, message] of wrong)
    test(what, () => refuses(content, 'join-file-invalid', message));

  test('with an expired token, showing when', () => {
    refuses(
      { ...file, expires: secondsAgo(1) },
      'token-expired',
      /of its1 expired at 2026-11-20T07:59:59/,
    );
    refuses({ ...file, expires: secondsAgo(0) }, 'token-expired', /expired/);
  });
});

test('a truncated or foreign file is never quoted', () => {
  const whole = JSON.stringify(file);
  fc.assert(
    fc.property(
      fc.oneof(
        fc.nat(whole.length - 1).map((length) => whole.slice(0, length)),
        fc.string().map((text) => text + token),
      ),
      (text) => {
        assert.throws(
          () => parseJoinFile(text),
          (error: unknown) => error instanceof StellarError && !error.message.includes('secret'),
        );
      },
    ),
  );
});
