import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import {
  type AnyObject,
  type Bed,
  buildHelm,
  chartOf,
  type Plane,
  resources,
  startBed,
} from '../../../testbed/index.ts';
import { Cli, type CliOptions } from '../support/harness.ts';
import { assertRefuses } from '../support/refusal.ts';

let bed: Bed;
let cli: Cli;
let hosting: Plane;
let chart: string;
/** A PATH with helm only. */
let withHelm: CliOptions;
let withoutHelm: CliOptions;

before(async () => {
  bed = await startBed({ planes: [{ name: 'hosting' }] });
  hosting = bed.plane('hosting');
  cli = await Cli.create(bed.kubeconfig);
  chart = await chartOf();
  withHelm = { env: { PATH: await buildHelm() } };
  withoutHelm = { env: { PATH: path.join(cli.home, 'nothing') } };
});

after(async () => {
  await cli?.remove();
  await bed?.stop();
});

const findings = async (options: CliOptions) => {
  const { exitCode, json } = await cli.run(['doctor', '--pre', '-o', 'json'], options);
  const items: { id: string; status: string }[] = json().items;
  return { exitCode, of: (id: string) => items.find((item) => item.id === id)?.status };
};

describe('init writes nothing and refuses', () => {
  it('versions before 0.29, by name and by chart content, and other charts', async () => {
    const refuses = (line: string[], exitCode: number, says: RegExp) =>
      assertRefuses(cli, [hosting], ['init', ...line], { exitCode, says }, withHelm);
    await refuses(['--version', '0.28.0'], 2, /0\.29\.0 is the oldest/);
    await refuses(['--version', 'latest'], 2, /"latest" is not a version/);
    await refuses(['--chart', await chartOf('0.28.0')], 1, /is 0\.28\.0, and 0\.29\.0 is the oldest/);
    await refuses(['--chart', chart, '--version', '0.29.0'], 1, /is 0\.30\.0, and 0\.29\.0 was requested/);
    await refuses(['--chart', await chartOf('0.30.0', 'kubeflex-operator')], 1, /is the chart "kubeflex-operator"/);
    await refuses(['--chart', 'nonexist'], 1, /There is no file or folder \/.*nonexist/);
  });

  it('a timeout that is too short', async () => {
    const line = ['init', '--chart', chart, '--timeout', '0'];
    await assertRefuses(
      cli,
      [hosting],
      line,
      { exitCode: 3, says: /the deadline has passed/, hint: /--timeout 15m/ },
      withHelm,
    );
  });
});

describe('init', () => {
  const init = () => ['init', '--chart', chart, '--domain', 'example.com', '--set', 'kubeflex-operator.verbosity=3'];

  it('makes a cluster a hosting cluster stage by stage, and records it in the kubeconfig as kflex does', async () => {
    const earlier = await findings(withHelm);
    assert.deepEqual([earlier.exitCode, earlier.of('hosting'), earlier.of('permissions')], [0, 'skipped', 'pass']);
    const { stdout, stderr } = await cli.succeed(init(), withHelm);
    assert.match(stderr, /^Hosting cluster hosting \(https:\/\/127\.0\.0\.1:\d+\)\n/);
    assert.match(stderr, /^Other clusters reach it as hosting-control-plane/m);
    assert.match(
      stderr,
      /^hosting: PostgreSQL is ready after \d[\s\S]*^hosting: KubeFlex's manager is ready after \d/m,
    );
    assert.match(stdout, /^hosting: is a hosting cluster of KubeStellar 0\.30\.0 after \d+\.\ds\n$/);
    assert.match(stderr, /\nNext: stellarctl its create its1\n$/);

    const config = await hosting.admin.get<AnyObject>(resources.configMaps, 'kubeflex-system/kubeflex-config');
    assert.deepEqual(config.data, {
      domain: 'example.com',
      externalPort: '9443',
      hostContainer: 'hosting-control-plane',
      isOpenShift: 'false',
    });
    const { extensions, contexts } = parse(await readFile(bed.kubeconfig, 'utf8'));
    assert.deepEqual(extensions[0].extension.data, { 'hosting-cluster-ctx-name': 'hosting' });
    assert.deepEqual(contexts[0].context.extensions[0].extension.data, { 'is-hosting-cluster-ctx': 'true' });
    assert.equal((await findings(withHelm)).of('hosting'), 'pass');
  });

  it('changes the version only with --upgrade', async () => {
    const newer = await chartOf('0.31.0');
    await assertRefuses(
      cli,
      [hosting],
      ['init', '--chart', newer],
      {
        exitCode: 1,
        says: /has chart 0\.30\.0, and 0\.31\.0 was requested/,
        hint: /init --upgrade --version 0\.31\.0 --chart/,
      },
      withHelm,
    );
    await assertRefuses(
      cli,
      [hosting],
      'init --upgrade --version 0.29.0',
      { exitCode: 1, says: /which is newer than 0\.29\.0/ },
      withHelm,
    );
  });
});

