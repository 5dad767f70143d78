import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import {
  type Bed,
  bootstrapRequester,
  limitedUser,
  type Plane,
  rule,
  until,
  writeKubeconfig,
} from '../../../testbed/index.ts';
import { Cli } from '../support/harness.ts';
import {
  announce,
  ask,
  askAgain,
  forgetRequests,
  isAccepted,
  joinOnceAccepted,
  registered,
  stateOf,
} from '../support/pretended-agents.ts';
import { assertRefused, assertUnwritten, writesOn } from '../support/refusal.ts';
import { enterBed, leaveBed } from '../support/shared-bed.ts';
import { WriteProxy } from '../support/write-proxy.ts';

let bed: Bed;
let hub: Plane;
let cli: Cli;

before(async () => {
  // The second one is a hub as OCM created them before 0.11, configured to approve everything automatically.
  bed = await enterBed([
    { name: 'its1', hub: true },
    { name: 'its2', hub: { autoApprove: true } },
  ]);
  hub = bed.plane('its1');
  cli = await Cli.create(bed.kubeconfig);
});

after(() => leaveBed(cli));

beforeEach(() => hub.markAudit());
afterEach(() => forgetRequests(hub));

/** The last word of a line that reports a write: its object. */
const approvalOf = (request: string) => `update certificatesigningrequests/approval ${request}`;

describe('accept', () => {
  it('animates nothing on a terminal of unknown size', async () => {
    const { exitCode, screen } = await cli.runOnTerminal(
      ['accept', 'nobody', '--wait', '--timeout', '4s'],
      { columns: 0 },
    );
    assert.equal(exitCode, 3, screen.slice(0, 1000));
    assert.match(screen, /✗\S* nobody did not reach/);
    assert.ok(screen.length < 5000);
  });

  it('takes all WECs that wait for a decision, with --all, and nothing else', async () => {
    await registered(hub, 'all-registered');
    await announce(hub, 'all-without-request');
    await ask(hub, 'all-1');
    await ask(hub, 'all-2');
    const addon = await ask(hub, 'all-addon', {
      labels: { 'open-cluster-management.io/addon-name': 'work' },
    });
    const run = await cli.succeed(['accept', '--all', '--no-wait', '-o', 'name']);
    assert.equal(run.stdout, 'all-1\nall-2\n');
    assert.equal(await stateOf(hub, addon), 'pending');
    assert.equal(await isAccepted(hub, 'all-without-request'), false);

    await hub.markAudit();
    const again = await cli.succeed(['accept', '--all', '-o', 'json']);
    assert.deepEqual(again.json(), { items: [] });
    assert.match(again.stderr, /No requests are pending\./);
    await assertUnwritten([hub]);
  });

  it('exits with 130 and one message when interrupted while it waits', async () => {
    const run = await cli.run(['accept', 'interrupted', '--wait', '-v'], {
      signalAt: { text: /certificatesigningrequests\S* 200/, signal: 'SIGINT' },
    });
    assertRefused(run, { exitCode: 130, says: /^✗ Interrupted/ });
    await assertUnwritten([hub]);
  });

  it('succeeds twice when run concurrently for the same WEC', async () => {
    const request = await ask(hub, 'twice');
    const line = ['accept', 'twice', '--no-wait'];
    await Promise.all([cli.succeed(line), cli.succeed(line)]);
    assert.equal(await stateOf(hub, request), 'Approved');
    assert.ok(await isAccepted(hub, 'twice'));
  });

  it('does not approve what is denied between its look and its write: its PUT has the resourceVersion that it has judged', async () => {
    const request = await ask(hub, 'denied-meanwhile');
    const proxy = await WriteProxy.start(hub, () => {}, {
      beforeWrite: () => cli.succeed(['accept', '--deny', 'denied-meanwhile']),
    });
    try {
      const kubeconfig = await writeKubeconfig(hub, [proxy.entry]);
      const run = await cli.run(['accept', 'denied-meanwhile', '--timeout', '60s'], { kubeconfig });
      assertRefused(run, { exitCode: 1, says: /was denied/ });
      assert.equal(await stateOf(hub, request), 'Denied');
      assert.equal(await isAccepted(hub, 'denied-meanwhile'), false);
    } finally {
      proxy.stop();
    }
  });

  it('only follows a registration that the hub approves and accepts automatically', async () => {
    const auto = bed.plane('its2');
    const request = await ask(auto, 'automatic');
    await until(async () => (await stateOf(auto, request)) === 'Approved', 'approval by the hub');
    await until(async () => await isAccepted(auto, 'automatic'), 'acceptance by the hub');
    await auto.markAudit();
    const line = ['accept', 'automatic', '--its', 'its2', '-o', 'json'];
    const [run] = await Promise.all([cli.succeed(line), joinOnceAccepted(auto, 'automatic')]);
    assert.deepEqual(run.json(), {
      items: [{ name: 'automatic', stage: 'available', blockedAt: null, changed: false }],
    });
    await assertUnwritten([auto]);
  });
});

