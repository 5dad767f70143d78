import '../../support/environment.ts';
import assert from 'node:assert/strict';
import test from 'node:test';
import { describeStatus, nextOf } from '../../../../src/commands/status/status-text.ts';
import { comparable } from '../../../../src/commands/terminal/recorder.ts';
import type {
  HostingStatus,
  ItsStatus,
  StatusView,
  WdsStatus,
  WecStatus,
} from '../../../../src/lib/installation/status.ts';
import type { RunningVersion } from '../../../../src/lib/ocm/versions/running-versions.ts';
import { asWritten, coloured, plain } from '../../support/fake-io.ts';

const hosting = (changes: Partial<HostingStatus> = {}): HostingStatus => ({
  name: 'kind-kubeflex',
  server: 'https://127.0.0.1:6443',
  hooksVersion: '0.30.0',
  versions: [version('KubeFlex', '0.9.3')],
  problem: false,
  reason: '',
  ...changes,
});

const version = (
  product: string,
  running: string,
  wanted: string | null = null,
): RunningVersion => ({
  ...{ product, component: product, running: [running], differs: wanted !== null },
  wanted: wanted === null ? null : { version: wanted, by: 'installed hooks' },
});

const space = {
  ready: true,
  stage: 'ready',
  blockedAt: null,
  problem: false,
  reason: '',
  server: 'https://its1.localtest.me:9443',
  created: '2026-11-20T08:00:00.000Z',
};

const its = (changes: Partial<ItsStatus> = {}): ItsStatus => ({
  ...space,
  name: 'its1',
  type: 'vcluster',
  context: 'its1',
  versions: [version('OCM', '1.0.1')],
  wecs: [],
  ...changes,
});

const wds = (changes: Partial<WdsStatus> = {}): WdsStatus => ({
  ...space,
  name: 'wds1',
  type: 'k8s',
  context: 'wds1',
  its: 'its1',
  versions: [version('KubeStellar', '0.30.0')],
  bindingPolicies: 1,
  objects: 5,
  sentNowhere: 0,
  guarded: null,
  ...changes,
});

const wec = (name: string, changes: Partial<WecStatus> = {}): WecStatus => ({
  name,
  available: true,
  stage: 'available',
  blockedAt: null,
  state: 'available',
  problem: false,
  reason: '',
  labels: {},
  accepted: true,
  joined: true,
  created: null,
  kubernetesVersion: null,
  requests: [],
  workloads: [],
  ...changes,
});

const silent = wec('cluster2', { available: null, problem: true, reason: 'lease stopped 11m ago' });
const asking = wec('cluster3', {
  available: null,
  stage: 'request',
  state: 'request pending',
  requests: [{ state: 'pending' }] as never,
});

const view = (changes: Partial<StatusView> = {}): StatusView => ({
  hosting: hosting(),
  itses: [its({ wecs: [wec('cluster1')] })],
  wdses: [wds()],
  ...changes,
});

const lines = (shown: StatusView, style = plain) => asWritten(describeStatus(shown, style));

test('a whole installation is a tree, with all facts in one column', () => {
  const its2 = its({ name: 'its2', type: 'host', wecs: [asking] });
  assert.deepEqual(lines(view({ itses: [its({ wecs: [wec('cluster1'), silent] }), its2] })), [
    'kind-kubeflex   KubeFlex 0.9.3 · KubeStellar hooks 0.30.0',
    '├─ ITS its1     vcluster · ready · OCM 1.0.1',
    '│  ├─ cluster1  available',
    '│  └─ cluster2  ✗ lease stopped 11m ago',
    '├─ ITS its2     host · ready · OCM 1.0.1',
    '│  └─ cluster3  request pending',
    '└─ WDS wds1     k8s · ready → its1 · KubeStellar 0.30.0 · 1 binding policy, 5 objects',
  ]);
});

test('a WEC shows what a WDS sends to it, and what has not arrived', () => {
  const workloads = [
    { wds: 'wds1', applied: 5, failed: 0, waiting: 0 },
    { wds: 'wds2', applied: 1, failed: 2, waiting: 1 },
  ];
  const [, , line] = lines(view({ itses: [its({ wecs: [wec('cluster1', { workloads })] })] }));
  assert.equal(
    line,
    '│  └─ cluster1  available · wds1: 5 objects · ✗ wds2: 4 objects, 2 failed, 1 waiting',
  );
});

test('the last branch has no vertical line below it', () => {
  const deep = view({ wdses: [] });
  assert.deepEqual(
    lines(deep).map((line) => line.slice(0, 6)),
    ['kind-k', '└─ ITS', '   └─ '],
  );
});

test('an ITS alone is the root', () => {
  const alone = its({ type: null, name: 'hub', wecs: [wec('cluster1')] });
  assert.deepEqual(lines({ hosting: null, itses: [alone], wdses: [] }), [
    'ITS hub      ready · OCM 1.0.1',
    '└─ cluster1  available',
  ]);
  assert.match(
    lines(view({ itses: [alone] }))[1] ?? '',
    /^├─ ITS hub +elsewhere · ready · OCM 1\.0\.1$/,
  );
});

/** The facts of the first line below the hosting cluster. */
const factsOf = (part: Partial<StatusView>) =>
  (lines(view({ itses: [], wdses: [], ...part }))[1] ?? '').replace(/^└─ \w+ \w+ +/, '');
const ofIts = (changes: Partial<ItsStatus> = {}) => factsOf({ itses: [its(changes)] });
const ofWds = (changes: Partial<WdsStatus>) => factsOf({ wdses: [wds(changes)] });

