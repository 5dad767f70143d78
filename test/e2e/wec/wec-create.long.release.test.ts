import assert from 'node:assert/strict';
import { cp, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import {
  type Bed,
  type LocalClusterTools,
  localClusterTools,
  type Plane,
  resources,
  startBed,
  until,
} from '../../../testbed/index.ts';
import { Cli, type CliOptions } from '../support/harness.ts';
import { inRelease } from '../support/in-release.ts';

let bed: Bed;
let tools: LocalClusterTools;
let cli: Cli;
let kubeconfig: string;

before(async () => {
  bed = await startBed({
    planes: [
      { name: 'its1', hub: true },
      { name: 'its2', hub: true, nodeName: 'k3d-its2-server-0' },
    ],
  });
  tools = await localClusterTools(bed);
  kubeconfig = path.join(bed.dir, 'own-kubeconfig');
  await cp(bed.kubeconfig, kubeconfig);
  cli = await Cli.create(kubeconfig);
});

after(async () => {
  await cli?.remove();
  tools?.stop();
  await bed?.stop();
});

const options = (): CliOptions => ({ env: { PATH: tools.path } });

describe('clusters of k3d', inRelease, () => {
  it('are put on the network of an ITS created by k3d, several at once', async () => {
    const two = ['wec', 'create', 'edge1', 'edge2', '--provider', 'k3d', '--its', 'its2'];
    const { stdout, stderr } = await cli.succeed(two, options());
    for (const name of ['edge1', 'edge2']) {
      assert.match(stdout, new RegExp(`^${name}: ready after`, 'm'));
      const call = tools.calls('k3d').find(({ args }) => args.slice(0, 3).join(' ') === `cluster create ${name}`);
      assert.equal(call?.args.at((call?.args.indexOf('--network') ?? 0) + 1), 'k3d-its2');
    }
    assert.match(stderr, /^Next: stellarctl wec join edge1 edge2 --accept --its its2$/m);
  });

  it('are reported not to reach an ITS created by kind', async () => {
    const { stderr } = await cli.succeed(['wec', 'create', 'edge1', '--provider', 'k3d', '--its', 'its1'], options());
    assert.match(stderr, /its1 is in the container its1-control-plane of kind.*--provider kind/);
  });

  it('are deleted without naming the provider', async () => {
    const { json } = await cli.succeed(['wec', 'delete', 'edge1', 'edge2', '--yes', '-o', 'json'], options());
    assert.deepEqual(json().items, [
      { name: 'edge1', provider: 'k3d', changed: true },
      { name: 'edge2', provider: 'k3d', changed: true },
    ]);
  });
});

/** kind is running, and not done yet. */
const untilBegun = (name: string) => until(async () => tools.clusters.find('kind', name), `beginning of ${name}`);

describe('an interrupted creation', () => {
  const half = ['wec', 'create', 'half', '--provider', 'kind', '--its', 'its1'];

  it('reports how to undo it', async () => {
    const interrupted = cli.run(half, {
      ...options(),
      onStart: (kill) => void untilBegun('half').then(() => kill('SIGINT')),
    });
    const { exitCode, stderr } = await interrupted;
    assert.equal(exitCode, 130, stderr);
    assert.match(stderr, /Remove what is left of it: stellarctl wec delete half --provider kind --force/);
    assert.doesNotMatch(stderr, /To resume/);
  });

  it('is distinguished from a complete cluster by the next run', async () => {
    const { exitCode, stderr } = await cli.run(half, options());
    assert.equal(exitCode, 1);
    assert.match(stderr, /The kind cluster half exists but cannot be used: .*admin.conf: No such file/);
    assert.match(stderr, /stellarctl wec delete half --provider kind/);
  });

  it('is not deleted without --force, because it cannot be read', async () => {
    const { exitCode, stderr } = await cli.run(['wec', 'delete', 'half', '--provider', 'kind', '--yes'], options());
    assert.equal(exitCode, 4);
    assert.match(stderr, /half cannot be read .*It was not deleted/);
  });

  it('can be undone, and started again', async () => {
    await cli.succeed(['wec', 'delete', 'half', '--provider', 'kind', '--force', '--yes'], options());
    await cli.succeed(half, options());
  });

  it('is not removed while the cluster hosts ITSes, unless requested', inRelease, async () => {
    await hostIts(bed.plane('half'));
    const remove = ['wec', 'delete', 'half', '--yes'];
    for (const line of [remove, [...remove, '--dry-run']]) {
      const { exitCode, stderr } = await cli.run(line, options());
      assert.equal(exitCode, 1);
      assert.match(stderr, /half is a hosting cluster\. It was not deleted\. With it would be lost: its9 \(ITS\)/);
    }
    await cli.succeed([...remove, '--force'], options());
  });
});

/** The parts of a hosting cluster that can be lost. */
async function hostIts({ admin }: Plane): Promise<void> {
  const definition = await readFile(
    new URL('../../../testbed/charts/core-chart/charts/kubeflex-operator/crds/controlplanes.yaml', import.meta.url),
    'utf8',
  );
  await admin.create(resources.customResourceDefinitions, parse(definition));
  const its = {
    metadata: { name: 'its9' },
    spec: { type: 'vcluster', postCreateHooks: [{ hookName: 'its-hub-init' }] },
  };
  await until(() => admin.create(resources.controlPlanes, its).catch(() => undefined), 'ControlPlane its9');
}
