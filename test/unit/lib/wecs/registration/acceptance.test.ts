import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Kube } from '../../../../../src/lib/kube/client/client.ts';
import { apiError } from '../../../../../src/lib/kube/client/errors.ts';
import { readHub, readWholeHub } from '../../../../../src/lib/ocm/hub/hub-evidence.ts';
import type { ManagedCluster } from '../../../../../src/lib/ocm/model/ocm-objects.ts';
import {
  type AcceptanceOptions,
  asksWithSeveralKeys,
  type Decision,
  decide,
} from '../../../../../src/lib/wecs/registration/acceptance.ts';
import {
  agentSubject,
  type CsrOptions,
  fakeKube,
  hubEvidence,
  joinedCluster,
  managedCluster,
  now,
  request,
} from '../../../support/builders.ts';
import { stepsOf } from '../../../support/steps.ts';

const announced = managedCluster();
const own = '62c7f187-b398-436b-81cb-ca5cbbb410c8';
const other = '7d1e0c35-0000-4000-8000-000000000000';

async function decided(
  requests: CsrOptions[],
  cluster: ManagedCluster | undefined = announced,
  options: Partial<AcceptanceOptions> = {},
): Promise<Decision> {
  const judged = await Promise.all(
    requests.map((each, index) => request({ name: `csr-${index}`, age: 60 - index, ...each })),
  );
  return decide(hubEvidence({ managedCluster: cluster, requests: judged }), {
    its: 'its1',
    now,
    ...options,
  });
}

const approvals = (decision: Decision) =>
  decision.action === 'approve' ? decision.requests.map(({ name }) => name) : decision.action;
function refusal(decision: Decision) {
  if (decision.action !== 'refuse') assert.fail(`not refused: ${decision.action}`);
  return decision.error;
}

describe('one agent sends a request:', () => {
  test('its pending request is approved', async () =>
    assert.deepEqual(approvals(await decided([{}])), ['csr-0']));
  test('it is not approved before the ManagedCluster exists, which the agent would then never create', async () => {
    const decision = await decide(hubEvidence({ requests: [await request({ name: 'csr-0' })] }), {
      its: 'its1',
      now,
    });
    assert.equal(decision.action, 'wait');
  });
  test('all its pending requests are approved, because only the agent knows which key it still has', async () =>
    assert.deepEqual(approvals(await decided([{}, {}])), ['csr-0', 'csr-1']));
  test('a pending request after an issued one is approved', async () =>
    assert.deepEqual(approvals(await decided([{ state: 'issued' }, {}])), ['csr-1']));
  for (const state of ['approved', 'issued'] as const) {
    test(`once it is ${state}, the cluster is accepted`, async () =>
      assert.equal((await decided([{ state }])).action, 'accept'));
    test(`once it is ${state} and the cluster accepted, the rest is up to the agent`, async () =>
      assert.equal(
        (await decided([{ state }], managedCluster({ accepts: true }))).action,
        'follow',
      ));
    test(`once it is ${state}, the ManagedCluster is waited for`, async () => {
      const decision = decide(hubEvidence({ requests: [await request({ state })] }), {
        its: 'its1',
        now,
      });
      assert.equal(decision.action, 'wait');
    });
  }
});

describe('no agent sends a request:', () => {
  test('the request is waited for', async () => assert.equal((await decided([])).action, 'wait'));
  test('renewals are left to the hub', async () =>
    assert.equal(
      (await decided([{ username: `system:open-cluster-management:cluster1:${own}` }])).action,
      'wait',
    ));
  test('requests of add-ons are left to the hub, and not even listed', async () => {
    const selectors: (string | undefined)[] = [];
    const list: Kube['list'] = async ({ kind }, { labelSelector } = {}) => {
      if (kind === 'CertificateSigningRequest') selectors.push(labelSelector);
      return [];
    };
    const hub = fakeKube({ list, get: async () => undefined });
    await readHub(hub, ['cluster1']);
    await readWholeHub(hub);
    for (const selector of selectors)
      assert.match(selector ?? '', /(^|,)!open-cluster-management\.io\/addon-name(,|$)/);
    assert.equal(selectors.length, 2);
  });
  test('many WECs are read with one list of each kind, and one by one if this user may not list', async () => {
    const names = Array.from({ length: 11 }, (_, index) => `cluster${index}`);
    const clusters = names.map((name) => managedCluster({ name }));
    const readBy = async (mayList: boolean) => {
      const asked: string[] = [];
      const list: Kube['list'] = async ({ kind }) => {
        asked.push(`list ${kind}`);
        if (!mayList && kind === 'ManagedCluster') throw apiError(hub.cluster, 403, '{}');
        return (kind === 'ManagedCluster' ? clusters : []) as never;
      };
      const get = async ({ kind }: { kind: string }, name: string) => {
        asked.push(`get ${kind}`);
        return clusters.find(({ metadata }) => metadata.name === name) as never;
      };
      const hub = fakeKube({ list, get });
      const seen = await readHub(hub, [...names, 'absent']);
      assert.deepEqual([...seen.keys()], [...names, 'absent']);
      assert.deepEqual(
        [...seen.values()].map(({ managedCluster }) => managedCluster?.metadata.name),
        [...names, undefined],
      );
      return asked;
    };
    const lists = ['list ManagedCluster', 'list CertificateSigningRequest', 'list Lease'];
    assert.deepEqual(await readBy(true), lists);
    assert.equal((await readBy(false)).filter((each) => each === 'get ManagedCluster').length, 12);
  });
  test('an accepted cluster is not treated as joined', async () =>
    assert.equal((await decided([], managedCluster({ accepted: true }))).action, 'wait'));
  test('a joined cluster is done', async () =>
    assert.equal((await decided([], joinedCluster())).action, 'already-joined'));
  test('a joined cluster is done although it is not available', async () =>
    assert.equal(
      (await decided([], joinedCluster({ available: 'unknown' }))).action,
      'already-joined',
    ));
  // Its agent has a valid certificate and sends no further request.
  test('a joined cluster whose acceptance was withdrawn is accepted again', async () => {
    assert.equal((await decided([], joinedCluster({ accepts: false }))).action, 'accept');
  });
});

