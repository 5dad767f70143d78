import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StellarError } from '../../../../src/lib/engine/errors.ts';
import type { Kubeconfig } from '../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { chooseIts, chooseWds, selectIts, withSource } from '../../../../src/lib/spaces/its-choice.ts';
import { stepsOf } from '../../support/steps.ts';

const kubeconfig = (currentContext?: string, contexts: string[] = []): Kubeconfig => ({
  files: [],
  currentContext,
  contexts: new Map(contexts.map((name) => [name, {}])),
  clusters: new Map(),
  users: new Map(),
  extensions: new Map(),
});

test('an ITS whose context is gone names the command that selected it', () =>
  assert.throws(() => selectIts(kubeconfig(), { given: 'its9', source: 'its use' }), {
    message: /It was selected by "stellarctl its use"\.$/,
  }));

test('the WDS is the one of --wds, else of STELLARCTL_WDS, else the choice of `wds use`', () => {
  const env = { STELLARCTL_WDS: 'by-variable' };
  const settings = { wds: 'by-use' };
  assert.deepEqual(
    [chooseWds('given', env, settings), chooseWds(undefined, env, settings), chooseWds(undefined, {}, settings)],
    [
      { given: 'given', source: '--wds' },
      { given: 'by-variable', source: 'STELLARCTL_WDS' },
      { given: 'by-use', source: 'wds use' },
    ],
  );
  assert.equal(chooseWds(undefined, {}, {}), undefined);
});

test('a WDS that does not exist names what selected it, unless that is an option', () => {
  const unknown = new StellarError('not-found', 'There is no WDS wds9.');
  const error = withSource(unknown, 'wds use') as StellarError;
  assert.equal(error.message, 'There is no WDS wds9. It was selected by "stellarctl wds use".');
  assert.match(stepsOf(error), /stellarctl wds use --unset/);
  assert.equal(withSource(unknown, '--wds'), unknown);
});

describe('the ITS is', () => {
  const env = { STELLARCTL_ITS: 'by-variable' };
  const settings = { its: 'by-use' };
  const config = kubeconfig('current');
  test('the one of --its', () =>
    assert.deepEqual(chooseIts('given', env, settings, config), { given: 'given', source: '--its' }));
  test('else the one of STELLARCTL_ITS', () =>
    assert.deepEqual(chooseIts(undefined, env, settings, config), {
      given: 'by-variable',
      source: 'STELLARCTL_ITS',
    }));
  test('else the choice of `its use`', () =>
    assert.deepEqual(chooseIts(undefined, {}, settings, config), { given: 'by-use', source: 'its use' }));
  test('also if the variable is empty', () =>
    assert.equal(chooseIts(undefined, { STELLARCTL_ITS: '' }, settings, config).source, 'its use'));
  test('else the current context', () =>
    assert.deepEqual(chooseIts(undefined, {}, {}, config), { given: 'current', source: 'current context' }));
  test('else unknown, and the available contexts are listed', () => {
    const usage = (steps: RegExp) => (error: unknown) =>
      error instanceof StellarError && error.code === 'usage' && steps.test(stepsOf(error));
    assert.throws(
      () => chooseIts(undefined, {}, {}, kubeconfig(undefined, ['a', 'b'])),
      usage(/--its CONTEXT\n.*a, b/),
    );
    assert.throws(() => chooseIts(undefined, {}, {}, kubeconfig()), usage(/--kubeconfig FILE/));
    const missing = { ...kubeconfig(), missing: ['/nowhere'] };
    assert.throws(
      () => chooseIts(undefined, {}, {}, missing),
      usage(/^KUBECONFIG names \/nowhere, which does not exist\. /),
    );
  });
});
