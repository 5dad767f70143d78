import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import {
  type Bed,
  bootstrapRequester,
  limitedUser,
  type Plane,
  type RegistrationRequest,
  registeredAgent,
  resources,
  rule,
  startBed,
  until,
  writeKubeconfig,
} from '../../../testbed/index.ts';
import { Cli } from '../support/harness.ts';
import { inRelease, rowOptions } from '../support/in-release.ts';
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
import { assertRefused, assertRefuses, assertUnwritten, writesOn } from '../support/refusal.ts';
import { WriteProxy } from '../support/write-proxy.ts';

let bed: Bed;
let hub: Plane;
let cli: Cli;

before(async () => {
  // The second one is a hub as OCM created them before 0.11, configured to approve everything automatically.
  bed = await startBed({
    planes: [
      { name: 'its1', hub: true },
      { name: 'its2', hub: { olderBootstrap: true, autoApprove: true } },
    ],
  });
  hub = bed.plane('its1');
  cli = await Cli.create(bed.kubeconfig);
});

after(async () => {
  await cli?.remove();
  await bed?.stop();
});

beforeEach(() => hub.markAudit());
afterEach(() => forgetRequests(hub));

/** The last word of a line that reports a write: its object. */
const approvalOf = (request: string) => `update certificatesigningrequests/approval ${request}`;
const acceptanceOf = (name: string) => `patch managedclusters ${name}`;

async function assertUntouched(request: string, name: string): Promise<void> {
  assert.equal(await stateOf(hub, request), 'pending');
  assert.equal(await isAccepted(hub, name), false, 'hubAcceptsClient');
  await assertUnwritten([hub]);
}

