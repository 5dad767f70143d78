import '../../support/environment.ts';
import assert from 'node:assert/strict';
import test from 'node:test';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import {
  countObjects,
  type SpaceStatus,
  withContents,
} from '../../../../src/lib/installation/status.ts';
import { hidden, hiddenBy } from '../../../../src/lib/kube/access.ts';

const outside: SpaceStatus = {
  name: 'its1',
  type: 'vcluster',
  ready: true,
  stage: 'ready',
  blockedAt: null,
  problem: false,
  reason: '',
  context: null,
  server: null,
  created: null,
};
const refused = hiddenBy(new StellarError('unreachable', 'Cannot reach its1: connection refused.'));

test('a space that is reported ready and does not answer has a problem', () => {
  const { ready, problem, reason, error } = withContents(outside, refused);
  assert.deepEqual(
    { ready, problem, reason },
    { ready: false, problem: true, reason: 'Cannot reach its1: connection refused' },
  );
  assert.equal(error?.code, 'unreachable');
});

test('a starting space need not answer, and an unreadable one may be healthy', () => {
  const coming = {
    ...outside,
    ready: false,
    stage: 'synced',
    reason: 'its API server is starting',
  };
  assert.deepEqual(withContents(coming, refused), coming);
  assert.deepEqual(withContents(outside, hidden('why')), { ...outside, notVisible: 'why' });
  const forbidden = hiddenBy(new StellarError('forbidden', 'Not allowed on its1.'));
  assert.deepEqual(withContents(outside, forbidden), {
    ...outside,
    notVisible: 'Not allowed on its1',
  });
});

test('an object that several policies select counts once', () => {
  const object = {
    group: 'apps',
    version: 'v1',
    resource: 'deployments',
    namespace: 'nginx',
    name: 'web',
  };
  const binding = (...namespaceScope: (typeof object)[]) => ({
    metadata: { name: 'p' },
    spec: {
      workload: { namespaceScope, clusterScope: [{ resource: 'namespaces', name: 'nginx' }] },
    },
  });
  assert.equal(
    countObjects([
      binding(object),
      binding(object, { ...object, namespace: 'other' }),
      { metadata: { name: 'empty' } },
    ]),
    3,
  );
});
