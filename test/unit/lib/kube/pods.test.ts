import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { commandOf, stepLines } from '../../../../src/lib/core/next-step.ts';
import type { Verdict } from '../../../../src/lib/core/stages.ts';
import type { Deployment, Pod } from '../../../../src/lib/kube/client/objects.ts';
import {
  failureLog,
  firstPodFailure,
  isDeploymentReady,
  isStatefulSetReady,
  jobState,
  podFailure,
  podsOf,
  starting,
  toSeePod,
} from '../../../../src/lib/kube/pods.ts';
import { fakeKube, now, secondsAgo } from '../../support/builders.ts';
import { job, type PodOptions, pod, statefulSet } from '../../support/space-builders.ts';
import { matches, stepsOf } from '../../support/steps.ts';

const why = (options: PodOptions) => podFailure(pod('p', options))?.why;

describe('what prevents a pod from running:', () => {
  for (const reason of [
    'ErrImagePull',
    'ImagePullBackOff',
    'InvalidImageName',
    'ErrImageNeverPull',
  ])
    test(`its image, which is named, also of an init container: ${reason}`, () => {
      for (const init of [false, true])
        assert.equal(
          why({ init, waiting: { reason } }),
          `pod p, container main: the image example.com/p:1 cannot be pulled (${reason})`,
        );
    });
  test('a missing Secret, in the words of the kubelet', () =>
    assert.equal(
      why({ waiting: { reason: 'CreateContainerConfigError', message: 'secret "x" not found' } }),
      'pod p, container main: CreateContainerConfigError: secret "x" not found',
    ));
  test('a crashing container; the log is that of the previous run', () => {
    const trouble = podFailure(
      pod('p', { waiting: { reason: 'CrashLoopBackOff' }, restarts: 2, lastExitCode: 1 }),
    );
    assert.deepEqual(
      [trouble?.kind, trouble?.why],
      ['crash', 'pod p, container main: it keeps crashing (exit 1, restarted 2 times)'],
    );
  });
  test('a container that is killed again and again; the kubelet says why', () => {
    const trouble = podFailure(
      pod('p', { waiting: { reason: 'CrashLoopBackOff' }, restarts: 3, lastExitCode: 137 }),
    );
    assert.equal(
      trouble?.why,
      'pod p, container main: it keeps being killed (exit 137, restarted 3 times)',
    );
    matches(commandOf(toSeePod('c', trouble ?? assert.fail())), /describe pod p$/);
  });
  test('a container that crashes again and again, while it runs', () => {
    const ofRun = (options: PodOptions) =>
      podFailure(
        pod('p', { runningSince: secondsAgo(40), restarts: 2, lastExitCode: 2, ...options }),
      );
    assert.equal(
      ofRun({})?.why,
      'pod p, container main: it keeps crashing (exit 2, restarted 2 times)',
    );
    for (const options of [{ ready: true }, { lastExitCode: 0 }, { restarts: 1 }])
      assert.equal(ofRun(options), undefined);
  });
  test('its eviction; beside others, that of the pod that has replaced it comes first', () => {
    const gone = pod('p-1', { phase: 'Failed' });
    const message = 'The node was low on resource: ephemeral-storage. ';
    Object.assign(gone.status ?? {}, { reason: 'Evicted', message, containerStatuses: [] });
    assert.equal(
      podFailure(gone)?.why,
      'pod p-1 was evicted: The node was low on resource: ephemeral-storage',
    );
    const replaced = pod('p-2', { waiting: { reason: 'ErrImagePull' } });
    assert.equal(firstPodFailure([gone, replaced])?.pod.name, 'p-2');
    assert.equal(firstPodFailure([gone, pod('p-3')])?.pod.name, 'p-1');
  });
  test('a failed pod of a Job', () =>
    assert.equal(why({ phase: 'Failed', exitCode: 3 }), 'pod p, container main: exit 3'));
});