describe('accept', () => {
  it('approves the request, accepts the WEC, and waits until it is available', async () => {
    const request = await ask(hub, 'one');
    const [run] = await Promise.all([cli.succeed(['accept', 'one']), joinOnceAccepted(hub, 'one')]);

    assert.match(run.stdout, /^one: joined and available after [\d.]+s\n$/);
    const [first, ...others] = run.stderr.trimEnd().split('\n');
    assert.equal(first, `ITS its1 (${hub.server})`, 'the first line says where it writes');
    assert.ok(others.includes(`one: request ${request} approved`), run.stderr);
    assert.equal(others.at(-1), 'Next: stellarctl wec list --its its1');
    assert.deepEqual(await writesOn(hub), [approvalOf(request), acceptanceOf('one')]);
  });

  it('shows the same on a terminal', async () => {
    await ask(hub, 'on-terminal');
    const [{ exitCode, screen }] = await Promise.all([
      cli.runOnTerminal(['accept', 'on-terminal']),
      joinOnceAccepted(hub, 'on-terminal'),
    ]);
    assert.equal(exitCode, 0, screen);
    assert.match(screen, /on-terminal {2}\S*✓\S* joined and available/);
    assert.match(screen, /Next: stellarctl wec list/);
  });

  it('animates nothing on a terminal of unknown size', async () => {
    const { exitCode, screen } = await cli.runOnTerminal(['accept', 'nobody', '--wait', '--timeout', '4s'], {
      columns: 0,
    });
    assert.equal(exitCode, 3, screen.slice(0, 1000));
    assert.match(screen, /✗\S* nobody did not reach/);
    assert.ok(screen.length < 5000);
  });

  it('ends when the WECs are accepted, with --no-wait, and takes several names', async () => {
    const requests = [await ask(hub, 'several-1'), await ask(hub, 'several-2')];
    const run = await cli.succeed(['accept', 'several-1,several-2', '--no-wait']);
    assert.deepEqual(
      run.stdout
        .replace(/ after .*/g, '')
        .split('\n')
        .sort(),
      ['', 'several-1: accepted', 'several-2: accepted'],
    );
    for (const request of requests) assert.equal(await stateOf(hub, request), 'Approved');
    assert.ok((await isAccepted(hub, 'several-1')) && (await isAccepted(hub, 'several-2')));
  });

  it('takes all WECs that wait for a decision, with --all, and nothing else', async () => {
    await registered(hub, 'all-registered');
    await announce(hub, 'all-without-request');
    await ask(hub, 'all-1');
    await ask(hub, 'all-2');
    const addon = await ask(hub, 'all-addon', { labels: { 'open-cluster-management.io/addon-name': 'work' } });
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

  it('accepts valid WECs beside an invalid request, with --all', async () => {
    const wrong = await ask(hub, 'beside-wrong', { signerName: 'example.com/signer' });
    await ask(hub, 'beside-right');
    const run = await cli.run(['accept', '--all', '--no-wait', '-o', 'json']);
    assert.equal(run.exitCode, 1);
    const [right, refused] = run.json().items;
    assert.deepEqual([right.name, right.changed, right.error], ['beside-right', true, undefined]);
    assert.deepEqual([refused.name, refused.changed, refused.error.code], ['beside-wrong', false, 'request-refused']);
    assert.equal(await stateOf(hub, wrong), 'pending');
  });

  it('waits for a request that does not exist yet', async () => {
    let request = '';
    const sendRequest = async () => {
      await hub.markAudit();
      request = await ask(hub, 'later');
    };
    const looked = { text: /certificatesigningrequests\S* 200/, act: sendRequest };
    const run = await cli.run(['accept', 'later', '--wait', '--timeout', '10s', '-v'], { whenPrinted: looked });
    assert.match(run.stderr, /^later: cluster accepted/m);
    assert.deepEqual(await writesOn(hub), [approvalOf(request), acceptanceOf('later')]);
  });

  it('approves the request only once the ManagedCluster exists', async () => {
    await askAgain(hub, 'announced-late');
    const early = await cli.run(['accept', 'announced-late', '--no-wait', '--timeout', '0']);
    assert.equal(early.exitCode, 3);
    assert.match(early.stderr, /has not announced its ManagedCluster/);
    await announce(hub, 'announced-late');
    await cli.succeed(['accept', 'announced-late', '--no-wait']);
    assert.ok(await isAccepted(hub, 'announced-late'));
  });

  it('reports that a WEC has joined, writes nothing, and does not need its garbage-collected request', async () => {
    await registered(hub, 'joined');
    await hub.markAudit();
    const run = await cli.succeed(['accept', 'joined', '-o', 'json']);
    assert.deepEqual(run.json(), { items: [{ name: 'joined', stage: 'available', blockedAt: null, changed: false }] });
    const people = await cli.succeed(['accept', 'joined']);
    assert.match(people.stdout, /^joined: has joined already; available\n$/);
    await assertUnwritten([hub]);
  });

  it('reports a joined WEC that is dead: it is accepted, and every document shows the failure', async () => {
    await registered(hub, 'dead');
    await hub.admin.patch(resources.leases, 'dead/managed-cluster-lease', {
      spec: { renewTime: new Date(Date.now() - 660_000).toISOString().replace('Z', '000Z') },
    });
    await until(
      async () => (await cli.run(['wec', 'wait', 'dead', '--timeout', '0'])).exitCode === 3,
      'a stopped lease',
    );
    await hub.markAudit();
    const accepted = (await cli.succeed(['accept', 'dead', '-o', 'json'])).json().items[0];
    const listed = (await cli.succeed(['wec', 'list', '-o', 'json']))
      .json()
      .items.find(({ name }: { name: string }) => name === 'dead');
    const got = (await cli.succeed(['wec', 'get', 'dead', '-o', 'json'])).json();
    const waited = (await cli.run(['wec', 'wait', 'dead', '--timeout', '0', '-o', 'json'])).json().items[0];
    for (const { stage, blockedAt } of [accepted, listed, got, waited]) {
      assert.deepEqual([stage, blockedAt.stage, blockedAt.state], ['joined', 'available', 'failed']);
      // The hub treats an old time in a lease as a clock difference.
      assert.match(blockedAt.why, /^(lease stopped|the clocks .*differ by) 11m/);
    }
    assert.deepEqual([waited.error.code, accepted.error], ['timeout', undefined]);
    const people = await cli.succeed(['accept', 'dead']);
    assert.match(people.stdout, /^dead: has joined already; not available: .* 11m/);
    assert.match(people.stderr, /^Next: stellarctl wec get dead --its its1$/m);
    await assertUnwritten([hub]);
  });

  it('exits with 3 at the deadline and reports what it waits for, if no agent requests the name', async () => {
    await assertRefuses(cli, [hub], 'accept nobody --wait --timeout 4s', {
      exitCode: 3,
      says: /nobody.* in time.*the agent has not (announced|sent)/,
      hint: /stellarctl wec list --its its1/,
    });
  });

  it('exits with 3 if an accepted WEC does not become available in time', async () => {
    await ask(hub, 'slow');
    const run = await cli.run(['accept', 'slow', '--timeout', '6s']);
    assert.equal(run.exitCode, 3, run.stderr);
    assert.match(run.stderr, /✗ slow did not reach the stage available in time\. It is blocked by joined: ./);
    assert.ok(await isAccepted(hub, 'slow'));
  });

  it('checks once with --timeout 0, and acts on what it finds', async () => {
    await ask(hub, 'at-once');
    await cli.succeed(['accept', 'at-once', '--no-wait', '--timeout', '0']);
    assert.ok(await isAccepted(hub, 'at-once'));
    await assertRefuses(cli, [hub], 'accept nobody', { exitCode: 1, says: /There is no WEC nobody on its1/ });
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

  it('only follows a registration that the hub approves and accepts automatically, including an older hub', async () => {
    const auto = bed.plane('its2');
    const bootstrap = 'system:serviceaccount:open-cluster-management:cluster-bootstrap';
    const request = await ask(auto, 'automatic', { as: { ...bootstrapRequester, user: bootstrap } });
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

  for (const bootstrap of [
    'system:serviceaccount:open-cluster-management:cluster-bootstrap',
    'system:bootstrap:abcdef',
  ]) {
    it(`approves a request of ${bootstrap}`, async () => {
      const name = `by-${bootstrap.split(':').at(-1)}`;
      const groups = [...bootstrapRequester.groups, 'system:bootstrappers:managedcluster'];
      const request = await ask(hub, name, { as: { user: bootstrap, groups } });
      await cli.succeed(['accept', name, '--no-wait']);
      assert.equal(await stateOf(hub, request), 'Approved');
    });
  }
});

describe('accept refuses a request, and approves and accepts nothing, if', () => {
  const bootstrapGroup = 'system:serviceaccounts:open-cluster-management';
  const own = (name: string) => `system:open-cluster-management:${name}`;
  const usages = ['digital signature', 'key encipherment', 'client auth'];
  const cases: {
    what: string;
    wrong: (name: string) => Partial<RegistrationRequest>;
    says: RegExp;
    inCi?: boolean;
  }[] = [
    {
      what: 'its signer is another',
      wrong: () => ({ signerName: 'example.com/signer' }),
      says: /its signer is example\.com\/signer/,
      inCi: true,
    },
    {
      what: 'its common name is that of another WEC',
      wrong: () => ({ commonName: `${own('other')}:agent` }),
      says: /its common name is "system:open-cluster-management:other:agent"/,
      inCi: true,
    },
    {
      what: 'its common name is that of no agent',
      wrong: (name) => ({ commonName: own(name) }),
      says: /its common name is/,
    },
    {
      what: 'its common name has too many parts',
      wrong: (name) => ({ commonName: `${own(name)}:agent:more` }),
      says: /its common name is/,
    },
    {
      what: 'its common name is of no WEC at all',
      wrong: () => ({ commonName: 'kubernetes-admin' }),
      says: /its common name is "kubernetes-admin"/,
    },
    {
      what: 'it asks for the organisation of another WEC',
      wrong: () => ({ organizations: [own('other')] }),
      says: /its organisations are/,
    },
    {
      what: 'it asks for one organisation more',
      wrong: (name) => ({ organizations: [own(name), 'admins'] }),
      says: /its organisations are .*"admins"/,
      inCi: true,
    },
    {
      what: 'it asks for no organisation of its own',
      wrong: () => ({ organizations: [own('managed-clusters')] }),
      says: /its organisations are/,
    },
    {
      what: 'it asks to be a server',
      wrong: () => ({ usages: [...usages, 'server auth'] }),
      says: /its usages are .*"server auth"/,
      inCi: true,
    },
    { what: 'it does not ask to be a client', wrong: () => ({ usages: usages.slice(0, 2) }), says: /its usages are/ },
    {
      what: 'somebody in the right group has sent it',
      wrong: () => ({ as: { user: 'mallory', groups: [...bootstrapRequester.groups] } }),
      says: /it was sent by mallory/,
      inCi: true,
    },
    {
      what: 'another service account of that group has sent it',
      wrong: () => ({
        as: { user: 'system:serviceaccount:open-cluster-management:default', groups: [bootstrapGroup] },
      }),
      says: /it was sent by .*:default/,
    },
    {
      what: 'a user of the right name without the group has sent it',
      wrong: () => ({ as: { user: bootstrapRequester.user, groups: ['system:authenticated'] } }),
      says: /it was sent by/,
    },
    {
      what: 'a bootstrap token without the group for clusters has sent it',
      wrong: () => ({ as: { user: 'system:bootstrap:abcdef', groups: ['system:bootstrappers'] } }),
      says: /it was sent by system:bootstrap:abcdef/,
    },
  ];
  for (const [index, { what, wrong, says, inCi }] of cases.entries()) {
    it(what, rowOptions({ inCi }), async () => {
      const name = `wrong-${index}`;
      const request = await ask(hub, name, wrong(name));
      const run = await cli.run(['accept', name]);
      assertRefused(run, { exitCode: 1, says: new RegExp(name), hint: says });
      assert.match(run.stderr, new RegExp(`kubectl --context its1 describe csr ${request}`));
      await assertUntouched(request, name);
    });
  }

  // These belong to the hub's own controllers: accept ignores them.
  it('it belongs to an add-on, which is left to the hub', async () => {
    const request = await ask(hub, 'addon', { labels: { 'open-cluster-management.io/addon-name': 'work-manager' } });
    assertRefused(await cli.run(['accept', 'addon', '--timeout', '0']), {
      exitCode: 3,
      says: /has not sent its request/,
    });
    await assertUntouched(request, 'addon');
  });

  it('it is a renewal, which is left to the hub', async () => {
    // Of an agent that it is not for, or the hub would approve it itself.
    const request = await ask(hub, 'renewal', { as: registeredAgent('renewal', 'earlier') });
    assertRefused(await cli.run(['accept', 'renewal', '--timeout', '0']), {
      exitCode: 3,
      says: /has not sent its request/,
    });
    await assertUntouched(request, 'renewal');
  });

  it('it is invalid, and JSON output reports the reason', async () => {
    await ask(hub, 'wrong-in-json', { signerName: 'example.com/signer' });
    const run = await cli.run(['accept', 'wrong-in-json', '-o', 'json']);
    const [{ error }] = run.json().items;
    assert.equal(error.code, 'request-refused');
    assert.match(JSON.stringify(error), /its signer is example\.com\/signer/);
  });
});

describe('accept, if several agents request one name,', () => {
  const first = '8f2c1111-0000-4000-8000-000000000001';
  const second = '03be2222-0000-4000-8000-000000000002';

  async function twoAgents(name: string, agents = [first, second]): Promise<string[]> {
    const requests = [await ask(hub, name, { agent: agents[0] as string })];
    requests.push(await askAgain(hub, name, { agent: agents[1] as string }));
    await hub.markAudit();
    return requests;
  }

  it('approves none and shows them', async () => {
    const requests = await twoAgents('contested');
    const run = await cli.run(['accept', 'contested']);
    assertRefused(run, { exitCode: 1, says: /Several agents ask to be contested; none was approved/, hint: /--agent/ });
    assert.match(run.stderr, /request +agent +key +state +asked +requester/);
    for (const [index, request] of requests.entries()) {
      const row = `${request} +${index === 0 ? first : second} +[0-9a-f]{8} +pending +\\d+s ago +agent-registration-bootstrap`;
      assert.match(run.stderr, new RegExp(row));
      await assertUntouched(request, 'contested');
    }
  });

  it('approves none if one agent ID uses two keys, until the leftovers of the agent are deleted', async () => {
    const requests = [await ask(hub, 'two-keys'), await askAgain(hub, 'two-keys')];
    const run = await cli.run(['accept', 'two-keys']);
    const says = /Requests with different keys or requesters ask to be the agent agent-of-two-keys of two-keys/;
    assertRefused(run, { exitCode: 1, says, hint: /kubectl --context its1 delete csr two-keys-/ });
    for (const request of requests) await assertUntouched(request, 'two-keys');

    const [, older = ''] = /delete csr (\S+)/.exec(run.stderr) ?? [];
    await hub.admin.delete(resources.certificateSigningRequests, older);
    await cli.succeed(['accept', 'two-keys', '--no-wait']);
    const left = requests.find((request) => request !== older) ?? '';
    assert.equal(await stateOf(hub, left), 'Approved');
  });

  it('approves the agent with the given ID', async () => {
    const [one = '', other = ''] = await twoAgents('by-id');
    await cli.succeed(['accept', 'by-id', '--agent', second, '--no-wait']);
    assert.deepEqual([await stateOf(hub, one), await stateOf(hub, other)], ['pending', 'Approved']);
    assert.ok(await isAccepted(hub, 'by-id'));
  });

  it('approves the agent whose ID has the given prefix', async () => {
    const [one = '', other = ''] = await twoAgents('by-prefix');
    await cli.succeed(['accept', 'by-prefix', '--agent', '8f2c', '--no-wait']);
    assert.deepEqual([await stateOf(hub, one), await stateOf(hub, other)], ['Approved', 'pending']);
  });

  it('approves none if both IDs have that prefix, or neither does', async () => {
    const [one = ''] = await twoAgents('ambiguous', [first, first.replace(/1$/, '9')]);
    for (const agent of ['8f2c', 'ffff']) {
      const run = await cli.run(['accept', 'ambiguous', '--agent', agent]);
      assertRefused(run, { exitCode: 1, says: new RegExp(`"${agent}"`), hint: /8f2c1111/ });
    }
    await assertUntouched(one, 'ambiguous');
  });

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
    assert.deepEqual(await writesOn(hub), [approvalOf(request)]);
  });

  it('denies the agent that it is told to deny, and can then accept the other', async () => {
    const [one = '', other = ''] = await twoAgents('denied-one');
    await cli.succeed(['accept', '--deny', 'denied-one', '--agent', '8f2c']);
    assert.deepEqual([await stateOf(hub, one), await stateOf(hub, other)], ['Denied', 'pending']);
    await cli.succeed(['accept', 'denied-one', '--no-wait']);
    assert.equal(await stateOf(hub, other), 'Approved');
  });
});

describe('accept --deny', () => {
  it('denies, and on the second run reports the earlier denial and writes nothing', async () => {
    const request = await ask(hub, 'denied');
    const run = await cli.succeed(['accept', '--deny', 'denied', '-o', 'json']);
    const blockedAt = { stage: 'approved', state: 'failed', why: `request ${request} was denied` };
    assert.deepEqual(run.json(), { items: [{ name: 'denied', stage: 'request', blockedAt, changed: true }] });
    assert.equal(await stateOf(hub, request), 'Denied');
    assert.equal(await isAccepted(hub, 'denied'), false);

    await hub.markAudit();
    const again = await cli.succeed(['accept', '--deny', 'denied']);
    assert.match(again.stdout, /^denied: was denied before\n$/);
    await assertUnwritten([hub]);

    const accepting = await cli.run(['accept', 'denied']);
    assertRefused(accepting, { exitCode: 1, says: /was denied \d+s ago/, hint: new RegExp(`delete csr ${request}`) });
    await assertUnwritten([hub]);
  });

  it('fails if there is nothing to deny, and still denies the others', async () => {
    const request = await ask(hub, 'deniable');
    const run = await cli.run(['accept', '--deny', 'nobody', 'deniable', '-o', 'json']);
    assert.equal(run.exitCode, 1);
    const [absent, denied] = run.json().items;
    assert.deepEqual([absent.name, absent.changed, absent.error.code], ['nobody', false, 'not-found']);
    assert.deepEqual([denied.name, denied.changed, denied.error], ['deniable', true, undefined]);
    assert.equal(await stateOf(hub, request), 'Denied');
  });

  it('shows with --dry-run what it would deny, and denies nothing', async () => {
    const request = await ask(hub, 'dry-deny');
    const run = await cli.succeed(['accept', '--deny', 'dry-deny', '--dry-run', '-o', 'json']);
    const { dryRun, writes } = run.json();
    assert.equal(dryRun, true);
    assert.deepEqual(writes, [{ verb: 'update', cluster: 'its1', kind: 'CertificateSigningRequest', name: request }]);
    assert.doesNotMatch(run.stderr, /denied/, 'it does not claim to have done it');
    await assertUntouched(request, 'dry-deny');
  });
});

describe('accept --dry-run', () => {
  it('shows what it would write, and leaves no write in the audit log', async () => {
    const request = await ask(hub, 'dry');
    const run = await cli.succeed(['accept', 'dry', '--dry-run']);
    assert.match(run.stdout, new RegExp(`would update CertificateSigningRequest ${request} on its1`));
    assert.match(run.stdout, /would patch ManagedCluster dry on its1/);
    const { dryRun, writes } = (await cli.succeed(['accept', 'dry', '--dry-run', '-o', 'json'])).json();
    assert.equal(dryRun, true);
    assert.deepEqual(
      writes.map(({ verb, kind, name }: Record<string, string>) => `${verb} ${kind} ${name}`),
      [`update CertificateSigningRequest ${request}`, 'patch ManagedCluster dry'],
    );
    await assertUntouched(request, 'dry');
  });

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
    const items: { name: string; changed: boolean; error?: { code: string; message: string } }[] = run.json().items;
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

  it('prints the same as YAML, and only successful names with -o name', async () => {
    await registered(hub, 'documented');
    const yaml = await cli.succeed(['accept', 'documented', '-o', 'yaml']);
    assert.equal(
      yaml.stdout,
      'items:\n  - name: documented\n    stage: available\n    blockedAt: null\n    changed: false\n',
    );
    const names = await cli.run(['accept', 'documented', 'nobody', '--timeout', '0', '-o', 'name']);
    assert.deepEqual([names.exitCode, names.stdout], [1, 'documented\n']);
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
  const users = [
    {
      who: 'who may only look ends with 4, and nothing is written',
      user: 'looker',
      rules: reading,
      says: /Not allowed on its1/,
    },
    {
      who: 'who may approve, but not accept, ends with 4, and nothing is written',
      user: 'approver',
      rules: [...reading, ...approving],
      says: /Not allowed on its1 .*accept/,
    },
  ];
  for (const { who, user, rules, says } of users) {
    it(who, async () => {
      const kubeconfig = await writeKubeconfig(hub, [await limitedUser(hub, { user, rules })]);
      const request = await ask(hub, `by-${user}`);
      const run = await cli.run(['accept', `by-${user}`, '--no-wait'], { kubeconfig });
      assertRefused(run, { exitCode: 4, says, hint: /auth can-i/ });
      const refused = await hub.auditWrites({ by: user });
      const stored = refused
        .filter(({ objectRef }) => objectRef?.resource !== 'selfsubjectaccessreviews')
        .filter(({ responseStatus }) => (responseStatus?.code ?? 0) < 300);
      assert.deepEqual(stored, []);
      assert.equal(await stateOf(hub, request), 'pending');
      assert.equal(await isAccepted(hub, `by-${user}`), false);
    });
  }

  it('with exactly these permissions succeeds', async () => {
    const rules = [...reading, ...approving, accepting];
    const kubeconfig = await writeKubeconfig(hub, [await limitedUser(hub, { user: 'acceptor', rules })]);
    await ask(hub, 'by-acceptor');
    await cli.succeed(['accept', 'by-acceptor', '--no-wait'], { kubeconfig });
    assert.ok(await isAccepted(hub, 'by-acceptor'));
  });
});

describe('accept exits with 2 and contacts no cluster when run', inRelease, () => {
  const cases: [line: string, says: RegExp][] = [
    ['accept', /names of the WECs to accept, or --all/],
    ['accept one --all', /names or --all/],
    ['accept --all --agent 8f2c', /--agent/],
    ['accept one two --agent 8f2c', /--agent/],
    ['accept One', /"One" cannot be the name of a WEC/],
    ['accept one one', /"one" is given twice/],
    ['accept one=', /"one=" is not NAME=CONTEXT/],
    ['accept one --timeout soon', /soon/],
    ['accept one -o xml', /xml/],
    ['accept one --nonsense', /--nonsense/],
  ];
  for (const [line, says] of cases) {
    it(`as \`${line}\``, async () => {
      const run = await cli.run([...line.split(' '), '-v']);
      assertRefused(run, { exitCode: 2, says });
      assert.doesNotMatch(run.stderr, /https:/, 'no request');
    });
  }
});
