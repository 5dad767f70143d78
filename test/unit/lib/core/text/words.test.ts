import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSlip, nearestNames, withoutValues } from '../../../../../src/lib/core/text/words.ts';

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
  test(`the names nearest to "${given}"`, () =>
    assert.deepEqual(nearestNames(given, names), nearest));

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
  test(`"${given}" is ${isOne ? '' : 'not '}a slip for "${meant}"`, () =>
    assert.equal(isSlip(given, meant), isOne));

test('a refused value is left out of a message, and its reason stays', () => {
  const template =
    'core.PodTemplateSpec{ObjectMeta:v1.ObjectMeta{Name:"", Labels:map[string]string{"a":"b: c"}}, Spec:core.PodSpec{TerminationGracePeriodSeconds:(*int64)(0x3f9d4c0a8e98), Command:[]string{"sh", "-c", "echo a: b"}}}';
  const refused = (address: string) =>
    `Job.batch "migrate" is invalid: [spec.selector: Required value, spec.selector: Invalid value: "null": field is immutable, spec.template: Invalid value: ${template.replace('0x3f9d4c0a8e98', address)}: field is immutable]`;
  assert.equal(
    withoutValues(refused('0x1')),
    'Job.batch "migrate" is invalid: [spec.selector: Required value, spec.selector: Invalid value: "null": field is immutable, spec.template: field is immutable]',
  );
  assert.equal(withoutValues(refused('0x1')), withoutValues(refused('0x2')));
  const short =
    'ConfigMap "a" is invalid: data[x y]: Invalid value: "x y": a valid config key must consist of …';
  assert.equal(withoutValues(short), short);
});
