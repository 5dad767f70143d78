import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findingsOfStages, isNotable } from '../../../../../src/lib/core/checks.ts';
import { run } from '../../../../../src/lib/core/next-step.ts';
import { blockingStage, judge, standingOf } from '../../../../../src/lib/core/stages.ts';
import { hidden } from '../../../../../src/lib/kube/access.ts';
import { itsStages, readItsInside } from '../../../../../src/lib/spaces/space/its-stages.ts';
import type { SpaceEvidence } from '../../../../../src/lib/spaces/space/spaces.ts';
import {
  type ControlPlaneOptions,
  conditions,
  evidence,
  its,
  itsInside,
  job,
  MemoryCluster,
  pod,
  space,
  statefulSet,
} from '../../../support/space-builders.ts';

const done = {
  jobs: [
    job('its-hub-init', 'complete'),
    job('install-status-addon', 'complete'),
    job('update-cluster-info', 'complete'),
  ],
  statefulSets: [statefulSet('vcluster')],
};
const ready: ControlPlaneOptions = {
  type: 'vcluster',
  conditions: [conditions.synced, conditions.ready],
};
const created = { type: 'vcluster', conditions: [conditions.synced] };
const unknown = hidden('it was not checked');

function reports(plane: ControlPlaneOptions, seen: Partial<SpaceEvidence>, look = itsInside()) {
  const outside = evidence(its('its1', plane), seen);
  return judge(itsStages(outside), space(outside, look));
}
const blocking = (...parameters: Parameters<typeof reports>) => {
  const stage = blockingStage(reports(...parameters));
  if (stage === undefined) return 'nothing';
  return `${stage.id} ${stage.verdict.state}: ${'why' in stage.verdict ? stage.verdict.why : ''}`;
};

describe('an ITS has stages', () => {
  const idsOf = (plane: ControlPlaneOptions) =>
    itsStages(evidence(its('its1', plane))).map(({ id }) => id);
  const all = [
    'synced',
    'api-server',
    'reachable',
    'its-hub-init',
    'hub-runs',
    'hub-crds',
    'bootstrap-account',
    'hub-webhook',
    'install-status-addon',
    'workstatus-crd',
    'cluster-info',
    'ready',
  ];
  test('of a vcluster, with the address that it publishes', () =>
    assert.deepEqual(idsOf({ type: 'vcluster' }), all));
  test('of an existing hub, without the Job that would install it', () => {
    const hooks = [{ hookName: 'install-status-addon' }];
    const without = ['its-hub-init', 'cluster-info'];
    assert.deepEqual(
      idsOf({ type: 'host', hooks }),
      all.filter((id) => !without.includes(id)),
    );
  });
  test('of one created by kflex, with its older single hook', () => {
    const ids = idsOf({
      type: 'vcluster',
      hooks: [],
      spec: { postCreateHook: 'its-with-clusteradm' },
    });
    assert.equal(ids.includes('its-with-clusteradm'), true);
  });
  test('all of which are met when everything is done', () => {
    assert.equal(blocking(ready, done), 'nothing');
    assert.equal(standingOf(reports(ready, done)).stage, 'ready');
  });
});

