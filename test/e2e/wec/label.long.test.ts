import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { execa } from 'execa';
import { type Bed, type Plane, resources, writeKubeconfig } from '../../../testbed/index.ts';
import { inShell, start } from '../../stellarctl.ts';
import { Cli } from '../support/harness.ts';
import { announce } from '../support/pretended-agents.ts';
import { assertRefused, assertRefuses } from '../support/refusal.ts';
import { enterBed, leaveBed } from '../support/shared-bed.ts';
import { WriteProxy } from '../support/write-proxy.ts';

let bed: Bed;
let cli: Cli;
let hub: Plane;

before(async () => {
  bed = await enterBed([{ name: 'its1', hub: true }]);
  hub = bed.plane('its1');
  cli = await Cli.create(bed.kubeconfig);
});

after(async () => {
  await cli?.remove();
  await leaveBed();
});

/** Set on every cluster by the hub itself. */
const clusterSet = 'cluster.open-cluster-management.io/clusterset';

async function labelsOf(hub: Plane, name: string): Promise<Record<string, string>> {
  const { metadata } = await hub.admin.get(resources.managedClusters, name);
  const { [clusterSet]: _, ...labels } = metadata.labels ?? {};
  return labels;
}

let number = 0;

/** New WECs with these labels, under a separate prefix. */
async function wecs(...labels: Record<string, string>[]): Promise<string[]> {
  number++;
  const names = labels.map((_, index) => `labelled-${number}-${index + 1}`);
  for (const [index, name] of names.entries()) await announce(hub, name, { test: `label-${number}`, ...labels[index] });
  await hub.markAudit();
  return names;
}
const ownLabel = () => ({ test: `label-${number}` });

describe('label', () => {
  it('selects all WECs, with --all', async () => {
    const names = await wecs({}, {});
    const run = await cli.succeed(['label', '--all', `all-${number}=yes`, '-o', 'name']);
    const { items } = await hub.admin.list(resources.managedClusters);
    assert.deepEqual(run.stdout.trim().split('\n').sort(), items.map(({ metadata }) => metadata.name).sort());
    for (const name of names) assert.equal((await labelsOf(hub, name))[`all-${number}`], 'yes');
  });

  it('refuses with --dry-run what it would refuse without it', async () => {
    const [name = ''] = await wecs({ zone: 'a' });
    await assertRefuses(cli, [hub], ['label', name, 'zone=b', '--dry-run'], { exitCode: 1, says: /zone=a/ });
  });

  it('loses no concurrent changes', async () => {
    const [name = ''] = await wecs({});
    const keys = ['a', 'b', 'c', 'd'];
    await Promise.all(keys.map((key) => cli.succeed(['label', name, `writer-${key}=yes`])));
    const expected = Object.fromEntries(keys.map((key) => [`writer-${key}`, 'yes']));
    assert.deepEqual(await labelsOf(hub, name), { ...ownLabel(), ...expected });
  });

  it('does not change a label that another user has set between its read and its write, nor lose another', async () => {
    const [name = ''] = await wecs({});
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

  it('quotes the next command for the shell', async () => {
    const [name = ''] = await wecs({ zone: 'a' });
    const { stderr } = await cli.succeed(['label', '-l', `test=label-${number},zone in (a,b)`, 'next=yes']);
    const next = /^Next: stellarctl (.*)$/m.exec(stderr)?.[1] ?? '';
    const line = `${inShell(start)} ${next}`;
    const { stdout } = await execa('bash', ['-c', line], { env: cli.environment(), extendEnv: false });
    assert.match(stdout, new RegExp(`^${name} .*next=yes`, 'm'));
  });
});
