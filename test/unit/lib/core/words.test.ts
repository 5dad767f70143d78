import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSlip, nearestNames } from '../../../../src/lib/core/words.ts';

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

const slips: [given: string, meant: string, isOne: boolean][] = [
  ['egde', 'edge', true],
  ['edg', 'edge', true],
  ['eddge', 'edge', true],
  ['Edge', 'edge', true],
  ['edge', 'edge', false],
  ['core', 'edge', false],
  ['zone-a', 'zone-b', false],
  ['prod', 'prod1', false],
  ['prod1', 'prod2', false],
  ['zone12', 'zone21', false],
];
for (const [given, meant, isOne] of slips)
  test(`"${given}" is ${isOne ? '' : 'not '}a slip for "${meant}"`, () => assert.equal(isSlip(given, meant), isOne));