describe('no trouble is reported yet for a pod', () => {
  const untroubled = (name: string, options: PodOptions) =>
    test(name, () => assert.equal(podFailure(pod('p', options)), undefined));
  untroubled('that has not been looked at', {});
  untroubled('whose container is being made', { waiting: { reason: 'ContainerCreating' } });
  untroubled('that has restarted once: it may have come too early', {
    waiting: { reason: 'CrashLoopBackOff' },
    restarts: 1,
  });
  untroubled('that has done its work', { phase: 'Succeeded', exitCode: 0 });
  untroubled('whose container has ended, and that goes on', { phase: 'Running', exitCode: 1 });
  // After a repair it is replaced.
  untroubled('that is being deleted', { waiting: { reason: 'ImagePullBackOff' }, deleting: true });
});

test('pods are matched by the name of their owner; a longer name is another owner', () => {
  const pods = [
    'its-hub-init-a',
    'its-hub-init2-a',
    'vcluster-0',
    'coredns-1-x-kube-system-x-vcluster',
  ].map((name) => pod(name));
  assert.deepEqual(
    podsOf('its-hub-init', pods).map(({ metadata }) => metadata.name),
    ['its-hub-init-a'],
  );
  assert.deepEqual(
    podsOf('vcluster', pods).map(({ metadata }) => metadata.name),
    ['vcluster-0'],
  );
});

test('the first trouble is that of the first pod that has one', () =>
  assert.equal(
    firstPodFailure([pod('a'), pod('b', { phase: 'Failed', exitCode: 1 })])?.pod.name,
    'b',
  ));

test('of an image that cannot be pulled, it is said that the kubelet tries again', () => {
  const failure = podFailure(pod('p', { waiting: { reason: 'ImagePullBackOff' } }));
  assert.deepEqual(stepLines(toSeePod('kind-1', failure ?? assert.fail())), [
    'Correct what its last state shows: kubectl --context kind-1 -n its1-system describe pod p',
    'Once the image is there, the kubelet pulls it by itself within 5 minutes',
  ]);
});

describe('the log of a container in trouble', () => {
  const crash = podFailure(pod('p', { waiting: { reason: 'CrashLoopBackOff' }, restarts: 5 }));
  const step = (options: PodOptions) => {
    const failure = podFailure(pod('p', options)) ?? assert.fail();
    return commandOf(toSeePod('kind-1', failure));
  };
  test('is shown by a command; the kubelet knows more of a container that cannot start', () => {
    assert.equal(
      step({ waiting: { reason: 'CrashLoopBackOff' }, restarts: 5 }),
      'kubectl --context kind-1 -n its1-system logs p -c main --previous',
    );
    assert.equal(
      step({ phase: 'Failed', exitCode: 3 }),
      'kubectl --context kind-1 -n its1-system logs p -c main',
    );
    assert.equal(
      step({ waiting: { reason: 'ErrImagePull' } }),
      'kubectl --context kind-1 -n its1-system describe pod p',
    );
  });
  const logOf = (answer: (previous: boolean) => string[] | undefined) =>
    failureLog(
      fakeKube({ logTail: async (_pod, _container, { previous = false }) => answer(previous) }),
      crash ?? assert.fail(),
    );
  test('is that of the previous run', async () =>
    assert.deepEqual(await logOf((previous) => [previous ? 'before' : 'now']), ['before']));
  test('is that of this run if the previous one is gone', async () =>
    assert.deepEqual(await logOf((previous) => (previous ? undefined : ['now'])), ['now']));
  test('begins where a Go program says why it ends, before its stack, else has the last lines', async () => {
    const before = ['a', 'b', 'c', 'd', 'e', 'f'];
    const stack = ['goroutine 1 [running]:', 'main.main()', '\tmain.go:7', 'created by', 'exit'];
    for (const why of ['panic: nil', 'fatal error: all asleep', 'F1130 11:32:28.2 1 main.go:7] no'])
      assert.deepEqual(await logOf(() => [...before, why, ...stack]), [why, ...stack.slice(0, 4)]);
    assert.deepEqual(await logOf(() => before), before.slice(1));
  });
  test('is empty without permission to read it', async () =>
    assert.deepEqual(
      await logOf(() => {
        throw new Error('forbidden');
      }),
      [],
    ));
});

