import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../../../../../src/lib/core/next-step.ts';
import { resources } from '../../../../../src/lib/kube/client/objects.ts';
import { endingProblem, validitiesOf } from '../../../../../src/lib/kube/client/validity.ts';
import { base64, tokenWith } from '../../../support/builders.ts';
import { identity } from '../../../support/fake-server.ts';
import { serving } from '../../../support/serving.ts';
import { matches } from '../../../support/steps.ts';

const day = 86_400_000;
const year = 365 * day;
const step = run('stellarctl its renew its1');
/** What is said when so many days are left of a lifetime. */
const said = (lifetime: number, left: number) => {
  const now = 1_800_000_000_000;
  const problem = endingProblem(
    'its1',
    [{ what: 'token', from: now + left - lifetime, to: now + left }],
    now,
    [step],
  );
  return problem && `${problem.severity ?? 'fail'} ${problem.message}`;
};

test('what ends is said with a third or 30 days left, and fails with a tenth or 7 days', () => {
  assert.equal(said(10 * year, 31 * day), undefined);
  assert.equal(said(10 * year, 29 * day), 'warn The token of its1 ends in 29d.');
  assert.equal(said(year, 6 * day), 'fail The token of its1 ends in 6d.');
  assert.equal(said(30 * day, 11 * day), undefined);
  assert.equal(said(30 * day, 9 * day), 'warn The token of its1 ends in 9d.');
  assert.equal(said(30 * day, 2 * day), 'fail The token of its1 ends in 2d.');
  assert.equal(said(600_000, 300_000), undefined);
  assert.equal(said(600_000, 50_000), 'fail The token of its1 ends in 50s.');
  assert.equal(said(year, -day), 'fail The token of its1 ended 24h ago.');
});

test('what ends first counts, and has the step that renews it', () => {
  const ending = (what: string, to: number) => ({ what, from: 0, to });
  const found = endingProblem(
    'its1',
    [ending('token', 300), ending('client certificate', 200), ending('x', day)],
    199,
    [step],
  );
  matches(found?.message, /client certificate/);
  assert.deepEqual(found?.next, [step]);
});

test('a connection shows when the certificate of its server and the credentials of its user end', async () => {
  const token = tokenWith({ iat: 1000, exp: 2000, sub: 'anna' });
  const { kube } = await serving(() => ({ body: { kind: 'Namespace', metadata: { name: 'a' } } }), {
    user: { token },
  });
  const ofUser = { what: 'token', from: 1_000_000, to: 2_000_000 };
  assert.deepEqual(kube.validities(), [ofUser]);
  await kube.get(resources.namespaces, 'a');
  const [ofServer, ...rest] = kube.validities();
  assert.deepEqual(rest, [ofUser]);
  assert.equal(ofServer?.what, 'serving certificate');
  assert.ok(
    (ofServer?.to ?? 0) - (ofServer?.from ?? 0) === 3_660_000,
    'the certificate of the server',
  );
});

test('credentials in files, of programs and without an end are not judged', () => {
  const certificate = base64(identity.cert);
  assert.deepEqual(
    validitiesOf({ 'client-certificate-data': certificate }).map(({ what }) => what),
    ['client certificate'],
  );
  assert.deepEqual(
    validitiesOf({ 'client-certificate-data': 'bm90aGluZw==', token: 'opaque' }),
    [],
  );
  assert.deepEqual(
    validitiesOf({ 'client-certificate': '/a/file', exec: { command: 'x' } as never }),
    [],
  );
});
