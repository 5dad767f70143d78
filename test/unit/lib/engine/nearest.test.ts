import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestNames } from '../../../../src/lib/engine/nearest.ts';

const names = ['cluster1', 'cluster2', 'cluster10', 'edge-berlin', 'edge-bern', 'prod'];
const cases: [given: string, nearest: string[]][] = [
  ['clustre1', ['cluster1', 'cluster2']],
  ['cluster', ['cluster1', 'cluster2', 'cluster10']],
  ['cluster3', ['cluster1', 'cluster2', 'cluster10']],
  ['edge-brlin', ['edge-berlin', 'edge-bern']],
  ['prd', ['prod']],
  ['something-else', []],
  ['', []],
];
for (const [given, nearest] of cases)
  test(`the names nearest to "${given}"`, () => assert.deepEqual(nearestNames(given, names), nearest));