describe('an ITS is blocked', () => {
  test('by a failed Job, although others continue', () => {
    const seen = { ...done, jobs: [job('its-hub-init', 'failed'), job('install-status-addon')] };
    assert.match(
      blocking({ type: 'vcluster' }, seen, itsInside({ hubServed: false })),
      /^its-hub-init failed/,
    );
  });
  test('by the pods of its hub: the Job that installs OCM only waits for them', () => {
    const hubPods = [
      pod('cluster-manager-registration-1', {
        namespace: 'open-cluster-management-hub',
        waiting: { reason: 'ImagePullBackOff' },
      }),
    ];
    assert.match(
      blocking(
        { type: 'vcluster' },
        { ...done, jobs: [job('its-hub-init')] },
        itsInside({ hubPods }),
      ),
      /^hub-runs failed: OCM does not run in it: pod cluster-manager-registration-1/,
    );
  });
  test('by its webhook, if that is not ready any more', () => {
    const hubPods = [
      pod('cluster-manager-registration-webhook-1', { namespace: 'open-cluster-management-hub' }),
    ];
    const silent = { state: 'silent', why: 'it does not answer', next: [] } as const;
    const inside = itsInside({ hubPods, webhook: silent });
    assert.match(blocking(ready, done, inside), /^hub-webhook failed: it does not answer/);
    assert.match(
      blocking(created, done, inside),
      /^hub-runs waiting: pod \S+ of the hub is starting/,
    );
  });
  test('by OCM kinds, the bootstrap account, WorkStatuses, each waited for', () => {
    assert.match(blocking(created, done, itsInside({ hubServed: false })), /^hub-crds waiting/);
    assert.match(
      blocking(created, done, itsInside({ hasBootstrapAccount: false })),
      /^bootstrap-account waiting: there is no ServiceAccount open-cluster-management\/agent-registration-bootstrap/,
    );
    assert.match(
      blocking(created, done, itsInside({ workStatusServed: false })),
      /^workstatus-crd waiting/,
    );
  });
  test('by the status add-on, although its Job is done', () => {
    const without = (forbidden: string[]) =>
      blocking(created, done, itsInside({ hasStatusAddon: false, forbidden: new Set(forbidden) }));
    assert.match(
      without([]),
      /^install-status-addon failed: Deployment \S+\/addon-status-controller is missing/,
    );
    assert.doesNotMatch(without(['deployments']), /addon/);
  });
  const account = 'ServiceAccount open-cluster-management/agent-registration-bootstrap';
  test('by what was deleted since it was ready, all of it, with the commands that restore it', () => {
    const without = itsInside({
      hasBootstrapAccount: false,
      clusterInfo: undefined,
      workStatusServed: false,
    });
    const stage = blockingStage(reports(ready, done, without));
    const lost = [
      account,
      'CustomResourceDefinition workstatuses.control.kubestellar.io',
      'ConfigMap kube-public/cluster-info',
    ];
    assert.equal(stage?.verdict.why, lost.map((what) => `${what} is missing`).join('; '));
    assert.deepEqual(
      stage.verdict.next?.map((step) => 'command' in step && step.command),
      [
        'kubectl --context its1 -n open-cluster-management create serviceaccount agent-registration-bootstrap',
        'helm show crds oci://ghcr.io/kubestellar/ocm-status-addon-chart --version VERSION | kubectl --context its1 apply -f -',
        'stellarctl its repair its1 --hosting-context kind-kubeflex',
      ],
    );
    const found = findingsOfStages('its', 'its1', reports(ready, done, without));
    assert.deepEqual(
      found.filter(isNotable).map(({ id }) => id),
      ['its-bootstrap-account', 'its-workstatus-crd', 'its-cluster-info'],
    );
  });
  test('by what a Job may still create, although KubeFlex reports it as ready', () => {
    const seen = { ...done, jobs: [job('its-hub-init')] };
    assert.match(
      blocking(ready, seen, itsInside({ hasBootstrapAccount: false })),
      /^its-hub-init waiting/,
    );
    const stage = reports(ready, seen, itsInside({ hasBootstrapAccount: false })).find(
      ({ id }) => id === 'bootstrap-account',
    );
    assert.equal(stage?.verdict.state, 'waiting');
  });
  test('by a webhook that does not answer: a failure once it runs or the ITS was ready before', () => {
    const webhook = {
      state: 'silent',
      why: 'its webhook does not answer',
      next: [run('kubectl …', 'Restart it')],
    } as const;
    const running = [
      pod('cluster-manager-registration-webhook-1', {
        namespace: 'open-cluster-management-hub',
        ready: true,
      }),
    ];
    assert.match(
      blocking(created, done, itsInside({ webhook })),
      /^hub-webhook waiting: its webhook does not/,
    );
    assert.match(
      blocking(created, done, itsInside({ webhook, hubPods: running })),
      /^hub-webhook failed/,
    );
    assert.match(blocking(ready, done, itsInside({ webhook })), /^hub-webhook failed/);
  });
  test('by the Job that publishes its address, even if KubeFlex reports it as ready', () => {
    const seen = {
      ...done,
      jobs: [...done.jobs.slice(0, 2), job('update-cluster-info', 'failed')],
    };
    assert.match(
      blocking(ready, seen, itsInside({ clusterInfo: undefined })),
      /^cluster-info failed: Job its1-system\/update-cluster-info has failed/,
    );
  });
  test('by an unpublished address although the Job is done', () =>
    assert.equal(
      blocking(ready, done, itsInside({ clusterInfo: undefined })),
      'cluster-info failed: ConfigMap kube-public/cluster-info is missing',
    ));
});

