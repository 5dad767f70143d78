import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseChart } from '../../../../../src/lib/spaces/install/chart.ts';
import type { Helm } from '../../../../../src/lib/spaces/install/helm.ts';

const noLocal = { local: async () => undefined, valuesOf: async () => ({}) } as unknown as Helm;
const chosen = async (version: string | undefined, chart?: string) =>
  (await chooseChart({ version, chart, upgrade: false, values: {} }, noLocal)).version;

test('a version must be complete, as charts have it', async () => {
  assert.equal(await chosen('0.30'), '0.30.0');
  assert.equal(await chosen('v0.30'), '0.30.0');
  assert.equal(await chosen('0.31-rc.1'), '0.31.0-rc.1');
  assert.equal(await chosen('v0.30.1'), '0.30.1');
  assert.equal(await chosen(undefined), undefined);
  assert.equal(await chosen('0.30', 'oci://mirror/core-chart:0.30.0'), '0.30.0');
});
