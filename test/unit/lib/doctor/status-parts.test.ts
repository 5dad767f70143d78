import assert from 'node:assert/strict';
import test, { mock } from 'node:test';
import { Deadline } from '../../../../src/lib/core/deadline.ts';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { advice } from '../../../../src/lib/core/next-step.ts';
import { countObjects } from '../../../../src/lib/doctor/status.ts';
import { PartClients, readInTime, withReading } from '../../../../src/lib/doctor/status-parts.ts';
import type { SpaceStatus } from '../../../../src/lib/doctor/status-view.ts';
import { hidden, hiddenBy, whyUnseen } from '../../../../src/lib/kube/access.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import type { SelectedContext } from '../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { fakeTime, realTime } from '../../support/fake-time.ts';

const context = (token: string): SelectedContext => ({
  name: 'its1',
  server: 'https://its1:9443',
  cluster: {},
  user: { token },
});

function clients(whole: Deadline) {
  const deadlines: Deadline[] = [];
  const closed: number[] = [];
  const parts = new PartClients((_context, deadline) => {
    const number = deadlines.push(deadline);
    return { close: () => closed.push(number) } as unknown as Kube;
  }, whole);
  return { parts, deadlines, closed };
}

test('a part has five seconds at most, which start with each read', (t) => {
  fakeTime();
  t.after(realTime);
  const { parts, deadlines } = clients(new Deadline(60_000));
  const kube = parts.open('its1', context('a'));
  assert.equal(deadlines[0]?.remaining, 5000);
  mock.timers.tick(6000);
  assert.equal(deadlines[0]?.passed, true);
  assert.equal(parts.open('its1', context('a')), kube);
  assert.equal(deadlines[0]?.remaining, 5000);
});

test('a part has no more time than the whole command', (t) => {
  fakeTime();
  t.after(realTime);
  const { parts, deadlines } = clients(new Deadline(3000));
  parts.open('its1', context('a'));
  assert.equal(deadlines[0]?.remaining, 3000);
});

test('a recreated space is read with its new credentials', () => {
  const { parts, deadlines, closed } = clients(new Deadline(60_000));
  parts.open('its1', context('a'));
  parts.open('its2', context('a'));
  parts.open('its1', context('b'));
  assert.equal(deadlines.length, 3);
  assert.deepEqual(closed, [1]);
});

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
  const { ready, problem, reason, error } = withReading(outside, refused);
  assert.deepEqual(
    { ready, problem, reason },
    { ready: false, problem: true, reason: 'Cannot reach its1: connection refused' },
  );
  assert.equal(error?.code, 'unreachable');
});

test('a starting space need not answer, and an unreadable one may be healthy', () => {
  const coming = { ...outside, ready: false, stage: 'synced', reason: 'its API server is starting' };
  assert.deepEqual(withReading(coming, refused), coming);
  assert.deepEqual(withReading(outside, hidden('why')), { ...outside, notVisible: 'why' });
  const forbidden = hiddenBy(new StellarError('forbidden', 'Not allowed on its1.'));
  assert.deepEqual(withReading(outside, forbidden), { ...outside, notVisible: 'Not allowed on its1' });
});

const kube = { cluster: { context: 'its1', server: 'https://its1:9443' } } as Kube;

test('a failure in a part is shown in it; an interruption and a bug end the whole command', async () => {
  const failing = (error: Error) => readInTime(kube, () => Promise.reject(error));
  const slow = await failing(
    new StellarError('timeout', 'too slow for what was left', { next: [advice('--timeout')] }),
  );
  assert.match(whyUnseen(slow) ?? '', /^Cannot reach its1 .*no answer in time\.$/);
  await assert.rejects(failing(new StellarError('interrupted', 'Interrupted.')), { code: 'interrupted' });
  await assert.rejects(failing(new TypeError('a mistake')), TypeError);
});

test('an object that several policies select counts once', () => {
  const object = { group: 'apps', version: 'v1', resource: 'deployments', namespace: 'nginx', name: 'web' };
  const binding = (...namespaceScope: (typeof object)[]) => ({
    metadata: { name: 'p' },
    spec: { workload: { namespaceScope, clusterScope: [{ resource: 'namespaces', name: 'nginx' }] } },
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
