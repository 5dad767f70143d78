import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProgramOutput, RunProgram } from '../../../../../src/lib/core/program.ts';
import { Helm } from '../../../../../src/lib/spaces/install/helm.ts';
import { initHosting } from '../../../../../src/lib/spaces/install/init.ts';
import { helmProgram } from '../../../../../src/lib/spaces/local/programs.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { LeaseCluster, leasePath } from '../../../support/lease-cluster.ts';
import { matches } from '../../../support/steps.ts';

const chart = temporaryFolder();
let cluster: LeaseCluster;
beforeEach(async () => {
  cluster = await LeaseCluster.start();
});
afterEach(() => cluster.stop());

const answers: Record<string, string> = {
  show: 'name: core-chart\nversion: 0.30.0\n',
  history: '[]',
  get: '{}',
};

/** Installs on an empty cluster. @param helm answers a call of helm, by its subcommand; undefined for the usual answer */
async function init(
  helm: (verb: string, args: readonly string[]) => Partial<ProgramOutput> | undefined,
  timeoutMs = 60_000,
) {
  const called: string[] = [];
  const program: RunProgram = async (_, { args }) => {
    const [verb = ''] = args;
    called.push(verb);
    return { exitCode: 0, stdout: answers[verb] ?? '', stderr: '', ...helm(verb, args) };
  };
  const { kube, run } = cluster.run(timeoutMs);
  const found = { ...helmProgram, path: '/helm', version: '3.22.0' };
  const tools = {
    kube,
    helm: new Helm(found, { context: 'fake', kubeconfig: undefined }, program),
    run,
  };
  const result = initHosting({ chart, upgrade: false, values: {} }, tools);
  const error = await result.then(
    () => undefined,
    (failure: Error & { code: string }) => failure,
  );
  await tools.helm.close();
  kube.close();
  return { called, error, lines: run.progress.lines };
}

const failing = { exitCode: 1, stderr: 'Error: broken' };

test('helm runs under the Lease, with the rest of the time', async () => {
  let seen = '';
  const { error } = await init((verb, args) => {
    if (verb !== 'upgrade') return undefined;
    seen = `${cluster.lease?.metadata.name}, ${args.slice(-2).join(' ')}`;
    return failing;
  });
  assert.equal(error?.code, 'program-failed');
  assert.match(seen, /^stellarctl, --timeout [1-9]\d?s$/);
  assert.equal(cluster.lease, undefined);
});

test('a cluster in which no pod can run, as a WDS, is refused before anything is written', async () => {
  cluster.put('/api/v1/nodes', { items: [] } as never);
  const { error, called } = await init(() => undefined);
  assert.equal(error?.code, 'not-a-hosting-cluster');
  matches(error?.message, /has no nodes, so no pod could run in it\. Nothing was written\.$/);
  assert.deepEqual([cluster.writes, called.includes('upgrade')], [[], false]);
});

test('a chart that cannot be rendered is refused before the Lease is written', async () => {
  const { error } = await init((verb) => (verb === 'template' ? failing : undefined));
  matches(error?.message, /broken/);
  assert.deepEqual(cluster.writes, []);
});

test('what another run has changed before it had ended is read again', async () => {
  const renewTime = new Date().toISOString();
  const spec = {
    holderIdentity: 'bob@desk, init, process 1',
    renewTime,
    leaseDurationSeconds: 900,
  };
  const other = { kind: 'Lease', metadata: { name: 'stellarctl' }, spec };
  cluster.put(leasePath, other);
  const revision = {
    revision: 1,
    status: 'deployed',
    chart: 'core-chart-0.99.0',
    app_version: '0.99.0',
  };
  const running = init((verb) =>
    verb === 'history' && cluster.lease?.spec?.holderIdentity !== other.spec.holderIdentity
      ? { stdout: JSON.stringify([revision]) }
      : undefined,
  );
  await sleep(1500);
  cluster.objects.delete(leasePath);
  const { called, error, lines } = await running;
  assert.ok(
    lines.includes('changed fake waiting for another run: bob@desk, init, process 1'),
    lines.join('\n'),
  );
  // Its plan is for the newer chart that is there now.
  assert.equal(error?.code, 'upgrade-needed');
  assert.ok(!called.includes('upgrade'));
});