// What else is refused: test/unit/lib/ocm/hub/registration-requests.test.ts.
it('accept refuses a request that somebody in the right group has sent, and approves and accepts nothing', async () => {
  const as = { user: 'mallory', groups: [...bootstrapRequester.groups] };
  const request = await ask(hub, 'wrong', { as });
  const run = await cli.run(['accept', 'wrong']);
  assertRefused(run, { exitCode: 1, says: /wrong/, hint: /it was sent by mallory/ });
  assert.match(run.stderr, new RegExp(`kubectl --context its1 describe csr ${request}`));
  assert.equal(await stateOf(hub, request), 'pending');
  assert.equal(await isAccepted(hub, 'wrong'), false, 'hubAcceptsClient');
  await assertUnwritten([hub]);
});

describe('accept, if several agents request one name,', () => {
  const second = '03be2222-0000-4000-8000-000000000002';

  it('never gives the name of a joined WEC to a new agent without --agent', async () => {
    await registered(hub, 'taken');
    const request = await askAgain(hub, 'taken', { agent: second });
    await hub.markAudit();
    const lines = [
      ['accept', 'taken'],
      ['accept', '--all'],
    ];
    for (const line of lines) {
      assertRefused(await cli.run(line), {
        exitCode: 1,
        says: /taken has joined already, and another agent/,
        hint: /--agent 03be2222/,
      });
    }
    assert.equal(await stateOf(hub, request), 'pending');
    await assertUnwritten([hub]);

    await cli.succeed(['accept', 'taken', '--agent', '03be2222']);
    assert.equal(await stateOf(hub, request), 'Approved');
    const asWhom = 'create selfsubjectreviews ';
    assert.deepEqual(await writesOn(hub), [asWhom, approvalOf(request)]);
  });
});

describe('accept --deny', () => {
  it('denies, and on the second run reports the earlier denial and writes nothing', async () => {
    const request = await ask(hub, 'denied');
    const run = await cli.succeed(['accept', '--deny', 'denied', '-o', 'json']);
    const blockedAt = { stage: 'approved', state: 'failed', why: `request ${request} was denied` };
    assert.deepEqual(run.json(), {
      items: [{ name: 'denied', stage: 'request', blockedAt, changed: true }],
    });
    assert.equal(await stateOf(hub, request), 'Denied');
    assert.equal(await isAccepted(hub, 'denied'), false);

    await hub.markAudit();
    const again = await cli.succeed(['accept', '--deny', 'denied']);
    assert.match(again.stdout, /^denied: was denied before\n$/);
    await assertUnwritten([hub]);

    const accepting = await cli.run(['accept', 'denied']);
    assertRefused(accepting, {
      exitCode: 1,
      says: /request \S+ was denied/,
      hint: new RegExp(`delete csr ${request}`),
    });
    await assertUnwritten([hub]);
  });

  it('fails if there is nothing to deny, and still denies the others', async () => {
    const request = await ask(hub, 'deniable');
    const run = await cli.run(['accept', '--deny', 'nobody', 'deniable', '-o', 'json']);
    assert.equal(run.exitCode, 1);
    const [absent, denied] = run.json().items;
    assert.deepEqual(
      [absent.name, absent.changed, absent.error.code],
      ['nobody', false, 'not-found'],
    );
    assert.deepEqual([denied.name, denied.changed, denied.error], ['deniable', true, undefined]);
    assert.equal(await stateOf(hub, request), 'Denied');
  });
});

