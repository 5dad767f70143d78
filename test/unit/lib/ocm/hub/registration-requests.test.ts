import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeRequest } from '../../../../../src/lib/ocm/hub/registration-requests.ts';
import {
  agentSubject,
  bootstrapUser,
  type CsrOptions,
  csr,
  pkcs10,
  type Subject,
  secondsAgo,
} from '../../../support/builders.ts';
import { matches } from '../../../support/steps.ts';

const identity = 'system:open-cluster-management';
const own = `${identity}:cluster1`;
const common = `${identity}:managed-clusters`;
const commonName = `${own}:agent-a`;

const withSubject = (organisations: string[], ...rest: Subject): CsrOptions => ({
  subject: [{ O: organisations }, ...rest],
});

test("the request of a WEC's agent is valid", async () => {
  const { problems, agent, cluster, state, renewal, requester, created, decided } = judgeRequest(
    await csr({ age: 10 }),
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(
    { agent, cluster, state, renewal, requester, decided },
    {
      agent: 'agent-a',
      cluster: 'cluster1',
      state: 'pending',
      renewal: false,
      requester: 'agent-registration-bootstrap',
      decided: undefined,
    },
  );
  assert.equal(created, Date.parse(secondsAgo(10)));
});

test('requests for one key are distinguished from those for another', async () => {
  const keyOf = async (options: CsrOptions) => judgeRequest(await csr(options)).key;
  const key = await keyOf({});
  matches(key, /^[0-9a-f]{64}$/);
  assert.equal(await keyOf({ agent: 'agent-b' }), key);
  assert.notEqual(await keyOf({ key: 'another' }), key);
  assert.equal(await keyOf({ pem: 'nothing' }), undefined);
});

describe('a request is also valid', () => {
  const right: Record<string, CsrOptions> = {
    'with a bootstrap token': {
      username: 'system:bootstrap:ocmhub',
      groups: [
        'system:bootstrappers',
        'system:bootstrappers:managedcluster',
        'system:authenticated',
      ],
    },
    'without the group of all WECs, which the hub takes as optional': withSubject([own], {
      CN: [commonName],
    }),
    'with its organisations in the other order': withSubject([common, own], { CN: [commonName] }),
    'with its organisations in names of their own': {
      subject: [{ O: [own] }, { O: [common] }, { CN: [commonName] }],
    },
    'with client authentication as its only usage': { usages: ['client auth'] },
  };
  for (const [how, options] of Object.entries(right)) {
    test(how, async () => assert.deepEqual(judgeRequest(await csr(options)).problems, []));
  }
});

describe('a request is rejected', () => {
  const wrong: [how: string, options: CsrOptions, problem: RegExp][] = [
    [
      'for another signer',
      { signerName: 'kubernetes.io/kubelet-serving' },
      /^its signer is kubernetes.io\/kubelet-serving/,
    ],
    [
      'for the name of another WEC',
      { subject: agentSubject('cluster2', 'agent-a') },
      /^its common name is "system:open-cluster-management:cluster2:agent-a"/,
    ],
    [
      'for a WEC whose name only begins alike',
      withSubject([own, common], { CN: [`${own}0:agent-a`] }),
      /^its common name/,
    ],
    [
      'with one more part in its common name',
      withSubject([own, common], { CN: [`${commonName}:x`] }),
      /^its common name/,
    ],
    ...[';reboot;', '$(id)', 'a b', "a'b", 'a\nb', '\u001b[2J', 'ä', 'a.b'].map(
      (agent): [string, CsrOptions, RegExp] => [
        `with the agent id ${JSON.stringify(agent)}, which is none`,
        { subject: agentSubject('cluster1', agent) },
        /^its common name/,
      ],
    ),
    [
      'without an agent in its common name',
      withSubject([own, common], { CN: [`${own}:`] }),
      /^its common name/,
    ],
    [
      'with two common names',
      withSubject([own, common], { CN: [commonName] }, { CN: [`${identity}:cluster2:x`] }),
      /^its common name is ".*", ".*cluster2:x"/,
    ],
    [
      'with two common names in one part',
      withSubject([own, common], { CN: [commonName, `${identity}:cluster2:x`] }),
      /^its common name/,
    ],
    ['without a common name', { subject: [{ O: [own, common] }] }, /^its common name is missing/],
    [
      'without its own organisation',
      withSubject([common], { CN: [commonName] }),
      /^its organisations/,
    ],
    [
      'without organisations',
      { subject: [{ CN: [commonName] }] },
      /^its organisations are missing/,
    ],
    [
      'with the organisation of another WEC',
      withSubject([`${identity}:cluster2`, common], { CN: [commonName] }),
      /^its organisations/,
    ],
    [
      'with the organisation of another WEC beside its own',
      withSubject([own, `${identity}:cluster2`, common], { CN: [commonName] }),
      /^its organisations/,
    ],
    [
      'with the organisation of administrators',
      withSubject([own, common, 'system:masters'], { CN: [commonName] }),
      /system:masters/,
    ],
    [
      'with its own organisation twice',
      withSubject([own, own, common], { CN: [commonName] }),
      /^its organisations/,
    ],
    [
      'with more in its subject',
      withSubject([own, common], { CN: [commonName] }, { OU: ['x'] }),
      /^its subject has more/,
    ],
    [
      'with a usage too many',
      { usages: ['digital signature', 'key encipherment', 'client auth', 'server auth'] },
      /^its usages/,
    ],
    [
      'without client authentication',
      { usages: ['digital signature', 'key encipherment'] },
      /^its usages/,
    ],
    ['without usages', { usages: [] }, /^its usages are missing/],
    [
      'by the bootstrap user without its group',
      { groups: ['system:authenticated'] },
      /not a bootstrap identity/,
    ],
    [
      "by somebody else with the bootstrap user's group",
      { username: 'system:serviceaccount:open-cluster-management:other' },
      /sent by system:serviceaccount:open-cluster-management:other/,
    ],
    [
      'by a service account of that name in another namespace',
      { username: 'system:serviceaccount:default:agent-registration-bootstrap' },
      /not a bootstrap identity/,
    ],
    [
      'by an administrator',
      { username: 'kubernetes-admin', groups: ['system:masters', ...bootstrapUser.groups] },
      /sent by kubernetes-admin/,
    ],
    [
      'with a bootstrap token of another group',
      { username: 'system:bootstrap:ocmhub', groups: ['system:bootstrappers'] },
      /not a bootstrap identity/,
    ],
    [
      'by a user whose name only looks like a bootstrap token',
      { username: 'system:bootstrap:me', groups: ['system:bootstrappers:managedcluster'] },
      /not a bootstrap identity/,
    ],
    ['by nobody', { username: '', groups: [] }, /sent by nobody/],
    [
      'as a renewal, which the hub decides',
      { username: commonName, groups: [own, common, 'system:authenticated'] },
      /not a bootstrap identity/,
    ],
    [
      "as an add-on's",
      {
        labels: {
          'open-cluster-management.io/cluster-name': 'cluster1',
          'open-cluster-management.io/addon-name': 'work',
        },
      },
      /^it is a request of the add-on work/,
    ],
    ['without the label', { labels: {} }, /^it has no label/],
    [
      'with an empty label',
      { labels: { 'open-cluster-management.io/cluster-name': '' } },
      /^it has no label/,
    ],
    [
      'with the label of another WEC',
      { labels: { 'open-cluster-management.io/cluster-name': 'cluster2' } },
      /^its common name/,
    ],
    ['when it is no PEM', { pem: 'hello' }, /cannot be read/],
    [
      'when it is PEM of something else',
      { pem: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
      /cannot be read/,
    ],
    [
      'when its PEM holds no request',
      { pem: '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n' },
      /cannot be read/,
    ],
  ];
  for (const [how, options, problem] of wrong) {
    test(how, async () => {
      const { problems } = judgeRequest(await csr(options));
      assert.ok(
        problems.some((text) => problem.test(text)),
        `none of ${JSON.stringify(problems)} is ${problem}`,
      );
    });
  }
});

const unread = ['its PKCS#10 request cannot be read'];
const ownDer = async () =>
  Buffer.from(
    (await pkcs10(agentSubject('cluster1', 'agent-a'))).replace(/-----.*-----/g, ''),
    'base64',
  );
/** A request of these bytes is not read. */
async function isUnread(der: Buffer): Promise<void> {
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  assert.deepEqual(judgeRequest(await csr({ pem })).problems, unread);
}

test('a name in a form that the signer may ignore cannot be read', async () => {
  const [utf8String, printableString, date] = [0x0c, 0x13, 0x1f];
  const der = await ownDer();
  for (let at = der.indexOf('system:'); at !== -1; at = der.indexOf('system:', at + 1)) {
    assert.ok([utf8String, printableString].includes(der[at - 2] ?? 0));
    der[at - 2] = date;
  }
  await isUnread(der);
});

test('a name as a constructed string, which the signer ignores, cannot be read', async () => {
  const der = await ownDer();
  const name = 'system:open-cluster-management:cluster1:agent-a';
  const at = der.indexOf(name) - 2;
  // The same number of bytes: the string in parts, of which the last one is shorter.
  const part = Buffer.from([0x0c, name.length - 2, ...Buffer.from(name.slice(0, -2))]);
  const constructed = Buffer.concat([
    der.subarray(0, at),
    Buffer.from([0x2c, name.length]),
    part,
    der.subarray(at + 2 + name.length),
  ]);
  await isUnread(constructed);
});

// The signer reads the first block that Go's encoding/pem can decode; a more lenient reader sees another request than the signed
// one.
describe('a request is rejected that is not a single complete PEM block, because the signer may read another one:', () => {
  const foreign = () => pkcs10(agentSubject('cluster2', 'agent-b'));
  const disguises: Record<string, (pem: string) => string> = {
    'a first block with a character that is not base64': (pem) => pem.replace(/\n/, '\n!'),
    'a first block whose dashes have the eighth bit': (pem) => pem.replace(/^-/, '\xAD'),
    'a first block that ends as something else': (pem) =>
      pem.replace('END CERTIFICATE REQUEST', 'END CERTIFICATE'),
    'text before': (pem) => `x${pem}`,
    'two whole blocks': (pem) => pem,
  };
  for (const [how, disguise] of Object.entries(disguises)) {
    test(how, async () => {
      const own = await pkcs10(agentSubject('cluster1', 'agent-a'));
      for (const pem of [disguise(own) + (await foreign()), (await foreign()) + disguise(own)])
        assert.deepEqual(judgeRequest(await csr({ pem })).problems, unread);
    });
  }
});

describe('the state of a request', () => {
  for (const state of ['pending', 'approved', 'issued', 'denied', 'failed'] as const) {
    test(`is ${state}`, async () => {
      const judged = judgeRequest(await csr({ state, decidedAgo: 4 }));
      assert.equal(judged.state, state);
      assert.equal(judged.decided, state === 'pending' ? undefined : Date.parse(secondsAgo(4)));
    });
  }
  test('is denied even if it was approved as well', async () => {
    const both = await csr({ state: 'issued' });
    both.status?.conditions?.push({ type: 'Denied', status: 'True' });
    assert.equal(judgeRequest(both).state, 'denied');
  });
});

test('a renewal is recognized by its requester', async () => {
  assert.equal(judgeRequest(await csr({ username: commonName })).renewal, true);
  assert.equal(judgeRequest(await csr()).renewal, false);
});