describe('an invalid request', () => {
  const foreign: CsrOptions = { subject: agentSubject('cluster2', 'x') };
  test('is rejected, with everything that is wrong', async () => {
    const error = refusal(await decided([{ ...foreign, usages: ['server auth'] }]));
    assert.deepEqual([error.code, error.details.length], ['request-refused', 3]);
    assert.match(
      error.details.join('\n'),
      /csr-0: its common name.*csr-0: its organisations.*csr-0: its usages/s,
    );
    assert.match(stepsOf(error), /kubectl --context its1 describe csr csr-0/);
  });
  test('is never approved with a valid one', async () =>
    assert.deepEqual(approvals(await decided([foreign, {}])), ['csr-1']));
  test('is not approved because of --agent', async () =>
    assert.equal(
      refusal(
        await decided([{ agent: own, username: 'kubernetes-admin' }], announced, { agent: own }),
      ).code,
      'request-refused',
    ));
  test('that was issued by another program does not make a cluster accepted', async () =>
    assert.equal((await decided([{ ...foreign, state: 'issued' }])).action, 'wait'));
});

describe('several agents request one name:', () => {
  const two: CsrOptions[] = [
    { agent: own, name: 'csr-own' },
    { agent: other, name: 'csr-other' },
  ];
  test('none is approved, and both are shown with their differences', async () => {
    const error = refusal(await decided(two));
    assert.equal(error.code, 'several-agents');
    assert.equal(error.details.length, 2);
    assert.match(
      error.details[0] ?? '',
      new RegExp(
        `^csr-own: agent ${own}, key [0-9a-f]{8}, pending, asked 60s ago by agent-registration-bootstrap$`,
      ),
    );
    assert.match(stepsOf(error), /accept cluster1 --agent AGENT --its its1/);
  });
  test("the WEC's own is marked, and named in the next step", async () => {
    const error = refusal(await decided(two, announced, { ownAgent: own }));
    assert.deepEqual(
      error.details.map((line) => line.includes('← the Klusterlet of the WEC')),
      [true, false],
    );
    assert.match(stepsOf(error), /accept cluster1 --agent 62c7f187 /);
  });
  test('the one of --agent is approved', async () => {
    assert.deepEqual(approvals(await decided(two, announced, { agent: other })), ['csr-other']);
    assert.deepEqual(approvals(await decided(two, announced, { agent: '62c7' })), ['csr-own']);
  });
  test('a full ID takes precedence over prefixes', async () =>
    assert.deepEqual(
      approvals(await decided([{ agent: 'abc' }, { agent: 'abcde' }], announced, { agent: 'abc' })),
      ['csr-0'],
    ));
  test('a prefix of both chooses none', async () =>
    assert.match(
      refusal(await decided([{ agent: 'abc' }, { agent: 'abd' }], announced, { agent: 'ab' }))
        .message,
      /^No unique agent ID .* "ab"/,
    ));
  test('a prefix of none chooses none', async () =>
    assert.equal(refusal(await decided(two, announced, { agent: 'zzz' })).code, 'several-agents'));
  test('even if the first was issued before', async () =>
    assert.equal(
      refusal(await decided([{ agent: own, state: 'issued' }, { agent: other }])).code,
      'several-agents',
    ));
  test('even if both were issued before, by another program', async () =>
    assert.equal(
      refusal(
        await decided([
          { agent: own, state: 'issued' },
          { agent: other, state: 'issued' },
        ]),
      ).code,
      'several-agents',
    ));
  test('a denied one is ignored', async () =>
    assert.deepEqual(
      approvals(await decided([{ agent: other, state: 'denied' }, { agent: own }])),
      ['csr-1'],
    ));
  test("the WEC's own is waited for, whoever sent a request before", async () =>
    assert.equal(
      (await decided([{ agent: other, state: 'issued' }], announced, { agent: own, ownAgent: own }))
        .action,
      'wait',
    ));
});

