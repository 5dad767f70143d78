import './support/environment.ts';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { safeOcm } from '../../src/lib/ocm/model/ocm-versions.ts';
import { coreChart } from '../../src/lib/spaces/hosting/core-chart.ts';
import { type ChartVersionName, currentChart, versionOf } from '../../testbed/index.ts';
import { combinations, compatibilityRows } from '../compatibility.ts';
import { root } from '../pages.ts';
import { read } from './support/sources.ts';

test('docs/compatibility.md has the combinations that are tried, and no other', () =>
  assert.deepEqual(
    read('docs/compatibility.md')
      .split('\n')
      .filter((line) => /^\| \d/.test(line)),
    compatibilityRows(),
  ));

test('they are the versions that the tests use', () => {
  const module = read('testbed/programs/go.mod');
  const used = (name: string) => new RegExp(`${name} v(\\S+)`).exec(module)?.[1];
  for (const { kubestellar, kubeflex, kubernetes, ocm, tried, by } of combinations) {
    assert.equal(versionOf(kubestellar as ChartVersionName).kubeflex, `v${kubeflex}`);
    assert.equal(used('k8s.io/kubernetes'), kubernetes);
    assert.ok(existsSync(path.join(root, by)), by);
    if (tried === 'release test') assert.match(by, /\.release\.test\.ts$/);
    if (ocm !== safeOcm || kubestellar !== currentChart) assert.ok(read(by).includes(ocm), by);
  }
  assert.equal(combinations[0]?.kubestellar, currentChart);
  assert.deepEqual(
    [coreChart.version, coreChart.oldestVersion],
    [currentChart, combinations.at(-1)?.kubestellar],
  );
});
