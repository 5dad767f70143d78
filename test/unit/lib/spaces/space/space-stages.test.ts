import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StellarError } from '../../../../../src/lib/core/errors.ts';
import type { Verdict } from '../../../../../src/lib/core/stages.ts';
import { type Access, hidden, hiddenBy } from '../../../../../src/lib/kube/access.ts';
import { isHookMarked } from '../../../../../src/lib/spaces/space/controllers-run.ts';
import {
  apiServerAnswers,
  apiServerRuns,
  deploymentRuns,
  jobDone,
  ready,
  synced,
} from '../../../../../src/lib/spaces/space/space-stages.ts';
import type { SpaceEvidence } from '../../../../../src/lib/spaces/space/spaces.ts';
import {
  conditions,
  controlPlane,
  deployment,
  evidence,
  its,
  job,
  notSynced,
  pod,
  space,
  statefulSet,
} from '../../../support/space-builders.ts';
import { stepsOf } from '../../../support/steps.ts';

/** A verdict as `state: why`. */
const said = (verdict: Verdict) =>
  verdict.state === 'met' ? 'met' : `${verdict.state}: ${verdict.why}`;
const says = (verdict: Verdict, expected: string | RegExp) =>
  typeof expected === 'string'
    ? assert.equal(said(verdict), expected)
    : assert.match(said(verdict), expected);
const stepsIn = (verdict: Verdict) =>
  verdict.state === 'failed' ? stepsOf(verdict) : assert.fail(said(verdict));

describe('observed by KubeFlex', () => {
  const after = (message: string, spec = {}, type = 'host') =>
    synced(evidence(its('its1', { type, conditions: [notSynced(message)], spec })));

  test('is met when KubeFlex reports it', () => says(synced(evidence(its('its1'))), 'met'));
  // live/controlplane-host.json: the first read precedes the token controller's write.
  test('waits for Secrets that KubeFlex itself creates', () =>
    says(after('Secret "its1" not found'), 'waiting: KubeFlex waits for its Secret its1'));
  // live/controlplane-k8s.json
  test('fails without PostgreSQL, with the command that installs it', () => {
    const verdict = after('Secret "postgres-postgresql" not found', {}, 'k8s');
    says(verdict, /^failed: .*no PostgreSQL/);
    assert.match(stepsIn(verdict), /postgres.*\n.*--type host/);
  });
  // live/controlplane-vcluster-no-network.json
  test('fails with the words of KubeFlex', () => {
    const words =
      'looks like "https://charts.loft.sh" is not a valid chart repository or cannot be reached';
    says(after(words, {}, 'vcluster'), `failed: KubeFlex cannot set it up: ${words}`);
  });
  test('fails if KubeFlex may not grant permissions to a host; the step is the command that grants them', () => {
    const words =
      'clusterrolebindings.rbac.authorization.k8s.io "its1" is forbidden: user cannot create';
    assert.match(
      stepsIn(after(words)),
      /kubeflex-manager-cluster-admin-rolebinding.*stellarctl its create its1 --type host --hosting-context kind-kubeflex/,
    );
  });
  describe('of an external cluster', () => {
    const external = (message: string) =>
      after(
        message,
        { bootstrapSecretRef: { name: 'its1-bootstrap', namespace: 'kubeflex-system' } },
        'external',
      );
    test('fails without its bootstrap Secret', () => {
      const verdict = external('Secret "its1-bootstrap" not found');
      says(verdict, /^failed: its bootstrap Secret kubeflex-system\/its1-bootstrap does not exist/);
      assert.match(stepsIn(verdict), /its create its1 --type external --bootstrap-context/);
    });
    test('fails with one for an unreachable address, with the command that replaces it', () => {
      const verdict = external(
        'error creating ClusterRoleBinding on the adopted cluster: Get "https://ext:6443": dial tcp: no such host',
      );
      says(verdict, /no such host/);
      assert.match(
        stepsIn(verdict),
        /its create its1 --type external --bootstrap-context CONTEXT --hub-apiserver/,
      );
    });
  });
  describe('before KubeFlex has reported anything', () => {
    const untouched = (manager: SpaceEvidence['manager']) =>
      synced(evidence(its('its1', { conditions: [] }), { manager }));
    const manager = 'kubeflex-controller-manager';
    const pods = [pod(`${manager}-1`, { waiting: { reason: 'ImagePullBackOff' } })];
    const starting = deployment(manager, false);
    const cases: [what: string, seen: SpaceEvidence['manager'], verdict: RegExp][] = [
      [
        'waits for a manager that runs',
        { deployment: deployment(manager), pods: [] },
        /^waiting: KubeFlex has not observed/,
      ],
      ['waits if the manager may not be read', undefined, /^waiting/],
      [
        'fails without a manager',
        { deployment: undefined, pods: [] },
        /^failed: Deployment \S+ is missing/,
      ],
      [
        'fails with a manager that cannot run',
        { deployment: starting, pods },
        /^failed: .*cannot be pulled/,
      ],
      [
        'waits for a manager that starts',
        { deployment: starting, pods: [] },
        /^waiting: KubeFlex's manager is starting/,
      ],
    ];
    for (const [what, seen, verdict] of cases) test(what, () => says(untouched(seen), verdict));
  });
});

