import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { StellarError } from '../../../../../src/lib/core/errors.ts';
import { hidden } from '../../../../../src/lib/kube/access.ts';
import type { Kubeconfig } from '../../../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import {
  choicesFor,
  chooseIts,
  chooseSpace,
  chooseWds,
  forgetSpace,
  readSettings,
  resolveIts,
  withSource,
} from '../../../../../src/lib/spaces/choose/its-choice.ts';
import { newPath } from '../../../support/folder.ts';
import { MemoryCluster } from '../../../support/space-builders.ts';
import { failsWith, stepsOf } from '../../../support/steps.ts';

const kubeconfig = (currentContext?: string, contexts: string[] = []): Kubeconfig => ({
  files: [],
  currentContext,
  contexts: new Map(contexts.map((name) => [name, {}])),
  clusters: new Map(),
  users: new Map(),
  extensions: new Map(),
});

test('an ITS whose context is gone names the command that selected it', () =>
  assert.rejects(
    resolveIts({ given: 'its9', source: 'its use' }, kubeconfig(), async () =>
      hidden('nothing selects one'),
    ),
    { message: /It was selected by "stellarctl its use"\.$/ },
  ));

test('the WDS is the one of --wds, else of STELLARCTL_WDS, else the choice of `wds use`', () => {
  const env = { STELLARCTL_WDS: 'by-variable' };
  const settings = { wds: 'by-use' };
  assert.deepEqual(
    [
      chooseWds('given', env, settings),
      chooseWds(undefined, env, settings),
      chooseWds(undefined, {}, settings),
    ],
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
    assert.deepEqual(chooseIts('given', env, settings, config), {
      given: 'given',
      source: '--its',
    }));
  test('else the one of STELLARCTL_ITS', () =>
    assert.deepEqual(chooseIts(undefined, env, settings, config), {
      given: 'by-variable',
      source: 'STELLARCTL_ITS',
    }));
  test('else the choice of `its use`', () =>
    assert.deepEqual(chooseIts(undefined, {}, settings, config), {
      given: 'by-use',
      source: 'its use',
    }));
  test('also if the variable is empty', () =>
    assert.equal(chooseIts(undefined, { STELLARCTL_ITS: '' }, settings, config).source, 'its use'));
  test('else the current context', () =>
    assert.deepEqual(chooseIts(undefined, {}, {}, config), {
      given: 'current',
      source: 'current context',
    }));
  test('else unknown, and the available contexts are listed', () => {
    const usage = (steps: RegExp) => failsWith({ code: 'usage', steps });
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

describe('what `its use` chooses', () => {
  const { XDG_CONFIG_HOME: config } = process.env;
  before(() => {
    process.env.XDG_CONFIG_HOME = newPath();
  });
  after(() => {
    if (config === undefined) delete process.env.XDG_CONFIG_HOME;
    else process.env.XDG_CONFIG_HOME = config;
  });
  const hosting = (uid: string, server: string) =>
    new MemoryCluster([{ kind: 'Namespace', metadata: { name: 'kube-system', uid } } as never], {
      cluster: { context: uid, server } as never,
    }).kube;
  const chosen = async (server?: string) => choicesFor(await readSettings(), server);
  const [a, b] = [hosting('a', 'https://a'), hosting('b', 'https://b')];

  test('is kept for each hosting cluster, whatever its address', async () => {
    await chooseSpace('its', 'everywhere', undefined);
    await chooseSpace('wds', 'wds1', a);
    assert.deepEqual(
      [(await chosen('https://a')).its, (await chosen()).its],
      ['everywhere', 'everywhere'],
    );
    await chooseSpace('its', 'its1', a);
    await chooseSpace('its', 'its2', b);
    assert.deepEqual(
      [(await chosen('https://a')).its, (await chosen('https://b')).its, (await chosen()).its],
      ['its1', 'its2', undefined],
    );
    await chooseSpace('its', 'its3', hosting('a', 'https://new'));
    assert.deepEqual(
      [(await chosen('https://a')).its, (await chosen('https://new')).its],
      [undefined, 'its3'],
    );
    assert.equal((await chosen('https://new')).wds, 'wds1');
  });
  test('counts if it is the only one for the clusters of a kubeconfig that selects none', async () => {
    const settings = await readSettings();
    assert.equal(choicesFor(settings, undefined, ['https://b', 'https://wec']).its, 'its2');
    assert.equal(choicesFor(settings, 'https://wec', ['https://new', 'https://b']).its, undefined);
    assert.equal(choicesFor(settings, 'https://b', ['https://new', 'https://b']).its, 'its2');
  });
  test('is forgotten with its context', async () => {
    await forgetSpace('its', 'other', b);
    assert.equal((await chosen('https://b')).its, 'its2');
    await forgetSpace('its', 'its2', b);
    assert.equal((await chosen('https://b')).its, undefined);
  });
});
