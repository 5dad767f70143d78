import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chooseHosting } from '../../../../../src/lib/spaces/hosting/hosting.ts';
import { kubeconfigOf } from '../../../support/space-builders.ts';
import { failsWith } from '../../../support/steps.ts';

const names = ['given', 'by-variable', 'noted', 'current'];
const contexts = Object.fromEntries(names.map((name) => [name, { cluster: name, user: name }]));
const config = (current?: string, noted?: string) => ({
  ...kubeconfigOf(contexts, current),
  extensions: new Map(noted ? [['kubeflex', { data: { 'hosting-cluster-ctx-name': noted } }]] : []),
});
const env = { STELLARCTL_HOSTING_CONTEXT: 'by-variable' };
const chosen = (...parameters: Parameters<typeof chooseHosting>) => {
  const { context, source } = chooseHosting(...parameters);
  return [context.name, source];
};

describe('the hosting cluster is', () => {
  const all = config('current', 'noted');
  test('the one of --hosting-context', () =>
    assert.deepEqual(chosen('given', env, all), ['given', '--hosting-context']));
  test('else the one of the variable', () =>
    assert.deepEqual(chosen(undefined, env, all), ['by-variable', 'STELLARCTL_HOSTING_CONTEXT']));
  test('else the one in the kubeconfig; an empty variable is ignored', () =>
    assert.deepEqual(chosen(undefined, { STELLARCTL_HOSTING_CONTEXT: '' }, all), [
      'noted',
      'kubeconfig',
    ]));
  test('else the current context, even if the recorded context no longer exists', () =>
    assert.deepEqual(chosen(undefined, {}, config('current', 'gone')), [
      'current',
      'current context',
    ]));
});

test('no hosting cluster is found without any context', () =>
  assert.throws(
    () => chooseHosting(undefined, {}, kubeconfigOf({})),
    failsWith({ code: 'usage', steps: /KUBECONFIG/ }),
  ));
