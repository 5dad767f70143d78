import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planUpgrades, type VersionsView } from '../../../../src/lib/installation/versions.ts';
import type { RunningVersion } from '../../../../src/lib/ocm/versions/running-versions.ts';

const runs = (product: string, running: string[] | null, wanted?: string): RunningVersion => ({
  ...{ product, component: product, running, differs: false },
  wanted: wanted === undefined ? null : { version: wanted, by: 'installed hooks' },
});

const view = (changes: Partial<VersionsView> = {}): VersionsView => ({
  hosting: { name: 'kf', versions: [runs('KubeFlex', ['0.9.1'])], hooksVersion: '0.29.0' },
  itses: [
    {
      name: 'its1',
      versions: [
        runs('OCM', ['1.0.0']),
        runs('status add-on', ['0.2.0'], '0.2.0'),
        runs('k3s', ['1.27.2']),
      ],
    },
  ],
  wdses: [{ name: 'wds1', versions: [runs('KubeStellar', ['0.29.0'])] }],
  wecs: [{ name: 'c1', hubVersion: '1.0.0', versions: [runs('OCM', ['1.0.0'])] }],
  ...{ fits: true, problems: [] },
  ...changes,
});

const plan = (given?: string, changes?: Partial<VersionsView>) => {
  const { items, to } = planUpgrades(view(changes), given, (wec) => `kind-${wec}`);
  return {
    to,
    rows: items.map(({ name, product, state, command }) => [name, product, state, command]),
  };
};

test('the parts of an installation are upgraded in their order', () => {
  const init = 'stellarctl init --upgrade --hosting-context kf';
  assert.deepEqual(plan(), {
    to: '0.30.0',
    rows: [
      ['kf', 'KubeFlex', 'behind', init],
      ['kf', 'KubeStellar hooks', 'behind', init],
      ['its/its1', 'OCM', 'behind', 'stellarctl its upgrade its1 --hosting-context kf'],
      ['its/its1', 'status add-on', 'current', null],
      ['its/its1', 'k3s', 'current', null],
      ['wds/wds1', 'KubeStellar', 'behind', 'stellarctl wds upgrade wds1 --hosting-context kf'],
      ['wec/c1', 'OCM', 'behind', 'stellarctl wec upgrade c1=kind-c1'],
    ],
  });
});

test('a version that is asked for is one of KubeStellar; newer hooks are not downgraded', () => {
  assert.equal(plan('0.29.0').rows[1]?.[2], 'current');
  const newer = { name: 'kf', versions: [], hooksVersion: '0.31.0' };
  assert.equal(plan(undefined, { hosting: newer }).to, '0.31.0');
  assert.equal(
    plan('0.31.0').rows[0]?.[3],
    'stellarctl init --upgrade --version 0.31.0 --hosting-context kf',
  );
});

test('what is not visible, or has no version, is unknown, and gets no command', () => {
  for (const running of [null, [], ['sha256:0123456789ab']]) {
    const wecs = [{ name: 'c1', hubVersion: null, versions: [runs('OCM', running)] }];
    assert.deepEqual(plan(undefined, { wecs }).rows.at(-1), ['wec/c1', 'OCM', 'unknown', null]);
  }
});
