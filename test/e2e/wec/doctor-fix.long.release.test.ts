/** `doctor --fix` on faults of a registration: what it does, and that its second run does nothing. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type AnyObject, type Bed, registrationFaults, resources, until } from '../../../testbed/index.ts';
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

after(async () => {
  await cli?.remove();
  await leaveBed();
});

const agentNamespace = 'open-cluster-management-agent';

interface Fixed {
  subject: string;
  code: string;
  result: string;
  writes: { verb: string; object: string; on: string; uid?: string }[];
  error?: { code: string };
}

interface Document {
  items: { id: string; status: string; code?: string; command?: string; steps?: string[] }[];
  fixed: Fixed[];
}

const doctor = (...options: string[]) => cli.run(['doctor', '--its', 'its1', 'cluster1=cluster1', ...options]);

async function fix(...options: string[]): Promise<Document & { stderr: string }> {
  const run = await doctor('--fix', '-o', 'json', ...options);
  return { ...(run.json() as Document), stderr: run.stderr };
}

const isOpen = ({ status }: { status: string }) => status === 'warn' || status === 'fail';
const openOf = ({ items }: Document) => items.filter(isOpen).map(({ code }) => code);

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
    ...[...(requests ?? []), ...((withPods && pods) || [])].map(({ metadata: { name, uid } }) => [name, uid]),
    ...(secrets ?? []).map(({ metadata: { name, resourceVersion } }) => [name, resourceVersion]),
  ]);
}

interface Expected {
  fault: string;
  code: string;
  /** The steps, by verb and kind. */
  steps: string[];
  /** What is left to the user afterwards. */
  left: string[];
  result?: string;
  inCi?: boolean;
}

const secret = 'write Secret';
const pending = ['request-pending'];
/** One fault for each kind of step; `npm run bench -- doctor` has all of them. CI has one of each kind of remedy. */
const expected: readonly Expected[] = [
  { fault: 'token-revoked', code: 'token-revoked', steps: [secret], left: pending, inCi: true },
  { fault: 'wrong-url', code: 'hub-address-loopback', steps: [secret], left: pending },
  { fault: 'bootstrap-secret-missing', code: 'bootstrap-secret-missing', steps: [secret], left: pending },
  {
    fault: 'own-too-many-requests',
    code: 'too-many-requests',
    steps: [secret, ...Array<string>(11).fill('delete CertificateSigningRequest')],
    left: pending,
  },
  { fault: 'agent-frozen', code: 'agent-silent', steps: ['restart Pods'], left: [] },
  {
    fault: 'cluster-deleted',
    code: 'managed-cluster-missing',
    steps: [secret, 'delete Secret', 'restart Pods', 'delete CertificateSigningRequest'],
    left: pending,
    inCi: true,
  },
  {
    fault: 'agent-certificate-expired',
    code: 'certificate-expired',
    steps: [secret, 'delete CertificateSigningRequest'],
    left: ['certificate-expired', 'reregistration-pending'],
    result: 'pending',
  },
];

const rowOf = (fault: string) => {
  const row = [...registrationFaults, ...furtherFaults(() => cli)].find(({ id }) => id === fault);
  assert.ok(row, fault);
  return row;
};

describe('doctor --fix', { concurrency: 1 }, () => {
  for (const { fault, code, steps, left, result = 'fixed', inCi } of expected)
    it(fault, rowOptions({ inCi }), async () => {
      const undo = await rowOf(fault).arrange(bed);
      try {
        const before = await versions();
        const planned = await fix('--dry-run');
        assert.deepEqual(
          planned.fixed.map(({ code, result }) => [code, result]),
          [[code, 'planned']],
          planned.stderr,
        );
        assert.deepEqual(await versions(), before, 'a dry run changes nothing');

        const done = await fix('--yes');
        const [own] = done.fixed;
        assert.deepEqual([own?.subject, own?.code, own?.result], ['wec/cluster1', code, result], done.stderr);
        assert.deepEqual(
          own?.writes.map(({ verb, object }) => `${verb} ${object.split(' ')[0]}`),
          steps,
        );
        assert.deepEqual(openOf(done), left);
        if (left.length > 0) {
          const waiting = done.items.findLast(isOpen);
          const accept = waiting?.command ?? waiting?.steps?.[0] ?? '';
          assert.match(accept, /^stellarctl accept cluster1 /);
          await cli.succeed(
            accept
              .replace(/ {2,}\(.*\)$/, '')
              .split(' ')
              .slice(1),
          );
        }
        await assertAvailable(bed.plane('its1'), 'cluster1');
        await until(async () => openOf((await doctor('-o', 'json')).json() as Document).length === 0, 'all is well');

        const rested = await versions({ withPods: true });
        const again = await fix('--yes');
        assert.deepEqual([again.fixed, openOf(again)], [[], []]);
        assert.match(again.stderr, /^Nothing (?:to fix|can be fixed without you)/m);
        assert.deepEqual(await versions({ withPods: true }), rested, 'there is nothing to do the second time');
      } finally {
        await undo();
      }
    });
});

describe('doctor --fix leaves to the user', { concurrency: 1 }, () => {
  it('requests that may belong to other clusters', async () => {
    const undo = await rowOf('requests-piled-up').arrange(bed);
    try {
      const before = await versions();
      const { fixed, stderr } = await fix('--yes');
      assert.deepEqual(
        fixed.map(({ code, result, error }) => [code, result, error?.code]),
        [['too-many-requests', 'refused', 'identity-unproven']],
      );
      assert.match(stderr, /needs your decision: 10 of the 10 requests of cluster1 are not proven/);
      assert.deepEqual(await versions(), before);
    } finally {
      await undo();
    }
  });

  it('an unknown address, and anything not confirmed', inRelease, async () => {
    const undo = await rowOf('name-unresolvable').arrange(bed);
    try {
      const { fixed } = await fix('--yes');
      assert.deepEqual(
        fixed.map(({ code, error }) => [code, error?.code]),
        [['hub-unresolvable', 'endpoint-unusable']],
      );
    } finally {
      await undo();
    }
    const take = await rowOf('token-expired').arrange(bed);
    try {
      const before = await versions();
      const run = await doctor('--fix');
      assert.equal(run.exitCode, 1);
      assert.match(run.stderr, /Fixing cluster1 needs confirmation, and stdin is not a terminal/);
      assert.deepEqual(await versions(), before);
    } finally {
      await take();
    }
  });
});