describe('accept --dry-run', () => {
  it('does not wait for a request or for a WEC to become available', async () => {
    await ask(hub, 'dry-accepted');
    await cli.succeed(['accept', 'dry-accepted', '--no-wait']);
    await hub.markAudit();
    for (const words of [['nobody', '--wait'], ['dry-accepted']]) {
      const started = Date.now();
      const run = await cli.run(['accept', ...words, '--dry-run', '--timeout', '120s']);
      assert.ok(Date.now() - started < 60_000, `it has waited: ${run.stdout}${run.stderr}`);
    }
    await assertUnwritten([hub]);
  });
});

describe('accept with -o', () => {
  it('prints one JSON document for successful and failed WECs', async () => {
    await ask(hub, 'good');
    await ask(hub, 'bad', { signerName: 'example.com/signer' });
    await askAgain(hub, 'late');
    const names = ['good', 'bad', 'nobody', 'late'];
    const run = await cli.run(['accept', ...names, '--no-wait', '--timeout', '6s', '-o', 'json']);
    // Among failed and timed out, failed comes first.
    assert.equal(run.exitCode, 1);
    const items: { name: string; changed: boolean; error?: { code: string; message: string } }[] =
      run.json().items;
    const short = items.map(({ name, changed, error }) => [name, changed, error?.code]);
    assert.deepEqual(short, [
      ['good', true, undefined],
      ['bad', false, 'request-refused'],
      ['nobody', false, 'not-found'],
      ['late', false, 'timeout'],
    ]);
    const messages = run.stderr.split('\n').filter((line) => line.startsWith('✗'));
    assert.equal(messages.length, 3, 'stderr says it to people as well');
  });
});

describe('accept by a user', () => {
  const reading = [
    rule('cluster.open-cluster-management.io', 'managedclusters', 'get, list'),
    rule('certificates.k8s.io', 'certificatesigningrequests', 'get, list'),
    rule('coordination.k8s.io', 'leases', 'get'),
  ];
  const approving = [
    rule('certificates.k8s.io', 'certificatesigningrequests/approval', 'update'),
    rule('certificates.k8s.io', 'signers', 'approve', ['kubernetes.io/kube-apiserver-client']),
    rule('cluster.open-cluster-management.io', 'managedclusters', 'patch'),
  ];
  const accepting = rule('register.open-cluster-management.io', 'managedclusters/accept', 'update');
  it('who may approve, but not accept, ends with 4, and is told which right is missing', async () => {
    const rules = [...reading, ...approving];
    const kubeconfig = await writeKubeconfig(hub, [
      await limitedUser(hub, { user: 'approver', rules }),
    ]);
    await ask(hub, 'by-approver');
    const run = await cli.run(['accept', 'by-approver', '--no-wait'], { kubeconfig });
    assertRefused(run, { exitCode: 4, says: /Not allowed on its1 .*accept/, hint: /auth can-i/ });
    assert.equal(await isAccepted(hub, 'by-approver'), false);
  });

  it('with exactly these permissions succeeds', async () => {
    const rules = [...reading, ...approving, accepting];
    const kubeconfig = await writeKubeconfig(hub, [
      await limitedUser(hub, { user: 'acceptor', rules }),
    ]);
    await ask(hub, 'by-acceptor');
    await cli.succeed(['accept', 'by-acceptor', '--no-wait'], { kubeconfig });
    assert.ok(await isAccepted(hub, 'by-acceptor'));
  });
});