describe('an ITS that is ready is not blocked', () => {
  test('by what was not read', () => assert.equal(blocking(ready, done, unknown), 'nothing'));
  test('by Jobs that were deleted since', () => {
    const cleared = { ...ready, applied: ['its-hub-init', 'install-status-addon'] };
    assert.equal(blocking(cleared, { ...done, jobs: [] }), 'nothing');
    assert.equal(blocking(cleared, { ...done, jobs: [] }, unknown), 'nothing');
  });
  test('by what this user may not read, inside and outside', () => {
    const forbidden = new Set(['jobs', 'pods', 'deployments', 'statefulsets']);
    assert.equal(blocking(ready, { forbidden }, unknown), 'nothing');
    const blind = itsInside({
      hubServed: false,
      workStatusServed: false,
      hasBootstrapAccount: false,
      hubPods: [],
      webhook: { state: 'unseen', why: 'this user may not create ManagedClusters' },
      forbidden: new Set(['customresourcedefinitions', 'serviceaccounts', 'pods']),
    });
    assert.equal(blocking(ready, done, blind), 'nothing');
  });
});

test('a user who may not list pods inside an ITS sees the rest of it', async () => {
  const cluster = new MemoryCluster([
    {
      kind: 'CustomResourceDefinition',
      metadata: { name: 'managedclusters.cluster.open-cluster-management.io' },
      status: { conditions: [{ type: 'Established', status: 'True' }] },
    } as never,
    {
      kind: 'ServiceAccount',
      metadata: { name: 'agent-registration-bootstrap', namespace: 'open-cluster-management' },
    },
  ]);
  cluster.forbidden.add('pods');
  const inside = await readItsInside(cluster.kube);
  assert.deepEqual(
    [
      inside.hubServed,
      inside.workStatusServed,
      inside.hasBootstrapAccount,
      inside.hubPods,
      [...inside.forbidden],
    ],
    [true, false, true, [], ['pods']],
  );
});

describe('an ITS whose API server has nothing of its hub', () => {
  const empty = { hubServed: false, hubPods: [], hasBootstrapAccount: false, webhook: undefined };
  const ofHub = (plane: ControlPlaneOptions, inside: Parameters<typeof itsInside>[0]) =>
    reports(plane, done, itsInside({ ...empty, ...inside })).find(({ id }) => id === 'hub-crds')
      ?.verdict;
  test('has lost it if it was ready, and is repaired', () => {
    const verdict = ofHub(ready, {});
    assert.ok(verdict?.state === 'failed' && verdict.isLoss);
    assert.equal(verdict.why, 'OCM is missing');
    assert.match(JSON.stringify(verdict.next), /stellarctl its repair its1/);
  });
  test('has not if anything of it is there, may not be read, or is still installed', () => {
    for (const inside of [
      { hubPods: [pod('cluster-manager-1')] },
      { hasBootstrapAccount: true },
      { forbidden: new Set(['secrets']) },
    ])
      assert.notEqual(ofHub(ready, inside)?.state, 'failed');
    assert.equal(ofHub({ type: 'vcluster' }, {})?.state, 'waiting');
    assert.equal(
      ofHub({ ...ready, hooks: [{ hookName: 'install-status-addon' }] }, {})?.state,
      'waiting',
    );
  });
});
