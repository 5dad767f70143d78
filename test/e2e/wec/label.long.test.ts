import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Plane, resources, writeKubeconfig } from '../../../testbed/index.ts';
import type { Cli } from '../support/harness.ts';
import { announce } from '../support/pretended-agents.ts';
import { assertRefused } from '../support/refusal.ts';
import { enterPlanes, leaveBed } from '../support/shared-bed.ts';
import { WriteProxy } from '../support/write-proxy.ts';

let cli: Cli;
let hub: Plane;

before(async () => {
  ({
    cli,
    planes: [hub],
  } = await enterPlanes('its1'));
});

after(() => leaveBed(cli));

/** Set on every cluster by the hub itself. */
const clusterSet = 'cluster.open-cluster-management.io/clusterset';

async function labelsOf(hub: Plane, name: string): Promise<Record<string, string>> {
  const { metadata } = await hub.admin.get(resources.managedClusters, name);
  const { [clusterSet]: _, ...labels } = metadata.labels ?? {};
  return labels;
}

let number = 0;

/** A new WEC. */
async function newWec() {
  number++;
  await announce(hub, `labelled-${number}`, ownLabel());
  await hub.markAudit();
  return `labelled-${number}`;
}
const ownLabel = () => ({ test: `label-${number}` });

describe('label', () => {
  it('loses no concurrent changes', async () => {
    const name = await newWec();
    const keys = ['a', 'b', 'c', 'd'];
    await Promise.all(keys.map((key) => cli.succeed(['label', name, `writer-${key}=yes`])));
    const expected = Object.fromEntries(keys.map((key) => [`writer-${key}`, 'yes']));
    assert.deepEqual(await labelsOf(hub, name), { ...ownLabel(), ...expected });
  });

  it('does not change a label that another user has set between its read and its write, nor lose another', async () => {
    const name = await newWec();
    const setByOther = (labels: object) => () =>
      hub.admin.patch(resources.managedClusters, name, { metadata: { labels } });
    const through = async (beforeWrite: () => Promise<unknown>) => {
      const proxy = await WriteProxy.start(hub, () => {}, { beforeWrite });
      try {
        const kubeconfig = await writeKubeconfig(hub, [proxy.entry]);
        return await cli.run(['label', name, 'zone=a'], { kubeconfig });
      } finally {
        proxy.stop();
      }
    };
    const refused = await through(setByOther({ zone: 'b' }));
    assertRefused(refused, { exitCode: 1, says: /has zone=b already/ });
    await setByOther({ zone: null })();
    // Their change is repeated with every write of ours, but has no effect the second time.
    const done = await through(setByOther({ other: 'yes' }));
    assert.equal(done.exitCode, 0, done.stderr);
    assert.deepEqual(await labelsOf(hub, name), { ...ownLabel(), other: 'yes', zone: 'a' });
  });
});
