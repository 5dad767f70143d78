import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StellarError } from '../../../../../src/lib/core/errors.ts';
import {
  blockingStage,
  judge,
  standingOf,
  type Verdict,
} from '../../../../../src/lib/core/stages.ts';
import type { Access } from '../../../../../src/lib/kube/access.ts';
import {
  isItsNameDefect,
  isWiredFor,
} from '../../../../../src/lib/spaces/space/its-name-defect.ts';
import type { SpaceEvidence } from '../../../../../src/lib/spaces/space/spaces.ts';
import {
  type ItsOfWds,
  readWdsInside,
  type WdsInside,
  wdsStages,
} from '../../../../../src/lib/spaces/space/wds-stages.ts';
import { fakeKube } from '../../../support/builders.ts';
import {
  conditions,
  deployment,
  evidence,
  MemoryCluster,
  space,
  wds,
  wdsDeployments,
  wdsInside,
} from '../../../support/space-builders.ts';
import { matches, stepsOf } from '../../../support/steps.ts';

const plane = wds('wds1', '', { type: 'k8s', conditions: [conditions.synced, conditions.ready] });
const server = deployment('kube-apiserver');
const running = { deployments: [server, ...wdsDeployments('')] };

const reports = (seen: Partial<SpaceEvidence> = running, look: Access<WdsInside> = wdsInside()) =>
  judge(wdsStages, space(evidence(plane, { role: 'wds', ...seen }), look));
const blocking = (...parameters: Parameters<typeof reports>) => {
  const stage = blockingStage(reports(...parameters));
  return stage && `${stage.id} ${said(stage.verdict)}`;
};
const said = (verdict: Verdict) =>
  verdict.state === 'met' ? 'met' : `${verdict.state}: ${verdict.why}`;
const usual: ItsOfWds = {
  name: 'its1',
  isReady: true,
  workStatusServed: true,
  propertiesNamespace: true,
};

test('nothing blocks a complete WDS', () => {
  assert.equal(blocking(), undefined);
  assert.equal(standingOf(reports()).stage, 'ready');
});

test('what only an ITS that does not answer shows is unseen, whatever KubeFlex reports', () => {
  const states = reports(
    running,
    wdsInside({ its: undefined, itsProblem: 'Cannot reach its1' }),
  ).map(({ id, verdict }) => `${id} ${verdict.state}`);
  assert.ok(states.includes('ready met'), states.join());
  assert.deepEqual(
    states.filter((state) => state.endsWith('unseen')),
    ['its-workstatus unseen', 'properties-namespace unseen'],
  );
});

test('an API server that answers runs, even if its Deployment may not be read', () => {
  const states = reports({ ...running, deployments: [], forbidden: new Set(['deployments']) }).map(
    ({ id, verdict }) => `${id} ${verdict.state}`,
  );
  assert.deepEqual(states.slice(1, 4), [
    'api-server met',
    'reachable met',
    'kubestellar-controller unseen',
  ]);
});

describe('a WDS is blocked', () => {
  const cases: [what: string, inside: Partial<WdsInside>, blocked: RegExp][] = [
    [
      'the kinds of KubeStellar, the first of which is named',
      { missingCrds: ['bindings.control.kubestellar.io', 'x'] },
      /^wds-crds waiting: there is no bindings\.control\.kubestellar\.io yet$/,
    ],
    [
      'an ITS that is ready without WorkStatuses, which KubeStellar does not report',
      { its: { ...usual, workStatusServed: false } },
      /^its-workstatus failed: the ITS its1 has no workstatuses\.control\.kubestellar\.io/,
    ],
    [
      'an ITS that is not ready yet, for which it waits',
      { its: { ...usual, isReady: false, workStatusServed: false } },
      /^its-workstatus waiting: its ITS its1 is not ready yet/,
    ],
    [
      'a transport that has not reached the ITS',
      { its: { ...usual, propertiesNamespace: false } },
      /^properties-namespace waiting: .*customization-properties in its1/,
    ],
  ];
  for (const [what, inside, blocked] of cases)
    test(`by ${what}`, () => matches(blocking(running, wdsInside(inside)), blocked));
  test('by the defect of 0.30, for which there is a repair', () => {
    const [transport, manager] = wdsDeployments('its1');
    const deployments = [
      server,
      { ...transport, status: {} },
      manager,
    ] as SpaceEvidence['deployments'];
    const stage = blockingStage(reports({ deployments }));
    assert.equal(stage?.id, 'transport-controller');
    assert.deepEqual(
      stage?.verdict.state === 'failed' && stepsOf(stage.verdict),
      'Repair it: stellarctl wds repair wds1 --hosting-context kind-kubeflex',
    );
  });
  test('by a controller manager that is scaled to zero, of which a bare start may cost the workloads', () => {
    const stopped = { ...deployment('kubestellar-controller-manager'), spec: { replicas: 0 } };
    const stage = blockingStage(reports({ deployments: [server, stopped] }));
    assert.deepEqual(
      [stage?.id, stage?.verdict.state === 'failed' && stepsOf(stage.verdict)],
      [
        'kubestellar-controller',
        'Start it, so that its workloads stay: stellarctl wds restart wds1 --hosting-context kind-kubeflex',
      ],
    );
  });
});