describe('doctor --pre', () => {
  it('ignores what is not needed, and fails for what is', async () => {
    const { exitCode, of } = await findings(withoutHelm);
    assert.deepEqual([exitCode, of('helm'), of('kind'), of('docker')], [0, 'skipped', 'skipped', 'skipped']);
    // Its spaces are not on this machine, and there is none yet.
    assert.deepEqual([of('ingress'), of('ingress-maintained')], ['skipped', 'skipped']);
  });

  it('checks the chosen ITS', async () => {
    const { exitCode, json } = await cli.run(['doctor', '--pre', '--its', 'hosting', '-o', 'json'], withHelm);
    assert.equal(exitCode, 1);
    const [failure] = json().items.filter(({ status }: { status: string }) => status === 'fail');
    assert.equal(failure.id, 'its');
    assert.match(failure.cause, /is not an ITS/);
  });

  it('checks the recorded hosting cluster instead of the current one; init uses neither implicitly', async () => {
    const kubeconfig = path.join(cli.home, 'other');
    const entries = parse(await readFile(bed.kubeconfig, 'utf8'));
    entries.contexts.push({ name: 'other', context: { cluster: 'gone', user: 'u' } });
    await writeFile(kubeconfig, JSON.stringify({ ...entries, 'current-context': 'other' }));
    const { of } = await findings({ ...withHelm, kubeconfig });
    assert.deepEqual([of('hosting'), of('ingress')], ['pass', 'skipped']);
    const { exitCode, stderr } = await cli.run(['init', '--dry-run'], { ...withHelm, kubeconfig });
    assert.equal(exitCode, 2);
    assert.match(
      stderr,
      /The hosting cluster is hosting, and the current context is other\.\n.*--hosting-context hosting/,
    );
    const elsewhere = await cli.run(['init', '--hosting-context', 'other', '--dry-run'], { ...withHelm, kubeconfig });
    assert.match(elsewhere.stderr, /"gone", which has no server/);
  });

  it('continues when the chosen ITS no longer exists', async () => {
    const { exitCode, of } = await findings({ env: { ...withHelm.env, STELLARCTL_ITS: 'gone' } });
    assert.deepEqual([exitCode, of('its-reachable'), of('hosting')], [1, 'fail', 'pass']);
  });

  it('reports one failure for a cluster that does not answer', async () => {
    const kubeconfig = path.join(cli.home, 'gone');
    const entries = parse(await readFile(bed.kubeconfig, 'utf8'));
    entries.clusters[0].cluster.server = 'https://127.0.0.1:1';
    await writeFile(kubeconfig, JSON.stringify(entries));
    const { exitCode, of } = await findings({ ...withHelm, kubeconfig });
    assert.deepEqual(
      [exitCode, of('hosting-reachable'), of('hosting'), of('ingress')],
      [1, 'fail', 'skipped', 'skipped'],
    );
  });
});
