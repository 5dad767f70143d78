/** `doctor --fix` on faults of a registration: what it does, and that its second run does nothing. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  type AnyObject,
  type Bed,
  registrationFaults,
  resources,
  until,
} from '../../../testbed/index.ts';
import { type Fixes, isWrong } from '../support/findings.ts';
import { furtherFaults } from '../support/further-faults.ts';
import { Cli } from '../support/harness.ts';
import { inRelease, rowOptions } from '../support/in-release.ts';
import { assertAvailable } from '../support/registration.ts';
import { enterBed, leaveBed } from '../support/shared-bed.ts';

let bed: Bed;
let cli: Cli;

before(async () => {
  bed = await enterBed([
    { name: 'its1', hub: true },
    { name: 'cluster1', hub: false },
  ]);
  cli = await Cli.create(bed.kubeconfig);
});

after(() => leaveBed(cli));

const agentNamespace = 'open-cluster-management-agent';

const doctor = (...options: string[]) =>
  cli.run(['doctor', '--its', 'its1', 'cluster1=cluster1', ...options]);

async function fix(...options: string[]): Promise<Fixes & { stderr: string }> {
  const run = await doctor('--fix', '-o', 'json', ...options);
  return { ...(run.json() as Fixes), stderr: run.stderr };
}

const openOf = ({ items }: Fixes) => items.filter(isWrong).map(({ code }) => code);

/** Everything that a fix may change, by version. */
async function versions({ withPods = false } = {}): Promise<Record<string, string | undefined>> {
  const [its1, cluster1] = [bed.plane('its1').admin, bed.plane('cluster1').admin];
  const lists = await Promise.all([
    its1.list<AnyObject>(resources.certificateSigningRequests),
    cluster1.list<AnyObject>(resources.secrets, { namespace: agentNamespace }),
    cluster1.list<AnyObject>(resources.pods, { namespace: agentNamespace }),
  ]);
  const [requests, secrets, pods] = lists.map(({ items }) => items);
  return Object.fromEntries([
    ...[...(requests ?? []), ...((withPods && pods) || [])].map(({ metadata: { name, uid } }) => [
      name,
      uid,
    ]),
    ...(secrets ?? []).map(({ metadata: { name, resourceVersion } }) => [name, resourceVersion]),
  ]);
}

interface Expected {
  fault: string;
  code: string;
  /** What is left to the user afterwards. */
  left?: string[];
  inCi?: boolean;
}

const pending = ['request-pending'];
/** `npm run bench -- doctor` follows the printed commands of all faults. CI has the one that only `doctor --fix` starts. */
const expected: readonly Expected[] = [
  { fault: 'token-revoked', code: 'token-revoked', left: pending, inCi: true },
  { fault: 'bootstrap-secret-missing', code: 'bootstrap-secret-missing', left: pending },
  { fault: 'agent-frozen', code: 'agent-silent' },
  { fault: 'agent-certificate-expired', code: 'certificate-expired' },
];

const rowOf = (fault: string) => {
  const row = [...registrationFaults, ...furtherFaults(() => cli)].find(({ id }) => id === fault);
  assert.ok(row, fault);
  return row;
};

describe('doctor --fix', { concurrency: 1 }, () => {
  for (const { fault, code, left = [], inCi } of expected)
    it(fault, rowOptions({ inCi }), async () => {
      const undo = await rowOf(fault).arrange(bed);
      try {
        const before = await versions();
        const planned = await fix('--dry-run');
        const findings = [
          { subject: 'wec/cluster1', check: planned.items.find(isWrong)?.id, code },
        ];
        const command = planned.fixed[0]?.command ?? '';
        assert.match(command, /^stellarctl wec join cluster1=cluster1 /);
        assert.deepEqual(planned.fixed, [{ command, findings, result: 'planned' }], planned.stderr);
        const refused = await doctor('--fix');
        assert.equal(refused.exitCode, 1);
        assert.match(
          refused.stderr,
          /Run 1 command\? This needs confirmation, and stdin is not a terminal/,
        );
        assert.deepEqual(await versions(), before, 'nothing is changed before');

        const done = await fix('--yes');
        assert.deepEqual(done.fixed, [{ command, findings, result: 'fixed' }], done.stderr);
        assert.deepEqual(openOf(done), left);
        if (left.length > 0) await cli.succeed(['accept', 'cluster1', '--its', 'its1']);
        await assertAvailable(bed.plane('its1'), 'cluster1');
        await until(
          async () => openOf((await doctor('-o', 'json')).json() as Fixes).length === 0,
          'all is well',
        );

        const rested = await versions({ withPods: true });
        const again = await fix('--yes');
        assert.deepEqual([again.fixed, openOf(again)], [[], []]);
        assert.match(again.stderr, /^Nothing to fix/m);
        assert.deepEqual(
          await versions({ withPods: true }),
          rested,
          'there is nothing to do the second time',
        );
      } finally {
        await undo();
      }
    });

  it('leaves to the user what would delete workloads', inRelease, async () => {
    const undo = await rowOf('cluster-deleted').arrange(bed);
    try {
      const { fixed, items, stderr } = await fix('--yes');
      assert.deepEqual(fixed, []);
      assert.match(stderr, /^Nothing can be fixed without you/m);
      assert.match(
        items.find(isWrong)?.command ?? '',
        /^stellarctl wec join cluster1=cluster1 --accept /,
      );
    } finally {
      await undo();
    }
  });
});
