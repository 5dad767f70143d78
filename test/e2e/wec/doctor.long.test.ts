/** `doctor` on faults of a registration: the check that fails, the cause that it names, and its command, which is typed as it is. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Bed, limitedUser, registrationFaults, startBed, until, writeKubeconfig } from '../../../testbed/index.ts';
import { type Finding, isWrong } from '../support/findings.ts';
import { Cli } from '../support/harness.ts';

let bed: Bed;
let cli: Cli;

before(async () => {
  bed = await startBed({
    planes: [
      { name: 'its1', hub: true },
      { name: 'cluster1', hub: false },
    ],
  });
  cli = await Cli.create(bed.kubeconfig);
});

after(async () => {
  await cli?.remove();
  await bed?.stop();
});

async function examine(): Promise<Finding[]> {
  const run = await cli.run(['doctor', '--its', 'its1', 'cluster1=cluster1', '-o', 'json']);
  return (run.json() as { items: Finding[] }).items.filter(isWrong);
}

interface Expected {
  fault: string;
  /** What is wrong, and nothing else. */
  check: string;
  code: string;
  /** What is added to the command, where it is one that registers the WEC again. */
  heals?: string[];
}

const expected: readonly Expected[] = [
  { fault: 'wrong-ca', check: 'wec-hub-connection', code: 'authority-wrong', heals: ['--accept'] },
  { fault: 'missing-ca', check: 'wec-hub-connection', code: 'authority-missing' },
  { fault: 'name-unresolvable', check: 'wec-hub-connection', code: 'hub-unresolvable' },
  { fault: 'connection-refused', check: 'wec-hub-connection', code: 'hub-refuses' },
  { fault: 'certificate-of-other-name', check: 'wec-hub-connection', code: 'certificate-of-other-name' },
  {
    fault: 'bootstrap-secret-missing',
    check: 'wec-hub-connection',
    code: 'bootstrap-secret-missing',
    heals: ['--accept'],
  },
  { fault: 'token-expired', check: 'wec-hub-connection', code: 'token-expired', heals: ['--accept'] },
  { fault: 'token-revoked', check: 'wec-hub-connection', code: 'token-revoked' },
  { fault: 'rbac-cluster', check: 'its-bootstrap-rights', code: 'bootstrap-rights-missing' },
  { fault: 'request-pending', check: 'wec-decision', code: 'request-pending', heals: [] },
  { fault: 'request-denied', check: 'wec-decision', code: 'request-denied' },
  { fault: 'requests-piled-up', check: 'wec-decision', code: 'requests-piled-up' },
];

describe('doctor names the cause, and nothing that follows from it', { concurrency: 1 }, () => {
  for (const { fault, check, code, heals } of expected)
    it(fault, async () => {
      const row = registrationFaults.find(({ id }) => id === fault);
      assert.ok(row);
      const undo = await row.arrange(bed);
      try {
        const findings = await examine();
        assert.deepEqual(
          findings.map((finding) => [finding.id, finding.code]),
          [[check, code]],
        );
        if (heals === undefined) return;
        const typed = (findings[0]?.command ?? findings[0]?.hint ?? '').replace(/ {2,}\(.*\)$/, '');
        assert.match(typed, /^stellarctl /);
        await cli.succeed([...typed.split(' ').slice(1), ...heals]);
        await until(async () => (await examine()).length === 0, 'all is well');
      } finally {
        await undo();
      }
    });
});

describe('doctor for a user with few rights', { concurrency: 1 }, () => {
  it('never calls well what it could not look at', async () => {
    const its1 = bed.plane('its1');
    const kubeconfig = await writeKubeconfig(its1, [await limitedUser(its1, { user: 'guest' })]);
    for (const line of [['cluster1'], []]) {
      const run = await cli.run(['doctor', '--its', 'its1', ...line], { kubeconfig });
      assert.notEqual(run.exitCode, 0, run.stdout);
      assert.doesNotMatch(run.stdout, /Nothing is wrong/);
    }
  });

  it('names a check that --skip does not know', async () => {
    const run = await cli.run(['doctor', '--its', 'its1', '--skip', 'its-hub-hook']);
    assert.match(run.stderr, /--skip its-hub-hook: no such check was made/);
  });
});
