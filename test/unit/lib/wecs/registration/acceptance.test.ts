import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Kube } from '../../../../../src/lib/kube/client/client.ts';
import { apiError } from '../../../../../src/lib/kube/client/errors.ts';
import type { CertificateSigningRequest } from '../../../../../src/lib/kube/client/objects.ts';
import { readHub, readWholeHub } from '../../../../../src/lib/ocm/hub/hub-evidence.ts';
import type { ManagedCluster } from '../../../../../src/lib/ocm/model/ocm-objects.ts';
import {
  type AcceptanceOptions,
  asksWithSeveralKeys,
  type Decision,
  decide,
  decideRequest,
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
import { matches, stepsOf } from '../../../support/steps.ts';

const announced = managedCluster();
const own = '62c7f187-b398-436b-81cb-ca5cbbb410c8';
const other = '7d1e0c35-0000-4000-8000-000000000000';

async function decided(
  requests: CsrOptions[],
  cluster: ManagedCluster | null = announced,
  options: Partial<AcceptanceOptions> = {},
): Promise<Decision> {
  const judged = await Promise.all(
    requests.map((each, index) => request({ name: `csr-${index}`, age: 60 - index, ...each })),
  );
  return decide(hubEvidence({ managedCluster: cluster ?? undefined, requests: judged }), {
    its: 'its1',
    now,
    ...options,
  });
}

function refusal(decision: Decision) {
  if (decision.action !== 'refuse') assert.fail(`not refused: ${decision.action}`);
  return decision.error;
}

/** The names of the requests that are approved, the code of a refusal, or another action. */
function outcomeOf(decision: Decision) {
  if (decision.action === 'refuse') return decision.error.code;
  if (decision.action !== 'approve') return decision.action;
  return decision.requests.map(({ name }) => name).join();
}

/** Tests of what is decided about requests. @param cases without a cluster, it is announced; with null, there is none */
function areDecided(
  cases: [what: string, outcome: string, ...given: Parameters<typeof decided>][],
) {
  for (const [what, outcome, ...given] of cases)
    test(what, async () => assert.equal(outcomeOf(await decided(...given)), outcome));
}

describe('one agent sends a request:', () => {
  areDecided([
    ['its pending request is approved', 'csr-0', [{}]],
    [
      'it is not approved before the ManagedCluster exists, which the agent would then never create',
      'wait',
      [{}],
      null,
    ],
    [
      'all its pending requests are approved, because only the agent knows which key it still has',
      'csr-0,csr-1',
      [{}, {}],
    ],
    ['a pending request after an issued one is approved', 'csr-1', [{ state: 'issued' }, {}]],
  ]);
  for (const state of ['approved', 'issued'] as const)
    areDecided([
      [`once it is ${state}, the cluster is accepted`, 'accept', [{ state }]],
      [
        `once it is ${state} and the cluster accepted, the rest is up to the agent`,
        'follow',
        [{ state }],
        managedCluster({ accepts: true }),
      ],
      [`once it is ${state}, the ManagedCluster is waited for`, 'wait', [{ state }], null],
    ]);
});

describe('no agent sends a request:', () => {
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
      matches(selector, /(^|,)!open-cluster-management\.io\/addon-name(,|$)/);
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
  areDecided([
    ['the request is waited for', 'wait', []],
    [
      'renewals are left to the hub',
      'wait',
      [{ username: `system:open-cluster-management:cluster1:${own}` }],
    ],
    [
      'an accepted cluster is not treated as joined',
      'wait',
      [],
      managedCluster({ accepted: true }),
    ],
    ['a joined cluster is done', 'already-joined', [], joinedCluster()],
    [
      'a joined cluster is done although it is not available',
      'already-joined',
      [],
      joinedCluster({ available: 'unknown' }),
    ],
    // Its agent has a valid certificate and sends no further request.
    [
      'a joined cluster whose acceptance was withdrawn is accepted again',
      'accept',
      [],
      joinedCluster({ accepts: false }),
    ],
  ]);
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
  areDecided([
    ['is never approved with a valid one', 'csr-1', [foreign, {}]],
    [
      'is not approved because of --agent',
      'request-refused',
      [{ agent: own, username: 'kubernetes-admin' }],
      announced,
      { agent: own },
    ],
    [
      'that was issued by another program does not make a cluster accepted',
      'wait',
      [{ ...foreign, state: 'issued' }],
    ],
  ]);
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
    matches(
      error.details[0],
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
  areDecided([
    ['the one of --agent is approved', 'csr-other', two, announced, { agent: other }],
    ['a prefix of its ID is enough', 'csr-own', two, announced, { agent: '62c7' }],
    [
      'a full ID takes precedence over prefixes',
      'csr-0',
      [{ agent: 'abc' }, { agent: 'abcde' }],
      announced,
      { agent: 'abc' },
    ],
    ['a prefix of none chooses none', 'several-agents', two, announced, { agent: 'zzz' }],
    [
      'even if the first was issued before',
      'several-agents',
      [{ agent: own, state: 'issued' }, { agent: other }],
    ],
    [
      'even if both were issued before, by another program',
      'several-agents',
      [
        { agent: own, state: 'issued' },
        { agent: other, state: 'issued' },
      ],
    ],
    ['a denied one is ignored', 'csr-1', [{ agent: other, state: 'denied' }, { agent: own }]],
    [
      "the WEC's own is waited for, whoever sent a request before",
      'wait',
      [{ agent: other, state: 'issued' }],
      announced,
      { agent: own, ownAgent: own },
    ],
  ]);
  test('a prefix of both chooses none', async () =>
    assert.match(
      refusal(await decided([{ agent: 'abc' }, { agent: 'abd' }], announced, { agent: 'ab' }))
        .message,
      /^No unique agent ID .* "ab"/,
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
    matches(
      error.details[0],
      new RegExp(`^csr-old: agent ${own}, key [0-9a-f]{8}, pending, asked 60s ago by agent-`),
    );
    matches(
      error.details[1],
      new RegExp(`^csr-new: agent ${own}, key [0-9a-f]{8}, pending, asked 59s ago by agent-`),
    );
    assert.match(
      stepsOf(error),
      /kubectl --context its1 delete csr csr-old\n.*accept --deny cluster1 --its its1$/,
    );
  });
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
  const later: CsrOptions[] = [
    { agent: own, state: 'issued' },
    { agent: own, key: 'another' },
  ];
  areDecided([
    [
      '--agent chooses an ID, not a key',
      'several-agents',
      two,
      announced,
      { agent: own, ownAgent: own },
    ],
    [
      'one key of two requesters is rejected as well',
      'several-agents',
      [{ agent: own }, { agent: own, ...bootstrapToken }],
    ],
    [
      'one key of one requester is approved, however often it is requested',
      'csr-0,csr-1',
      [{ agent: own }, { agent: own }],
    ],
    ['a second key is rejected after the first was approved', 'several-agents', later],
    [
      'a second key is rejected after the first was approved by this run',
      'several-agents',
      later,
      joinedCluster(),
      { approvedAgents: new Set([own]) },
    ],
    [
      'approvals from before the cluster was recreated are ignored',
      'csr-1',
      [
        { agent: own, state: 'issued', decidedAgo: 7200 },
        { agent: own, key: 'another' },
      ],
    ],
    [
      'denied requests are ignored',
      'csr-1',
      [
        { agent: own, state: 'denied' },
        { agent: own, key: 'another' },
      ],
    ],
  ]);
});

describe('the name of a joined WEC', () => {
  test('is not given to a new agent', async () => {
    const error = refusal(await decided([{ agent: other }], joinedCluster()));
    assert.equal(error.code, 'several-agents');
    assert.match(error.message, /has joined already, and another agent asks for its name/);
    assert.match(stepsOf(error), /--agent 7d1e0c35.*\n.*--deny cluster1 --agent 7d1e0c35/);
  });
  areDecided([
    [
      'is not given to a new agent although the first request still exists',
      'several-agents',
      [{ agent: own, state: 'issued' }, { agent: other }],
      joinedCluster(),
    ],
    [
      'is given to the agent of --agent',
      'csr-0',
      [{ agent: other }],
      joinedCluster(),
      { agent: other },
    ],
    [
      'is done when only the agent of --agent has been issued its certificate',
      'already-joined',
      [{ agent: own, state: 'issued' }],
      joinedCluster(),
      { agent: own },
    ],
    [
      'is given again to an agent that this run has approved',
      'csr-0',
      [{ agent: own }],
      joinedCluster(),
      { approvedAgents: new Set([own]) },
    ],
  ]);
});

describe('what is left to the stages, which say so:', () =>
  areDecided([
    ['a denied request', 'wait', [{ state: 'denied' }]],
    ['a request that could not be issued', 'wait', [{ state: 'failed' }]],
  ]));

describe('a decision', () => {
  const written = async (review: Kube['review'], requests = 1) => {
    const lines: string[] = [];
    const hub = fakeKube({
      review,
      replace: async (_, object) => {
        const { metadata, status } = object as CertificateSigningRequest;
        const by = metadata.annotations?.['stellarctl.kubestellar.io/decided-by'];
        lines.push(`${status?.conditions?.at(-1)?.message} ${by}`);
      },
    });
    for (let index = 0; index < requests; index += 1)
      await decideRequest(hub, await request(), 'Approved');
    return lines;
  };
  test('names who has taken it, as the hub knows them, whom it is asked once for all requests', async () => {
    let asked = 0;
    const review = (async () => {
      asked += 1;
      return { status: { userInfo: { username: 'ann' } } };
    }) as Kube['review'];
    const line = 'Approved by stellarctl accept, as ann. ann';
    assert.deepEqual([await written(review, 2), asked], [[line, line], 1]);
  });
  test('is also taken if the hub does not say who that is', async () => {
    const review = async () => {
      throw apiError({ context: 'its1', server: 'https://its1' }, 403, '');
    };
    assert.deepEqual(await written(review), ['Approved by stellarctl accept. undefined']);
  });
});
