import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runChecks } from '../../../../../src/lib/core/checks.ts';
import type { Deployment, KubeObject } from '../../../../../src/lib/kube/client/objects.ts';
import type {
  ControlPlane,
  PostCreateHook,
} from '../../../../../src/lib/ocm/model/kubeflex-objects.ts';
import { versionsOfHooks } from '../../../../../src/lib/ocm/versions/program-versions.ts';
import type { SpaceTools } from '../../../../../src/lib/spaces/hosting/hosting.ts';
import {
  checkSpace,
  itsOfWdsChecks,
  versionChecks,
} from '../../../../../src/lib/spaces/space/space-checks.ts';
import { SpaceWatcher } from '../../../../../src/lib/spaces/space/space-watcher.ts';
import { fakeKube } from '../../../support/builders.ts';
import {
  conditions,
  deployment,
  evidence,
  inSpace,
  its,
  kubeconfigOf,
  MemoryCluster,
  pod,
  space,
  statefulSet,
  wds,
  wdsInside,
} from '../../../support/space-builders.ts';
import { stepsOf } from '../../../support/steps.ts';

async function judged(all: ControlPlane[], deployments: Deployment[] = []) {
  const hosting = fakeKube({ cluster: { context: 'kind', server: 'https://kind' } });
  const among = {
    space: evidence(wds('wds1'), { deployments, hosting: 'kind' }),
    all,
    hosting,
    kube: undefined,
  };
  const [found] = await runChecks(itsOfWdsChecks, among);
  assert.ok(found);
  return found;
}

test('a WDS that names no ITS uses the only one, and none of several', async () => {
  const two = [its('its1'), its('its2')];
  assert.equal((await judged([its('its1'), wds('wds1')])).status, 'pass');
  assert.equal(
    (await judged([...two, wds('wds1')], [deployment('kubestellar-controller-manager')])).status,
    'warn',
  );
  assert.equal((await judged([...two, wds('wds1', 'its2')])).status, 'pass');
  const found = await judged([...two, wds('wds1')]);
  assert.ok(found.status === 'fail');
  assert.match(found.problem.message, /^wds1 names no ITS, and there are several: its1, its2\.$/);
  assert.match(
    stepsOf(found.problem),
    /stellarctl wds repair wds1 --hosting-context kind --its ITS$/,
  );
});

test('a WDS may name a missing ITS, and there may be none', async () => {
  for (const [itsName, says] of [
    ['its9', /names the ITS its9, which does not exist/],
    ['', /names no ITS, and there is none/],
  ] as const) {
    const found = await judged([wds('wds1', itsName)]);
    assert.ok(found.status === 'fail');
    assert.match(found.problem.message, says);
  }
});

test('a WDS whose controllers differ from the installed hooks keeps running, which is a warning', async () => {
  const image = (tag: string) => `ghcr.io/kubestellar/kubestellar/controller-manager:${tag}`;
  const containers = (tag: string) => [{ name: 'manager', image: image(tag) }];
  const hook = {
    metadata: { name: 'kubestellar-controller' },
    spec: {
      templates: [
        {
          metadata: { name: 'm' },
          spec: { template: { spec: { containers: containers('0.30.0') } } },
        },
      ],
    },
  };
  const hooks = versionsOfHooks([hook as PostCreateHook]);
  const judgedAt = async (tag: string, forbidden: string[] = []) => {
    const pod = {
      metadata: { name: 'kubestellar-controller-manager-1' },
      spec: { containers: containers(tag) },
      status: { containerStatuses: [{ name: 'manager', state: { running: {} } }] },
    };
    const seen = {
      role: 'wds' as const,
      pods: forbidden.length > 0 ? [] : [pod],
      forbidden: new Set(forbidden),
    };
    const wds1 = space(evidence(wds('wds1'), seen), wdsInside());
    const [found] = await runChecks(versionChecks('wds'), { space: wds1, hooks });
    assert.ok(found);
    return found;
  };
  assert.equal((await judgedAt('0.30.0')).status, 'pass');
  assert.equal((await judgedAt('0.30.0', ['pods'])).status, 'skipped');
  const found = await judgedAt('0.29.0');
  assert.ok(found.status === 'warn');
  assert.equal(
    found.problem.message,
    'wds1 has KubeStellar running 0.29.0, installed hooks 0.30.0.',
  );
});

test('an ITS that was ready and whose API server has lost its node has failed, with what took its place', async () => {
  const checked = async (applied: string[]) => {
    const plane = its('its1', { type: 'vcluster', applied, conditions: [conditions.synced] });
    const events = ['Killing', 'Preempted'].map((reason) =>
      inSpace('Event', 'its1', {
        metadata: { name: 'e' },
        reason,
        involvedObject: { name: 'vcluster-0' },
        related: { namespace: 'wds2-system', name: 'kube-apiserver-1' },
      } as KubeObject),
    );
    const { kube: hosting } = new MemoryCluster([
      plane,
      ...events,
      inSpace('StatefulSet', 'its1', statefulSet('vcluster', false)),
      inSpace(
        'Pod',
        'its1',
        pod('vcluster-0', { unschedulable: '0/1 nodes are available: 1 Insufficient cpu.' }),
      ),
    ]);
    const context = { name: 'kind', server: 'https://kind', cluster: {}, user: {} };
    const tools = { hosting, hostingContext: context, kubeconfig: kubeconfigOf({}) } as SpaceTools;
    const reading = await new SpaceWatcher(tools).read('its1', 'its');
    assert.ok(reading);
    const installed = { all: [plane], hooks: versionsOfHooks([]) };
    const found = await checkSpace(reading, installed, tools);
    return found.findings.find(({ id }) => id === 'its-api-server');
  };
  const found = await checked(['its-hub-init', 'install-status-addon']);
  assert.ok(found?.status === 'fail');
  assert.match(
    found.problem.message,
    /vcluster-0 cannot be scheduled: 0\/1 nodes are available: 1 Insufficient cpu/,
  );
  assert.deepEqual(found.problem.details, [
    'The scheduler has removed pod vcluster-0 for wds2-system/kube-apiserver-1.',
  ]);
  assert.equal((await checked(['its-hub-init']))?.status, 'warn');
});