describe('API server runs', () => {
  const ofType = (type: string, seen: Partial<SpaceEvidence> = {}) =>
    apiServerRuns(evidence(its('its1', { type }), seen));
  test('by the StatefulSet of a vcluster', () => {
    says(ofType('vcluster', { statefulSets: [statefulSet('vcluster')] }), 'met');
    says(
      ofType('vcluster', { statefulSets: [statefulSet('vcluster', false)] }),
      /^waiting: .*starting/,
    );
    says(ofType('vcluster'), /^waiting: KubeFlex has not created StatefulSet vcluster/);
  });
  test('by the Deployment of type k8s', () => {
    says(ofType('k8s', { deployments: [deployment('kube-apiserver')] }), 'met');
    says(
      ofType('k8s', { deployments: [deployment('kube-controller-manager')] }),
      /^waiting: .*not created/,
    );
  });
  test('but not if its image cannot be pulled', () =>
    says(
      ofType('vcluster', {
        statefulSets: [statefulSet('vcluster', false)],
        pods: [pod('vcluster-0', { waiting: { reason: 'ErrImagePull' } })],
      }),
      /^failed: its API server does not start: .*vcluster-0/,
    ));
  test('is unseen without permission', () =>
    says(ofType('vcluster', { forbidden: new Set(['statefulsets']) }), /^unseen: .*statefulsets/));
  test('of another cluster, as soon as KubeFlex has reconciled the space', () => {
    says(ofType('host'), 'met');
    says(apiServerRuns(evidence(its('its1', { conditions: [notSynced('x')] }))), /^waiting/);
  });
});

describe('API server answers', () => {
  const silent = hiddenBy(new StellarError('unreachable', 'so.'));
  const looking = (look: Access<never>, type = 'vcluster', ready = true) =>
    apiServerAnswers(
      space(evidence(its('its1', { type }), { pods: [pod('vcluster-0', { ready })] }), look),
    );
  test('fails if it is silent; where its address was not tried, the step is to check that', () => {
    says(looking(silent), 'failed: so');
    assert.match(
      stepsIn(looking(silent)),
      /See whether clients reach.*doctor --pre --hosting-context kind-kubeflex/,
    );
    assert.equal(stepsIn(looking(silent, 'external')), '');
  });
  test('fails with a look at its pods if none is ready, before the ingress', () => {
    const dead = looking(silent, 'vcluster', false);
    says(dead, 'failed: so; pod vcluster-0 of its API server is not ready');
    assert.equal(
      stepsIn(dead),
      'See why: kubectl --context kind-kubeflex -n its1-system describe pods vcluster-0',
    );
  });
  test('is waited for, or unseen', () => {
    says(looking({ state: 'absent', why: 'so' }), 'waiting: so');
    says(looking(hidden('so')), 'unseen: so');
  });
});