describe('a WDS that is ready is not blocked', () => {
  test('by an ITS that cannot be reached', () =>
    assert.equal(blocking(running, wdsInside({ its: undefined })), undefined));
  test('by definitions that this user may not read', () =>
    assert.equal(
      blocking(
        running,
        wdsInside({ missingCrds: ['x'], forbidden: new Set(['customresourcedefinitions']) }),
      ),
      undefined,
    ));
});

test('an ITS that does not answer hides only its own part', async () => {
  const silent = fakeKube({
    get: async () => {
      throw new StellarError('unreachable', 'Cannot reach its1.');
    },
  });
  const inside = await readWdsInside(new MemoryCluster().kube, {
    name: 'its1',
    isReady: true,
    kube: silent,
  });
  assert.deepEqual(
    [inside.missingCrds.length, inside.its, inside.itsProblem],
    [5, undefined, 'Cannot reach its1'],
  );
});

test('a transport that waits for an ITS that does not answer is reported', () => {
  const deployments = running.deployments.map((one) =>
    one.metadata.name === 'transport-controller' ? { ...one, status: { readyReplicas: 0 } } : one,
  );
  matches(
    blocking({ deployments }, wdsInside({ its: undefined, itsProblem: 'Cannot reach its1' })),
    /^transport-controller waiting: its ITS does not answer: Cannot reach its1/,
  );
});

describe('the transport of 0.30 does not start', () => {
  const withArgs = (...args: string[]) => ({
    ...deployment('transport-controller'),
    spec: { template: { spec: { initContainers: [{ name: 'get-its-kubeconfig', args }] } } },
  });
  const selector = '--control-plane-label-selector';
  test('with a name beside the selector, in either spelling', () => {
    assert.equal(isItsNameDefect(withArgs(selector, 'a=b', '--control-plane-name', 'its1')), true);
    assert.equal(isItsNameDefect(withArgs(`${selector}=a=b`, '--control-plane-name=its1')), true);
  });
  test('but does with one of them, or an empty one', () => {
    assert.equal(isItsNameDefect(withArgs(selector, 'a=b', '--control-plane-name', '')), false);
    assert.equal(isItsNameDefect(withArgs(selector, 'a=b')), false);
    assert.equal(isItsNameDefect(withArgs('--control-plane-name', 'its1')), false);
    assert.equal(isItsNameDefect(undefined), false);
  });
});

describe('the parts of a WDS are created for an ITS', () => {
  test('if both Deployments say so', () => {
    assert.equal(isWiredFor('its2', wdsDeployments('its2', { selector: false })), true);
    assert.equal(isWiredFor('', wdsDeployments('')), true);
  });
  test('not if they were created for another one, or cannot start', () => {
    assert.equal(isWiredFor('its2', wdsDeployments('its1', { selector: false })), false);
    assert.equal(isWiredFor('its2', wdsDeployments('')), false);
    assert.equal(isWiredFor('its2', wdsDeployments('its2')), false);
  });
  test('if they are missing: they will be created so', () =>
    assert.equal(isWiredFor('its2', []), true));
});
