import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  defectsOf,
  describeDefect,
  fixOf,
  holesIn,
  prefixPairs,
} from '../../../../../src/lib/ocm/versions/known-defects.ts';
import type { RunningVersion } from '../../../../../src/lib/ocm/versions/running-versions.ts';

test('versions with a known hole, or that are withdrawn or too old, are known, and others are not', () => {
  const ids = (product: string, versions: string[]) =>
    versions.map((version) =>
      defectsOf(product, version)
        .map(({ id }) => id)
        .join(),
    );
  const hole = 'CVE-2026-4740';
  const affected = ['0.13.1', '0.16.0', '1.0.0', 'v1.0.0', '1.1.0', '1.1.2', '1.2.0', '1.2.0-rc.1'];
  assert.deepEqual(
    ids('OCM', affected),
    affected.map(() => hole),
  );
  const others = [
    '1.0.1',
    '1.0.2',
    '1.1.3',
    '1.2.1',
    '1.3.0',
    '1.4.0',
    'sha256:0123456789ab',
    'latest',
    '',
  ];
  assert.deepEqual(
    ids('OCM', others),
    others.map(() => ''),
  );
  assert.deepEqual(ids('KubeFlex', ['0.9.1', '0.9.2', '0.9.3']), ['', 'withdrawn', '']);
  assert.deepEqual(ids('kube-apiserver', ['1.29.9', '1.30.0']), ['end of life', '']);
  assert.deepEqual(ids('k3s', ['1.27.2-k3s1', '1.31.5-k3s1']), ['end of life', '']);
});

test('the fix is the patch of the same minor, if it has one', () => {
  const fixes = ['0.15.2', '1.0.0', '1.1.2', '1.2.0'].map((version) =>
    defectsOf('OCM', version).map(fixOf),
  );
  assert.deepEqual(fixes, [['1.0.1'], ['1.0.1'], ['1.1.3'], ['1.2.1']]);
});

test('a name that begins with another one gets its group, never the reverse', () => {
  assert.deepEqual(prefixPairs(['cluster10', 'edge', 'cluster1']), [
    { longer: 'cluster10', prefix: 'cluster1' },
  ]);
});

test('a hole is named with the version that has it, once', () => {
  const part = (component: string, version: string): RunningVersion => {
    return { product: 'OCM', component, running: [version], wanted: null, differs: false };
  };
  const holes = holesIn([
    part('a', '1.0.1'),
    part('b', '1.0.0'),
    part('c', '1.0.1'),
    part('d', '1.0.0'),
  ]);
  assert.deepEqual(
    holes.map((hole) => describeDefect('its1', hole).split(':')[0]),
    ['its1 runs OCM 1.0.0 (CVE-2026-4740)'],
  );
});