describe("a hook's Job", () => {
  const done = jobDone('its-hub-init', isHookMarked('its-hub-init'));
  const plane = its('its1');
  test('is done when it is complete', () =>
    says(done(evidence(plane, { jobs: [job('its-hub-init', 'complete')] })), 'met'));
  test('is done when it is deleted and KubeFlex has recorded it', () =>
    says(done(evidence(its('its1', { applied: ['its-hub-init'] }))), 'met'));
  test('is waited for before it exists, and while it runs', () => {
    says(done(evidence(plane)), /^waiting: KubeFlex has not created Job its-hub-init/);
    says(
      done(evidence(plane, { jobs: [job('its-hub-init')] })),
      /^waiting: Job its-hub-init is running/,
    );
  });
  test('is unseen without permission', () =>
    says(done(evidence(plane, { forbidden: new Set(['jobs']) })), /^unseen/));
  test('has failed permanently with reason and attempts, and can be repaired', () => {
    const verdict = done(evidence(plane, { jobs: [job('its-hub-init', 'failed')] }));
    says(
      verdict,
      'failed: Job its1-system/its-hub-init has failed (BackoffLimitExceeded, 2 tries)',
    );
    assert.equal(verdict.state === 'failed' && verdict.final, true);
    assert.match(stepsIn(verdict), /: stellarctl its repair its1 --hosting-context kind-kubeflex$/);
    says(done(evidence(plane, { jobs: [job('its-hub-init', 'failed', 1)] })), /, 1 try\)/);
  });
  test('has failed, although KubeFlex has recorded it as applied (kflex create)', () => {
    const applied = its('its1', { applied: ['its-hub-init'] });
    says(done(evidence(applied, { jobs: [job('its-hub-init', 'failed')] })), /^failed/);
  });
  test('only reports a possible image problem, and no failed attempt', () => {
    const running = { jobs: [job('its-hub-init')] };
    const image = pod('its-hub-init-a', { waiting: { reason: 'ImagePullBackOff' } });
    const verdict = done(evidence(plane, { ...running, pods: [image] }));
    says(verdict, /^failed: Job its-hub-init: .*cannot be pulled/);
    assert.equal('final' in verdict, false);
    const failedTry = pod('its-hub-init-a', { phase: 'Failed', exitCode: 1 });
    says(done(evidence(plane, { ...running, pods: [failedTry] })), /^waiting/);
  });
});

describe('a Deployment', () => {
  const runs = deploymentRuns('transport-controller');
  const plane = controlPlane('wds1');
  const starting = { deployments: [deployment('transport-controller', false)] };
  test('runs, starts, is missing, is unseen', () => {
    says(runs(evidence(plane, { deployments: [deployment('transport-controller')] })), 'met');
    says(runs(evidence(plane, starting)), /^waiting: .*starting/);
    says(runs(evidence(plane)), /^waiting: KubeFlex has not created/);
    says(runs(evidence(plane, { forbidden: new Set(['deployments']) })), /^unseen/);
    const hooks = [{ hookName: 'stellarctl-transport-controller' }];
    const created = controlPlane('wds1', { hooks, applied: ['stellarctl-transport-controller'] });
    const lost = runs(evidence(created, { role: 'wds' }));
    says(lost, /^failed: Deployment transport-controller is missing, .*does not recreate/);
    assert.match(stepsIn(lost), /^Repair it: stellarctl wds repair wds1 /);
    says(runs(evidence(created, { forbidden: new Set(['deployments']) })), /^unseen/);
  });
  test('fails if its pods are refused', () => {
    const refused = { ...deployment('transport-controller', false) };
    const conditions = [
      { type: 'ReplicaFailure', status: 'True', message: 'pods "a" is forbidden: exceeded quota' },
    ];
    const verdict = runs(
      evidence(plane, { deployments: [{ ...refused, status: { conditions } }] }),
    );
    says(
      verdict,
      /^failed: Deployment transport-controller does not start: its pods are refused: pods "a"/,
    );
    assert.match(JSON.stringify(verdict), /describe namespace wds1-system/);
  });
  test('fails with a crashing pod', () => {
    const pods = [
      pod('transport-controller-1-a', {
        init: true,
        waiting: { reason: 'CrashLoopBackOff' },
        restarts: 4,
        lastExitCode: 1,
      }),
    ];
    says(runs(evidence(plane, { ...starting, pods })), /^failed: .*exit 1, restarted 4 times/);
  });
});

test('ready is what KubeFlex reports, and a space without any such condition is not', () => {
  says(ready(evidence(its('its1', { conditions: [conditions.ready] }))), 'met');
  says(ready(evidence(its('its1'))), 'waiting: Waiting for PostCreateHook completion');
  // live/controlplane-missing-hook.json
  says(
    ready(evidence(its('its1', { conditions: [conditions.synced] }))),
    /^waiting: KubeFlex says nothing/,
  );
});