describe('a Deployment is ready', () => {
  const one = { readyReplicas: 1, updatedReplicas: 1, observedGeneration: 2 };
  const cases: [what: string, status: Deployment['status'], isReady: boolean, replicas?: number][] =
    [
      ['with its desired number of ready pods, one by default', one, true],
      ['not with fewer', { ...one, updatedReplicas: 2 }, false, 2],
      ['not with a pod of an earlier template', { ...one, updatedReplicas: 0 }, false],
      ['not while the successor of the ready pod exists', { ...one, replicas: 2 }, false],
      ['not before its template was seen', { ...one, observedGeneration: 1 }, false],
      ['not without a ready pod', { updatedReplicas: 1, observedGeneration: 2 }, false],
      ['not without a status', undefined, false],
    ];
  for (const [what, status, isReady, replicas] of cases)
    test(what, () => {
      const metadata = { name: 'd', generation: 2 };
      const spec = replicas && { spec: { replicas } };
      const found = { metadata, ...spec, ...(status && { status }) };
      assert.equal(isDeploymentReady(found), isReady);
    });
  test('not if it is missing', () => assert.equal(isDeploymentReady(undefined), false));
});

test('a StatefulSet is ready with its desired number of ready pods', () => {
  assert.equal(isStatefulSetReady(statefulSet('s')), true);
  assert.equal(isStatefulSetReady(statefulSet('s', false)), false);
});

describe('pods that have not failed are waited for', () => {
  const verdictOf = (options: PodOptions, change: (of: Pod) => Pod = (of) => of) =>
    starting('it is starting', [pod('p-0'), change(pod('p-1', options))], { context: 'kind', now });
  const said = (verdict: Verdict) => ('why' in verdict ? verdict.why : verdict.state);
  const init = (seconds: number) => ({ init: true, runningSince: secondsAgo(seconds) });
  test("with the scheduler's message for one without a node", () =>
    assert.equal(
      said(verdictOf({ unschedulable: '0/1 nodes' })),
      'pod p-1 cannot be scheduled: 0/1 nodes',
    ));
  test('with the init container that has not completed in minutes, and the command that shows its log', () => {
    const verdict = verdictOf(init(300));
    assert.equal(said(verdict), 'init container main of pod p-1 has not completed for 5m');
    assert.equal(
      verdict.state === 'waiting' && stepsOf(verdict),
      'Its log says why: kubectl --context kind -n its1-system logs p-1 -c main',
    );
  });
  test('without one that has just started, or a sidecar, or one of a pod that is being deleted', () => {
    assert.equal(said(verdictOf(init(60))), 'it is starting');
    assert.equal(said(verdictOf({ ...init(300), deleting: true })), 'it is starting');
    const asSidecar = (of: Pod) => ({
      ...of,
      spec: { initContainers: [{ name: 'main', image: 'i', restartPolicy: 'Always' }] },
    });
    assert.equal(said(verdictOf(init(300), asSidecar as never)), 'it is starting');
  });
});

test('a Job has failed only by its condition: a failed attempt is retried', () => {
  assert.equal(jobState(job('j', 'complete')), 'complete');
  assert.equal(jobState(job('j', 'failed')), 'failed');
  assert.equal(jobState({ metadata: { name: 'j' }, status: { failed: 1 } }), 'running');
  assert.equal(
    jobState({
      metadata: { name: 'j' },
      status: { conditions: [{ type: 'Failed', status: 'False' }] },
    }),
    'running',
  );
});
