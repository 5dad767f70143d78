import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StellarError } from '../../../../src/lib/engine/errors.ts';
import type { Kubeconfig } from '../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { chooseIts } from '../../../../src/lib/spaces/its-choice.ts';

const kubeconfig = (currentContext?: string, contexts: string[] = []): Kubeconfig => ({
  files: [],
  currentContext,
  contexts: new Map(contexts.map((name) => [name, {}])),
  clusters: new Map(),
  users: new Map(),
  extensions: new Map(),
  preferenceExtensions: new Map(),
});

describe('the ITS is', () => {
  const env = { STELLARCTL_ITS: 'by-variable' };
  const settings = { its: 'by-use' };
  const config = kubeconfig('current');
  test('what --its says', () =>
    assert.deepEqual(chooseIts('given', env, settings, config), { given: 'given', source: '--its' }));
  test('else what STELLARCTL_ITS says', () =>
    assert.deepEqual(chooseIts(undefined, env, settings, config), {
      given: 'by-variable',
      source: 'STELLARCTL_ITS',
    }));
  test('else what `its use` chose', () =>
    assert.deepEqual(chooseIts(undefined, {}, settings, config), { given: 'by-use', source: 'its use' }));
  test('also where the variable is empty', () =>
    assert.equal(chooseIts(undefined, { STELLARCTL_ITS: '' }, settings, config).source, 'its use'));
  test('else the current context', () =>
    assert.deepEqual(chooseIts(undefined, {}, {}, config), { given: 'current', source: 'current context' }));
  test('else nobody knows, and the contexts that there are help', () => {
    const usage = (hint: RegExp) => (error: unknown) =>
      error instanceof StellarError && error.code === 'usage' && hint.test(error.hint ?? '');
    assert.throws(() => chooseIts(undefined, {}, {}, kubeconfig(undefined, ['a', 'b'])), usage(/--its CONTEXT.*a, b/));
    assert.throws(() => chooseIts(undefined, {}, {}, kubeconfig()), usage(/--kubeconfig FILE/));
  });
});
