import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runChecks } from '../../../../src/lib/core/checks.ts';
import { apiError } from '../../../../src/lib/kube/client/errors.ts';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import { hubChecks } from '../../../../src/lib/ocm/hub/hub-checks.ts';
import { fakeKube } from '../../support/builders.ts';

const check = hubChecks.filter(({ id }) => id === 'its-admits-works');

interface Hub {
  /** The answer of the API server; undefined if it admits the work. */
  words?: string;
  mayCreate?: boolean;
  namespaces?: KubeObject[];
  /** Those that are there once a work was refused. */
  left?: KubeObject[];
}

const leaving = { metadata: { name: 'cluster0', deletionTimestamp: '2026-11-23T00:00:00Z' } };
const mailboxes = [leaving, { metadata: { name: 'cluster1' } }];

async function outcome({
  words,
  mayCreate = true,
  namespaces = mailboxes,
  left = namespaces,
}: Hub) {
  const tried: KubeObject[] = [];
  const hub = fakeKube({
    mayI: async () => mayCreate,
    list: async () => namespaces,
    get: async (_resource, name) => left.find(({ metadata }) => metadata.name === name) as never,
    tryCreate: async (_resource, object) => {
      tried.push(object);
      if (words !== undefined)
        throw apiError(
          { context: 'its1', server: 'https://192.0.2.1' },
          500,
          JSON.stringify({ message: words }),
        );
    },
  });
  const [finding] = await runChecks(check, hub);
  assert.ok(finding);
  const { message, next } = 'problem' in finding ? finding.problem : { message: '', next: [] };
  return { status: finding.status, message, step: JSON.stringify(next), tried };
}

describe('works are tried in a mailbox', () => {
  test('and are admitted', async () => {
    const { status, tried } = await outcome({});
    assert.deepEqual(
      [status, tried.map(({ metadata }) => metadata.namespace)],
      ['pass', ['cluster1']],
    );
  });
  test('and not, if there is none, or this user may not create works', async () => {
    assert.deepEqual((await outcome({ namespaces: [leaving] })).tried, []);
    const { status, tried } = await outcome({ mayCreate: false });
    assert.deepEqual([status, tried], ['skipped', []]);
  });
  test('a webhook that does not answer keeps all works out', async () => {
    const words =
      'Internal error occurred: failed calling webhook "works.example.com": no such host';
    const { status, message, step } = await outcome({ words });
    assert.equal(status, 'fail');
    assert.match(message, /^Mailbox cluster1 of .* does not admit a work: .*works\.example\.com/);
    assert.match(step, /webhookconfigurations/);
  });
  test('a webhook that refuses this one may admit others; a rule of OCM is no fault', async () => {
    const denied = (name: string) =>
      outcome({ words: `admission webhook "${name}" denied the request: no` });
    assert.equal((await denied('works.example.com')).status, 'warn');
    assert.equal(
      (await denied('manifestworkvalidators.admission.work.open-cluster-management.io')).status,
      'pass',
    );
  });
  test('one that is deleted meanwhile says nothing', async () => {
    const gone = { words: 'unable to create new content in namespace cluster1', left: [leaving] };
    assert.equal((await outcome(gone)).status, 'pass');
  });
  test('a quota is found in the namespace', async () => {
    const { status, step } = await outcome({
      words: 'manifestworks "x" is forbidden: exceeded quota: works',
    });
    assert.equal(status, 'fail');
    assert.match(step, /describe namespace cluster1/);
  });
  test('a webhook that cannot be tried shows nothing', async () =>
    assert.equal(
      (await outcome({ words: 'admission webhook "x" does not support dry run' })).status,
      'skipped',
    ));
});
