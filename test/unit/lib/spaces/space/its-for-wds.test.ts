import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Deployment } from '../../../../../src/lib/kube/client/objects.ts';
import type { PostCreateHook } from '../../../../../src/lib/ocm/model/kubeflex-objects.ts';
import { chooseItsForWds } from '../../../../../src/lib/spaces/space/its-for-wds.ts';
import { isItsNameDefect } from '../../../../../src/lib/spaces/space/its-name-defect.ts';
import { its, MemoryCluster, transportHook, wds } from '../../../support/space-builders.ts';
import { failsWith } from '../../../support/steps.ts';

const one = [its('its1')];
const two = [its('its1'), its('its2')];

const choose = (
  planes: readonly ReturnType<typeof its>[],
  asked?: string,
  version: '0.29' | '0.30' = '0.30',
) =>
  chooseItsForWds(
    new MemoryCluster(planes).kube,
    asked,
    new Map([['transport-controller', transportHook(version)]]),
  );
const wayOf = async (...parameters: Parameters<typeof choose>) => {
  const { its: name, itsName, transportHook: hook } = await choose(...parameters);
  return [name, itsName, hook];
};

describe('the ITS of a WDS', () => {
  const [own, corrected] = ['transport-controller', 'stellarctl-transport-controller'];
  test('is the only one, which is passed to hooks that accept a name', async () =>
    assert.deepEqual(await wayOf(one, undefined, '0.29'), ['its1', 'its1', own]));
  test('stays unnamed while it is the only one and 0.30 accepts no name, even if requested', async () => {
    assert.deepEqual(await wayOf(one), ['its1', '', own]);
    assert.deepEqual(await wayOf(one, 'its1'), ['its1', '', own]);
  });
  test('is named to a corrected hook if a new WDS must keep the name', async () => {
    const hooks = new Map([['transport-controller', transportHook('0.30')]]);
    const choice = await chooseItsForWds(new MemoryCluster(one).kube, 'its1', hooks, true);
    assert.deepEqual([choice.itsName, choice.transportHook], ['its1', corrected]);
  });
  test('is named to a corrected hook if there are several', async () =>
    assert.deepEqual(await wayOf(two, 'its2'), ['its2', 'its2', corrected]));
  test("is named to the chart's own hook of 0.29, which has no copy", async () => {
    const choice = await choose(two, 'its2', '0.29');
    assert.deepEqual(
      [choice.itsName, choice.transportHook, choice.correctedHook],
      ['its2', own, undefined],
    );
  });
  test('must be chosen if there are several', () =>
    assert.rejects(
      choose(two),
      failsWith({ code: 'several-its', steps: /--its its1/, message: /its1, its2/ }),
    ));
  test('must exist', async () => {
    await assert.rejects(
      choose([]),
      failsWith({ code: 'not-found', steps: /its create its1 --hosting-context kind-kubeflex/ }),
    );
    await assert.rejects(choose(one, 'its9'), {
      code: 'not-found',
      message: /no ITS its9: there are its1/,
    });
  });
  test('is not one that is being deleted', async () => {
    assert.deepEqual((await wayOf([its('its1', { deleting: true }), its('its2')]))[0], 'its2');
    await assert.rejects(choose([its('its1', { deleting: true })]), { code: 'not-found' });
  });
  test('is not a WDS', () => assert.rejects(choose([wds('wds1')]), { code: 'not-found' }));
});

describe('the corrected hook', () => {
  const deploymentOf = (hook: PostCreateHook) =>
    hook.spec?.templates?.find(({ kind }) => kind === 'Deployment') as Deployment;
  test('is the same without the selector; the original stays unchanged', async () => {
    const original = transportHook('0.30');
    const cluster = new MemoryCluster(two);
    const hooks = new Map([['transport-controller', original]]);
    const { correctedHook } = await chooseItsForWds(cluster.kube, 'its1', hooks);
    const corrected = correctedHook as PostCreateHook;
    assert.deepEqual(corrected.metadata, {
      name: 'stellarctl-transport-controller',
      labels: { 'kflex.kubestellar.io/cptype': 'wds' },
    });
    assert.deepEqual(deploymentOf(corrected).spec?.template?.spec?.initContainers?.[0]?.args, [
      '--control-plane-name',
      '{{.ITSName}}',
      '--output-file',
      '/etc/kube/its/kubeconfig',
    ]);
    assert.equal(isItsNameDefect(deploymentOf(corrected)), false);
    assert.deepEqual(original, transportHook('0.30'));
    assert.deepEqual(corrected.spec?.templates?.[0], original.spec?.templates?.[0]);
  });
});
