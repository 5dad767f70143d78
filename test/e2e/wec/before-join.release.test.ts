/** What keeps a cluster from being registered, found before: see before-join.long.test.ts. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Bed, type Fault, type Plane, startBed } from '../../../testbed/index.ts';
import { assertNothingLeft, findingsOf, probe, wrongOf } from '../support/before-join.ts';
import { Cli } from '../support/harness.ts';

let bed: Bed;
let cli: Cli;
let cluster1: Plane;

before(async () => {
  bed = await startBed({
    planes: [
      { name: 'its1', hub: true },
      { name: 'its2', hub: true },
      { name: 'cluster1' },
      { name: 'cluster2' },
    ],
  });
  cluster1 = bed.plane('cluster1');
  cli = await Cli.create(bed.kubeconfig);
});

after(async () => {
  await cli?.remove();
  await bed?.stop();
});

describe('a probe', { concurrency: 1 }, () => {
  const host = 'its1-control-plane';
  const faults: [string, Fault, RegExp][] = [
    [
      'hub-not-reached',
      { kind: 'unresolvable', host },
      /lookup its1-control-plane on \S+: no such host/,
    ],
    ['hub-not-reached', { kind: 'refused', host, from: 'cluster1' }, /connect: connection refused/],
    ['hub-not-reached', { kind: 'swallowed', host, from: 'cluster1' }, /i\/o timeout/],
    ['hub-not-reached', { kind: 'misnamed', plane: 'its1' }, /x509: certificate is valid for/],
    [
      'probe-unfinished',
      { kind: 'unschedulable', plane: 'cluster1', pod: 'default/' },
      /nodes are available/,
    ],
    [
      'probe-unfinished',
      { kind: 'failing', image: 'registration-operator', log: ['exec format error'] },
      /exit 1/,
    ],
  ];
  for (const [code, fault, words] of faults)
    it(`finds ${code} (${fault.kind}), and leaves nothing`, async () => {
      const repair = await bed.fault(fault);
      const run = await probe(cli, 'cluster1', [
        '--timeout',
        fault.kind === 'swallowed' ? '60s' : '20s',
      ]);
      await repair();
      assert.equal(run.exitCode, 1, run.stderr);
      assert.deepEqual(wrongOf(findingsOf(run), 'cluster1'), [`wec-probe ${code}`]);
      assert.match(run.stdout, words);
      await assertNothingLeft(cluster1);
    });

  it('finds that the authority which a join would write is wrong', async () => {
    const file = path.join(cli.home, 'other-authority.pem');
    await writeFile(file, bed.plane('its2').kubeconfigEntry.connection.caPem ?? '');
    const run = await probe(cli, 'cluster1', ['--ca-file', file]);
    assert.deepEqual(wrongOf(findingsOf(run), 'cluster1'), ['wec-probe authority-wrong']);
    assert.match(run.stdout, /--its its1 --ca-file FILE/);
    await assertNothingLeft(cluster1);
  });

  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    it(`leaves nothing on ${signal}, whenever it comes`, async () => {
      const repair = await bed.fault({ kind: 'silent', image: 'registration-operator' });
      for (const text of [/cluster1: create Job/, /POST .*\/jobs/, /GET .*\/pods\?/]) {
        const run = await probe(cli, 'cluster1', ['-v'], { signalAt: { text, signal } });
        assert.equal(run.exitCode, exitCode, run.stderr);
        await assertNothingLeft(cluster1);
      }
      await repair();
    });
});
