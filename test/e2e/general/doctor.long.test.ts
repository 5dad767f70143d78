/** `doctor` on one installation, in the order of the tests. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type Bed,
  faultyPods,
  installKubeStellar,
  type Plane,
  resources,
  startBed,
  until,
} from '../../../testbed/index.ts';
import { type Finding, isWrong } from '../support/findings.ts';
import { Cli } from '../support/harness.ts';
import { writesOn } from '../support/refusal.ts';

let bed: Bed;
let cli: Cli;
let hosting: Plane;

const names = ['hosting', 'cluster1', 'cluster2'];

before(async () => {
  bed = await startBed({ planes: names.map((name) => ({ name })) });
  hosting = bed.plane('hosting');
  cli = await Cli.create(bed.kubeconfig);
});

after(async () => {
  await cli?.remove();
  await bed?.stop();
});

async function examine(...line: string[]): Promise<Finding[]> {
  const run = await cli.run(['doctor', ...line, '-o', 'json']);
  const { items } = run.json() as { items: Finding[] };
  assert.equal(run.exitCode, items.some(({ status }) => status === 'fail') ? 1 : 0, run.stderr);
  return items;
}

/** What is wrong, as `its/its1 its-hub-webhook`. */
const wrong = (findings: readonly Finding[]): string[] =>
  findings.filter(isWrong).flatMap(({ id, subjects }) => subjects.map((subject) => `${subject} ${id}`));

describe('before KubeStellar is there', { concurrency: 1 }, () => {
  it('says that the cluster is no hosting cluster, and what to type', async () => {
    const run = await cli.run(['doctor']);
    assert.equal(run.exitCode, 1);
    assert.match(run.stderr, /hosting .* is not a hosting cluster[\s\S]*stellarctl init --hosting-context hosting/);
  });
});

describe('an installation', { concurrency: 1 }, () => {
  before(async () => {
    await installKubeStellar(hosting);
    await cli.succeed(['its', 'create', 'its1', '--type', 'host']);
    await cli.succeed(['wds', 'create', 'wds1', '--type', 'host']);
    await cli.succeed(['wec', 'join', 'cluster1', 'cluster2', '--accept', '--its', 'its1']);
  });

  it('that is healthy passes without a warning and without a write', async () => {
    for (const name of names) await bed.plane(name).markAudit();
    const run = await cli.succeed(['doctor']);
    assert.match(
      run.stdout,
      /^✓ hosting cluster hosting .*\n✓ ITS its1 .*\n✓ WDS wds1 .*\n✓ WECs of its1 {3}2, all well\nNothing is wrong\.\n$/,
    );
    const both = await examine('cluster1=cluster1', 'cluster2=cluster2');
    assert.deepEqual(wrong(both), []);
    assert.deepEqual(
      both.filter(({ status, subjects }) => status === 'skipped' && subjects[0]?.startsWith('wec/')),
      [],
    );
    for (const name of names) assert.deepEqual(await writesOn(bed.plane(name)), []);
  });

  it('with two faults names both, and not what follows from them', async () => {
    const undo = [
      await bed.fault({ kind: 'dead', plane: 'hosting', pod: faultyPods.webhook }),
      await bed.fault({ kind: 'crashing', plane: 'cluster1', pod: faultyPods.agents }),
    ];
    const found = await until(async () => {
      const findings = await examine('cluster1=cluster1', 'cluster2=cluster2');
      return wrong(findings).some((each) => each.endsWith('wec-containers')) ? findings : undefined;
    });
    assert.deepEqual(wrong(found), ['its/its1 its-hub-webhook', 'wec/cluster1 wec-containers']);
    const crash = found.find(({ id, status }) => id === 'wec-containers' && status === 'fail');
    assert.match(
      crash?.command ?? '',
      /^kubectl --context cluster1 -n open-cluster-management-agent describe pod \S+$/,
    );
    assert.match(crash?.evidence?.[0]?.object ?? '', /^Pod open-cluster-management-agent\//);
    assert.deepEqual(wrong(await examine('--skip', 'its-hub-webhook', 'wec-containers')), []);
    for (const mend of undo) await mend();
    const waited = await cli.run(['doctor', 'cluster1=cluster1', '--wait', '--timeout', '2m']);
    assert.equal(waited.exitCode, 0, waited.stdout);
  });

  it('whose manager is scaled to no pods says so, and what to type', async () => {
    const scale = (replicas: number) =>
      hosting.admin.patch(resources.deployments, 'kubeflex-system/kubeflex-controller-manager', { spec: { replicas } });
    await scale(0);
    assert.deepEqual(wrong(await examine()), ['hosting/hosting hosting-manager']);
    await scale(1);
  });
});
