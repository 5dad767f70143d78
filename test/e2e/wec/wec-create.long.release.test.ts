import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Bed, type LocalClusterTools, localClusterTools, until } from '../../../testbed/index.ts';
import { Cli, type CliOptions } from '../support/harness.ts';
import { enterBed, leaveBed } from '../support/shared-bed.ts';

let bed: Bed;
let tools: LocalClusterTools;
let cli: Cli;
let kubeconfig: string;

before(async () => {
  bed = await enterBed([{ name: 'its1', hub: true }]);
  tools = await localClusterTools(bed);
  kubeconfig = path.join(bed.dir, 'own-kubeconfig');
  await cp(bed.kubeconfig, kubeconfig);
  cli = await Cli.create(kubeconfig);
});

after(async () => {
  await cli?.remove();
  tools?.stop();
  await leaveBed();
});

const options = (): CliOptions => ({ env: { PATH: tools.path } });

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
});
