import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hookNames } from '../../../../../src/lib/ocm/model/kubeflex-names.ts';
import { coreChart } from '../../../../../src/lib/spaces/hosting/core-chart.ts';
import {
  type ClusterState,
  type InstallRequest,
  makePlan,
} from '../../../../../src/lib/spaces/install/install-plan.ts';
import { failsWith } from '../../../support/steps.ts';

const hooks = Object.values(hookNames);
const fresh = { 'kubeflex-operator': { hostContainer: 'kubeflex-control-plane' } };
const nothing: ClusterState = {
  isOpenShift: false,
  kubeFlex: 'absent',
  release: coreChart.release,
  revisions: [],
  values: {},
  allValues: {},
  hooks: [],
  imageRegistry: undefined,
};

/** A release with these revisions, as `status version`. */
function installed(revisions: string[], rest: Partial<ClusterState> = {}): ClusterState {
  return {
    ...nothing,
    kubeFlex: 'of-release',
    hooks,
    revisions: revisions.map((text, index) => {
      const [status = '', version = '', name = 'core-chart'] = text.split(' ');
      return { revision: index + 1, status, chart: { name, version } };
    }),
    ...rest,
  };
}

const plan = (clusterState: ClusterState, asked: Partial<InstallRequest> = {}) =>
  makePlan(
    clusterState,
    {
      version: undefined,
      upgrade: false,
      values: {},
      chart: undefined,
      imageRegistry: undefined,
      ...asked,
    },
    fresh,
    'host1',
  );

const decided = (...parameters: Parameters<typeof plan>) => {
  const { action, version } = plan(...parameters);
  return `${action} ${version}`;
};

test('a first installation gets the default version, and detected settings that explicit values override', () => {
  assert.equal(decided(nothing), `install ${coreChart.version}`);
  assert.equal(decided(nothing, { version: '0.29.1' }), 'install 0.29.1');
  const { values } = plan(nothing, {
    values: { 'kubeflex-operator': { hostContainer: 'mine' }, ITSes: [] },
  });
  assert.deepEqual(values, { 'kubeflex-operator': { hostContainer: 'mine' }, ITSes: [] });
});

test('a rerun changes nothing, regardless of the newest version', () => {
  for (const version of ['0.29.0', coreChart.version, '0.99.0'])
    assert.equal(decided(installed([`deployed ${version}`])), `nothing ${version}`);
  const domain = { 'kubeflex-operator': { domain: 'x' } };
  assert.equal(
    decided(installed(['deployed 0.30.0'], { allValues: domain }), { values: domain }),
    'nothing 0.30.0',
  );
  assert.equal(
    decided(installed(['deployed 0.30.0']), { version: '0.30.0', upgrade: true }),
    'nothing 0.30.0',
  );
});

test('other values, a failed attempt and missing objects are fixed with the same chart', () => {
  const release = installed(['deployed 0.29.0']);
  assert.equal(decided(release, { values: { InstallPCHs: true } }), 'change 0.29.0');
  assert.equal(decided({ ...release, hooks: hooks.slice(1) }), 'change 0.29.0');
  assert.equal(decided({ ...release, kubeFlex: 'absent' }), 'change 0.29.0');
  const kept = { 'kubeflex-operator': { install: false } };
  assert.equal(decided({ ...release, kubeFlex: 'absent', values: kept }), 'nothing 0.29.0');
  assert.equal(decided(installed(['superseded 0.29.0', 'failed 0.29.0'])), 'change 0.29.0');
});

test('a release that was never deployed is installed again, with its values', () => {
  const values = { 'kubeflex-operator': { domain: 'x' } };
  for (const revisions of [
    ['failed 0.30.0'],
    ['pending-install 0.30.0'],
    ['failed 0.29.0', 'failed 0.30.0'],
  ]) {
    const again = plan(installed(revisions, { values }), { values: { verbosity: 3 } });
    assert.equal(again.action, 'install-again');
    assert.deepEqual(again.values, {
      'kubeflex-operator': { domain: 'x', hostContainer: 'kubeflex-control-plane' },
      verbosity: 3,
    });
  }
});

test('a newer chart needs --upgrade; an older one is rejected with and without it', () => {
  const release = installed(['deployed 0.29.0']);
  assert.equal(decided(release, { upgrade: true }), `upgrade ${coreChart.version}`);
  assert.equal(decided(release, { upgrade: true, version: '0.31.0' }), 'upgrade 0.31.0');
  assert.throws(
    () => plan(release, { version: '0.31.0', chart: './c.tgz' }),
    failsWith({
      code: 'upgrade-needed',
      steps:
        'Upgrade it: stellarctl init --upgrade --version 0.31.0 --chart ./c.tgz --hosting-context host1',
    }),
  );
  for (const upgrade of [true, false])
    assert.throws(() => plan(installed(['deployed 0.31.0']), { version: '0.30.0', upgrade }), {
      code: 'upgrade-needed',
      message: /has chart 0\.31\.0, which is newer than 0\.30\.0/,
    });
  assert.equal(decided(installed(['deployed 0.99.0']), { upgrade: true }), 'nothing 0.99.0');
});

test('a failed upgrade is resumed, not rolled back', () => {
  const release = installed(['deployed 0.30.0', 'failed 0.31.0']);
  assert.equal(decided(release, { upgrade: true, version: '0.31.0' }), 'upgrade 0.31.0');
  assert.throws(
    () => plan(release),
    failsWith({ code: 'upgrade-needed', steps: /--upgrade --version 0\.31\.0/ }),
  );
});

test('a release of that name with another chart is not changed', () => {
  assert.throws(() => plan(installed(['deployed 1.2.3 nginx'])), {
    code: 'conflict',
    message: /another chart, nginx/,
  });
});

test('the registry of an installation is kept, and another one changes it', () => {
  const mirrored = installed(['deployed 0.30.0'], { imageRegistry: 'r.example' });
  assert.deepEqual([plan(mirrored).action, plan(mirrored).imageRegistry], ['nothing', 'r.example']);
  assert.equal(plan(mirrored, { version: '0.31.0', upgrade: true }).imageRegistry, 'r.example');
  const moved = plan(mirrored, { imageRegistry: 'other.example' });
  assert.deepEqual([moved.action, moved.imageRegistry], ['change', 'other.example']);
  assert.equal(
    plan(installed(['deployed 0.30.0']), { imageRegistry: 'r.example' }).action,
    'change',
  );
});