describe('several keys or requesters use one agent ID:', () => {
  const two: CsrOptions[] = [
    { name: 'csr-old', agent: own },
    { name: 'csr-new', agent: own, key: 'another' },
  ];
  const bootstrapToken = {
    username: 'system:bootstrap:ocmhub',
    groups: ['system:bootstrappers', 'system:bootstrappers:managedcluster', 'system:authenticated'],
  };
  test('none is approved, and all are shown with their differences and the next step', async () => {
    const error = refusal(await decided(two));
    assert.equal(error.code, 'several-agents');
    assert.match(
      error.details[0] ?? '',
      new RegExp(`^csr-old: agent ${own}, key [0-9a-f]{8}, pending, asked 60s ago by agent-`),
    );
    assert.match(
      error.details[1] ?? '',
      new RegExp(`^csr-new: agent ${own}, key [0-9a-f]{8}, pending, asked 59s ago by agent-`),
    );
    assert.match(
      stepsOf(error),
      /kubectl --context its1 delete csr csr-old\n.*accept --deny cluster1 --its its1$/,
    );
  });
  test('--agent chooses an ID, not a key', async () =>
    assert.equal(
      refusal(await decided(two, announced, { agent: own, ownAgent: own })).code,
      'several-agents',
    ));
  test('one key of two requesters is rejected as well', async () =>
    assert.equal(
      refusal(await decided([{ agent: own }, { agent: own, ...bootstrapToken }])).code,
      'several-agents',
    ));
  test('one key of one requester is approved, however often it is requested', async () =>
    assert.deepEqual(approvals(await decided([{ agent: own }, { agent: own }])), [
      'csr-0',
      'csr-1',
    ]));
  test('a second key is rejected after the first was approved, even by this run', async () => {
    const later: CsrOptions[] = [
      { agent: own, state: 'issued' },
      { agent: own, key: 'another' },
    ];
    assert.equal(refusal(await decided(later)).code, 'several-agents');
    const options = { approvedAgents: new Set([own]) };
    assert.equal(refusal(await decided(later, joinedCluster(), options)).code, 'several-agents');
  });
  test('approvals from before the cluster was recreated are ignored', async () =>
    assert.deepEqual(
      approvals(
        await decided([
          { agent: own, state: 'issued', decidedAgo: 7200 },
          { agent: own, key: 'another' },
        ]),
      ),
      ['csr-1'],
    ));
  test('which applies to one ID, and not to two', async () => {
    const asks = async (...requests: CsrOptions[]) =>
      asksWithSeveralKeys(hubEvidence({ requests: await Promise.all(requests.map(request)) }));
    assert.equal(await asks(...two), true);
    assert.equal(await asks({ agent: own }, { agent: other, key: 'another' }), false);
    assert.equal(
      await asks({ agent: own, state: 'denied' }, { agent: own, key: 'another' }),
      false,
    );
    assert.equal(await asks({ agent: own }, { agent: own }), false);
  });
  test('denied requests are ignored', async () => {
    const denied: CsrOptions[] = [
      { agent: own, state: 'denied' },
      { agent: own, key: 'another' },
    ];
    assert.deepEqual(approvals(await decided(denied)), ['csr-1']);
  });
});

describe('the name of a joined WEC', () => {
  test('is not given to a new agent', async () => {
    const error = refusal(await decided([{ agent: other }], joinedCluster()));
    assert.equal(error.code, 'several-agents');
    assert.match(error.message, /has joined already, and another agent asks for its name/);
    assert.match(stepsOf(error), /--agent 7d1e0c35.*\n.*--deny cluster1 --agent 7d1e0c35/);
  });
  test('is not given to a new agent although the first request still exists', async () =>
    assert.equal(
      refusal(await decided([{ agent: own, state: 'issued' }, { agent: other }], joinedCluster()))
        .code,
      'several-agents',
    ));
  test('is given to the agent of --agent', async () =>
    assert.deepEqual(
      approvals(await decided([{ agent: other }], joinedCluster(), { agent: other })),
      ['csr-0'],
    ));
  test('is done when only the agent of --agent has been issued its certificate', async () =>
    assert.equal(
      (await decided([{ agent: own, state: 'issued' }], joinedCluster(), { agent: own })).action,
      'already-joined',
    ));
  test('is given again to an agent that this run has approved', async () =>
    assert.deepEqual(
      approvals(
        await decided([{ agent: own }], joinedCluster(), { approvedAgents: new Set([own]) }),
      ),
      ['csr-0'],
    ));
});

test('what was denied, or could not be issued, is left to the stages, which say so', async () => {
  for (const state of ['denied', 'failed'] as const)
    assert.equal((await decided([{ state }])).action, 'wait');
});
