import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { type Access, hiddenBy, seen } from '../../../../src/lib/kube/access.ts';
import { nameOfIts, resolveIts } from '../../../../src/lib/spaces/choose/its-choice.ts';
import type { SpaceTools } from '../../../../src/lib/spaces/hosting/hosting.ts';
import { its, kubeconfigOf, MemoryCluster, wds } from '../../support/space-builders.ts';

const place = (name: string, of?: string, hosting?: string) => ({
  cluster: name,
  user: name,
  ...(of === undefined ? {} : { of }),
  ...(hosting === undefined ? {} : { hosting }),
});

interface ClusterState {
  contexts?: Parameters<typeof kubeconfigOf>[0];
  spaces?: ConstructorParameters<typeof MemoryCluster>[0];
  hostingSource?: SpaceTools['hostingSource'];
}

function machineWith({ contexts = {}, spaces = [], hostingSource = 'kubeconfig' }: ClusterState) {
  const kubeconfig = kubeconfigOf({ hub: place('hub'), other: place('other'), ...contexts });
  const hosting = new MemoryCluster(spaces).kube;
  const hostingContext = {
    name: 'hub',
    server: 'https://hub.example.com:6443',
    cluster: {},
    user: {},
  };
  return { kubeconfig, hosting, hostingContext, hostingSource };
}

async function resolved(given: string, from: ClusterState) {
  const tools = machineWith(from);
  const { name, server } = await resolveIts(
    { given, source: '--its' },
    tools.kubeconfig,
    async () => seen(tools),
  );
  return [name, server];
}
const at = (name: string) => [name, `https://${name}.example.com:6443`];

describe('an ITS is found', () => {
  test('by a context, without contacting a cluster', async () => {
    const { kubeconfig } = machineWith({ contexts: { its1: place('its1') } });
    const { name } = await resolveIts({ given: 'its1', source: '--its' }, kubeconfig, () =>
      assert.fail(),
    );
    assert.equal(name, 'its1');
  });
  test('by a context, even if an ITS of the hosting cluster has that name', async () =>
    assert.deepEqual(
      await resolved('its1', { contexts: { its1: place('its1') }, spaces: [its('its1')] }),
      at('its1'),
    ));
  test('by its name, recorded in a context', async () =>
    assert.deepEqual(
      await resolved('its1', { contexts: { mine: place('mine', 'its1', 'hub') } }),
      at('mine'),
    ));
  test('by its name, known to the hosting cluster', async () =>
    assert.deepEqual(await resolved('its1', { spaces: [its('its1')] }), at('hub')));

  const twins = { a: place('a', 'its1', 'hub'), b: place('b', 'its1', 'other') };
  test('on the given or recorded hosting cluster, if several have that name', async () => {
    assert.deepEqual(
      await resolved('its1', { contexts: twins, hostingSource: '--hosting-context' }),
      at('a'),
    );
    assert.deepEqual(await resolved('its1', { contexts: twins }), at('a'));
  });
  test('but not on a hosting cluster that is merely the current context', () =>
    assert.rejects(resolved('its1', { contexts: twins, hostingSource: 'current context' }), {
      code: 'several-its',
      message: 'Several hosting clusters have a space its1: its contexts are a, b.',
    }));
});

describe('no ITS is found', () => {
  const unknown = (details: string[]) => ({ code: 'context-unknown', details });
  test('by an unknown name', () =>
    assert.rejects(
      resolved('its9', { spaces: [its('its1')] }),
      unknown(['No ITS of that name was found either: kind-kubeflex has no ITS its9']),
    ));
  test('by an invalid name: the hosting cluster is not contacted', () =>
    assert.rejects(resolved('Its_1', { spaces: [its('its1')] }), unknown([])));
  test('by the name of a WDS', () =>
    assert.rejects(
      resolved('wds1', { spaces: [wds('wds1')] }),
      unknown(['No ITS of that name was found either: wds1 is a WDS of kind-kubeflex']),
    ));
  test('by its name, if the hosting cluster does not answer', () => {
    const { kubeconfig } = machineWith({});
    const unreachable: Access<SpaceTools> = hiddenBy(
      new StellarError('unreachable', 'Cannot reach hub.'),
    );
    return assert.rejects(
      resolveIts({ given: 'its1', source: 'its use' }, kubeconfig, async () => unreachable),
      unknown(['No ITS of that name was found either: Cannot reach hub.']),
    );
  });
});

test('the name of an ITS comes from its context, unless that is of another hosting cluster', () => {
  const tools = machineWith({
    contexts: { a: place('a', 'its1', 'hub'), b: place('b', 'its1', 'other') },
  });
  assert.deepEqual(
    ['its1', 'a', 'b', 'hub'].map((given) => nameOfIts(given, tools)),
    ['its1', 'its1', 'b', 'hub'],
  );
});
