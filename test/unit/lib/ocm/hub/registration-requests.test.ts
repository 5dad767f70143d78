import '../../../support/environment.ts';
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
const ofOrganisations = (...organisations: string[]) =>
  withSubject(organisations, { CN: [commonName] });
const calledAs = (...names: string[]) => withSubject([own, common], { CN: names });

test("the request of a WEC's agent is valid", async () => {
  const judged = judgeRequest(await csr({ age: 10 }));
  assert.deepEqual(judged.problems, []);
  assert.partialDeepStrictEqual(judged, {
    agent: 'agent-a',
    cluster: 'cluster1',
    state: 'pending',
    renewal: false,
    requester: 'agent-registration-bootstrap',
    created: Date.parse(secondsAgo(10)),
    decided: undefined,
  });
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
    'without the group of all WECs, which the hub takes as optional': ofOrganisations(own),
    'with its organisations in the other order': ofOrganisations(common, own),
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
      /^its signer is kubernetes.io\/kubelet-serving/m,
    ],
    [
      'for the name of another WEC',
      { subject: agentSubject('cluster2', 'agent-a') },
      /^its common name is "system:open-cluster-management:cluster2:agent-a"/m,
    ],
    ['for a WEC whose name only begins alike', calledAs(`${own}0:agent-a`), /^its common name/m],
    ['with one more part in its common name', calledAs(`${commonName}:x`), /^its common name/m],
    ...[';reboot;', '$(id)', 'a b', "a'b", 'a\nb', '\u001b[2J', 'ä', 'a.b'].map(
      (agent): [string, CsrOptions, RegExp] => [
        `with the agent id ${JSON.stringify(agent)}, which is none`,
        { subject: agentSubject('cluster1', agent) },
        /^its common name/m,
      ],
    ),
    ['without an agent in its common name', calledAs(`${own}:`), /^its common name/m],
    [
      'with two common names',
      withSubject([own, common], { CN: [commonName] }, { CN: [`${identity}:cluster2:x`] }),
      /^its common name is ".*", ".*cluster2:x"/m,
    ],
    [
      'with two common names in one part',
      calledAs(commonName, `${identity}:cluster2:x`),
      /^its common name/m,
    ],
    ['without a common name', { subject: [{ O: [own, common] }] }, /^its common name is missing/m],
    ['without its own organisation', ofOrganisations(common), /^its organisations/m],
    [
      'without organisations',
      { subject: [{ CN: [commonName] }] },
      /^its organisations are missing/m,
    ],
    [
      'with the organisation of another WEC',
      ofOrganisations(`${identity}:cluster2`, common),
      /^its organisations/m,
    ],
    [
      'with the organisation of another WEC beside its own',
      ofOrganisations(own, `${identity}:cluster2`, common),
      /^its organisations/m,
    ],
    [
      'with the organisation of administrators',
      ofOrganisations(own, common, 'system:masters'),
      /system:masters/,
    ],
    ['with its own organisation twice', ofOrganisations(own, own, common), /^its organisations/m],
    [
      'with more in its subject',
      withSubject([own, common], { CN: [commonName] }, { OU: ['x'] }),
      /^its subject has more/m,
    ],
    [
      'with a usage too many',
      { usages: ['digital signature', 'key encipherment', 'client auth', 'server auth'] },
      /^its usages/m,
    ],
    [
      'without client authentication',
      { usages: ['digital signature', 'key encipherment'] },
      /^its usages/m,
    ],
    ['without usages', { usages: [] }, /^its usages are missing/m],
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
      /^it is a request of the add-on work/m,
    ],
    ['without the label', { labels: {} }, /^it has no label/m],
    [
      'with an empty label',
      { labels: { 'open-cluster-management.io/cluster-name': '' } },
      /^it has no label/m,
    ],
    [
      'with the label of another WEC',
      { labels: { 'open-cluster-management.io/cluster-name': 'cluster2' } },
      /^its common name/m,
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
      assert.match(problems.join('\n'), problem);
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
async function isUnread(der: Buffer) {
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

test('a renewal is recognized by its requester', async () =>
  assert.equal(judgeRequest(await csr({ username: commonName })).renewal, true));