test('a space shows what prevents it from being ready', () => {
  const reason = 'Job its1-system/its-hub-init has failed';
  const unknown = { versions: [], wecs: null };
  assert.equal(
    ofIts({ ready: false, problem: true, stage: 'its-hub-init', reason, ...unknown }),
    'vcluster · ✗ Job its1-system/its-hub-init has failed',
  );
  assert.equal(
    ofIts({ ready: false, stage: 'api-server', reason: 'Job its-hub-init is running', ...unknown }),
    'vcluster · • at api-server: Job its-hub-init is running',
  );
  assert.equal(
    ofIts({ type: 'external', ...unknown, notVisible: 'no context is known to be that of its1' }),
    'external · ready · ? no context is known to be that of its1',
  );
  assert.equal(
    ofIts({ type: null, ready: false, stage: null, ...unknown, notVisible: 'not allowed' }),
    'elsewhere · ? not allowed',
  );
  const nothing = { versions: [], bindingPolicies: null, objects: null };
  assert.equal(
    ofWds({ ready: false, problem: true, reason: 'refused', ...nothing }),
    'k8s · → its1 · ✗ refused',
  );
});

test('a version with a known hole is marked', () =>
  assert.equal(
    ofIts({ versions: [version('OCM', '1.0.0')] }),
    'vcluster · ready · OCM 1.0.0 · ✗ CVE-2026-4740 · no WECs yet',
  ));

test('missing parts are named', () => {
  assert.equal(ofIts(), 'vcluster · ready · OCM 1.0.1 · no WECs yet');
  assert.equal(
    ofWds({ its: null, bindingPolicies: 0, objects: 0 }),
    'k8s · ready → an unknown ITS · KubeStellar 0.30.0 · no binding policies',
  );
  assert.equal(
    ofWds({ bindingPolicies: 2, objects: 1, sentNowhere: 1 }),
    'k8s · ready → its1 · KubeStellar 0.30.0 · 2 binding policies, 1 object · ✗ 1 policy without a WEC',
  );
  assert.match(lines(view({ itses: [], wdses: [] }))[0] ?? '', / · no ITS and no WDS yet$/);
});

test('running versions are distinguished from those of hooks, and are not guessed if unseen', () => {
  const behind = [
    version('OCM', '0.15.2'),
    version('status add-on', '0.2.0-rc16', '0.2.0-rc17'),
    version('k3s', '1.27.2'),
  ];
  assert.equal(
    ofIts({ versions: behind, wecs: null }),
    'vcluster · ready · OCM 0.15.2 · status add-on running 0.2.0-rc16, installed hooks 0.2.0-rc17 · ✗ CVE-2026-4740',
  );
  assert.equal(
    ofWds({ versions: [version('KubeStellar', '0.29.0', '0.30.0')] }),
    'k8s · ready → its1 · KubeStellar running 0.29.0, installed hooks 0.30.0 · 1 binding policy, 5 objects',
  );
  const unseen = {
    ...version('KubeStellar', ''),
    running: null,
    notVisible: 'not allowed to read pods',
  };
  assert.equal(
    ofWds({ versions: [unseen] }),
    'k8s · ready → its1 · KubeStellar not visible: not allowed to read pods · 1 binding policy, 5 objects',
  );
});

test('only the marks are coloured', () => {
  const [, , line] = lines(view({ itses: [its({ wecs: [silent] })] }), coloured);
  assert.equal(line, '│  └─ cluster2  \u001b[31m✗\u001b[39m lease stopped 11m ago');
});

test('the next step is about problems first, then about missing parts', () => {
  const steps: [Partial<StatusView>, string | undefined][] = [
    [{}, undefined],
    [{ hosting: hosting({ problem: true }) }, 'stellarctl doctor --hosting-context kind-kubeflex'],
    [{ itses: [its({ problem: true, wecs: null })] }, 'stellarctl its get its1'],
    [
      { itses: [its({ wecs: [asking, silent] })], wdses: [wds({ problem: true })] },
      'stellarctl wds get wds1',
    ],
    [{ itses: [its({ wecs: [asking, silent] })] }, 'stellarctl wec get cluster2 --its its1'],
    [{ itses: [its({ wecs: [asking] })] }, 'stellarctl accept cluster3 --its its1'],
    [{ itses: [] }, 'stellarctl its create its1'],
    [{ itses: [its()], wdses: [] }, 'stellarctl wec join NAME=CONTEXT --accept --its its1'],
    [
      { itses: [its({ wecs: null, ready: false }), its({ name: 'its2', context: 'its2' })] },
      'stellarctl wec join NAME=CONTEXT --accept --its its2',
    ],
    [
      { itses: [its({ wecs: [wec('cluster1')] }), its({ name: 'its2', context: 'its2' })] },
      undefined,
    ],
    [{ wdses: [] }, 'stellarctl wds create wds1'],
    [{ hosting: null, wdses: [] }, undefined],
  ];
  for (const [changes, step] of steps)
    assert.equal(nextOf(view(changes)), step, JSON.stringify(changes));
  assert.equal(
    nextOf(view({ itses: [] }), ['--hosting-context', 'h']),
    'stellarctl its create its1 --hosting-context h',
  );
});

test('a growing age is not a change, anything else is', () => {
  const since = (reason: string) =>
    comparable(view({ itses: [its({ wecs: [{ ...silent, reason }] })] }));
  assert.equal(since('lease stopped 11m ago'), since('lease stopped 2h5m ago'));
  assert.notEqual(since('lease stopped 11m ago'), since('the agent does not answer'));
  const named = (name: string) => comparable(view({ itses: [its({ wecs: [wec(name)] })] }));
  assert.notEqual(named('edge-5m'), named('edge-6m'));
});
