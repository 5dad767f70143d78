import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StellarError } from '../../../../../src/lib/core/errors.ts';
import { apiError } from '../../../../../src/lib/kube/client/errors.ts';
import type { Resource } from '../../../../../src/lib/kube/client/objects.ts';
import { bootstrapSecret } from '../../../../../src/lib/ocm/agent/klusterlet-agent.ts';
import {
  describeRemainingWorks,
  readRemainingWorks,
  recheckConnection,
  resumeEviction,
  unsentObjects,
} from '../../../../../src/lib/wecs/join/evict-from-former-hub.ts';
import { hubHash } from '../../../../../src/lib/workloads/delivery/applied-works.ts';
import { fakeKube, klusterlet, run, wecEvidence } from '../../../support/builders.ts';
import { matches } from '../../../support/steps.ts';

const server = 'https://its1:6443';
const registered = (authority: string, address = server) =>
  wecEvidence('join-singleton', {
    bootstrapSecret: bootstrapSecret(
      { server: address, certificateAuthority: authority, proxyUrl: undefined },
      't',
    ) as never,
  });

describe('the hub of a registered WEC', () => {
  /** An operator that reports this after a recheck. */
  async function connected(before: string, after: string) {
    let asked = 0;
    const kube = fakeKube({
      merge: async () => {
        asked += 1;
        return {};
      },
      get: async () => klusterlet(after),
    });
    return { still: await recheckConnection(kube, klusterlet(before), run(50)), asked };
  }
  test('is rechecked if its operator was connected at its last check', async () => {
    assert.deepEqual(await connected('join-singleton', 'wrong-ca'), { still: false, asked: 1 });
    assert.deepEqual(await connected('join-singleton', 'join-singleton'), {
      still: true,
      asked: 1,
    });
  });
  test('is not lost because its Klusterlet is not found once', async () => {
    const before = klusterlet('join-singleton');
    const kube = fakeKube({
      merge: async () => ({}),
      get: async () => undefined,
      list: async () => [before],
    });
    assert.equal(await recheckConnection(kube, before, run(50)), true);
  });
  test('is not rechecked if the operator has lost it already', async () =>
    assert.deepEqual(await connected('wrong-ca', 'wrong-ca'), { still: false, asked: 0 }));
});

describe('works that the next hub does not have', () => {
  const left = async (grace?: string) => {
    const wec = registered('CA');
    if (grace && wec.klusterlet?.spec)
      wec.klusterlet.spec.workConfiguration = { appliedManifestWorkEvictionGracePeriod: grace };
    const work = (manifestWorkName: string, agentID: string, hub = server) => ({
      metadata: { name: `x-${manifestWorkName}` },
      spec: { manifestWorkName, agentID, hubHash: hubHash(hub) },
    });
    const works = [
      work('web', 'agent-a'),
      work('old', 'agent-before'),
      work('theirs', 'agent-a', 'https://its2:6443'),
    ];
    return readRemainingWorks(fakeKube({ list: async () => works }), wec);
  };
  test('are deleted by their agent later; those of an earlier agent stay', async () => {
    assert.deepEqual(await left(), { evicted: ['web'], orphaned: ['old'], gracePeriod: '60m' });
    const fate = describeRemainingWorks((await left('5m')) ?? assert.fail(), 'its1');
    matches(
      fate,
      /^1 work \(web\): its agent deletes what its1 does not send .* 5m after .*; 1 work \(old\) .*left running$/,
    );
  });
  test('may be absent', () =>
    assert.equal(
      describeRemainingWorks({ evicted: [], orphaned: [], gracePeriod: '60m' }, 'its1'),
      undefined,
    ));
});

describe('what a former hub has sent', () => {
  const held = () => {
    const { metadata, ...rest } = klusterlet('join-singleton') ?? assert.fail();
    const annotations = { 'stellarctl.kubestellar.io/former-eviction-grace-period': '' };
    const spec = {
      ...rest.spec,
      workConfiguration: { appliedManifestWorkEvictionGracePeriod: '876000h0m0s' },
    };
    return { metadata: { ...metadata, annotations }, spec };
  };
  const db = { group: 'apps', version: 'v1', resource: 'statefulsets', name: 'db', uid: 'db' };
  const former = {
    metadata: { name: 'former' },
    spec: { manifestWorkName: 'shop', agentID: held().metadata.uid, hubHash: 'other' },
    status: { appliedResources: [db] },
  };
  type Answer = object[] | undefined | 403;
  const answered = (kube: { cluster: Parameters<typeof apiError>[0] }, answer: Answer) => {
    if (answer === 403) throw apiError(kube.cluster, 403, '{"message":"no"}');
    return answer as never;
  };
  /** @param answers for a plural, if not those of a WEC on which objects are held. Its definitions are there. */
  function clusters(answers: Record<string, Answer> = {}) {
    const all: Record<string, Answer> = {
      klusterlets: [held()],
      appliedmanifestworks: [former],
      customresourcedefinitions: [{}],
      ...answers,
    };
    const writes: object[] = [];
    const wec = fakeKube({
      get: async ({ plural }: Resource) => answered(wec, all[plural])?.[0],
      list: async ({ plural }: Resource) => answered(wec, plural in all ? all[plural] : []),
      merge: async (_: Resource, __: string, patch: object) => {
        writes.push(patch);
        return {};
      },
    });
    const hub = fakeKube({ list: async () => answered(wec, 'works' in all ? all.works : []) });
    const resumed = resumeEviction(hub, { name: 'c1', kube: wec }, {}, run(50));
    const ended = resumed.then(
      () => 'done',
      (error) => (error instanceof StellarError ? error.code : String(error)),
    );
    return { unsent: () => unsentObjects(hub, wec, 'c1'), ended, writes };
  }
  test('is held until the ITS has sent it', async () => {
    const { unsent, ended, writes } = clusters();
    assert.deepEqual(await unsent(), ['statefulsets.apps db']);
    assert.deepEqual([await ended, writes], ['timeout', []]);
  });
  test('is no longer held once everything was read and nothing is unsent', async () => {
    const { ended, writes } = clusters({ appliedmanifestworks: [] });
    assert.deepEqual([await ended, writes.length], ['done', 1]);
  });
  test('is not held with a Klusterlet that was seen without the annotation', async () => {
    const { unsent, ended, writes } = clusters({
      klusterlets: [klusterlet('join-singleton') as object],
    });
    assert.equal(await unsent(), undefined);
    assert.deepEqual([await ended, writes], ['done', []]);
  });
  for (const plural of ['klusterlets', 'appliedmanifestworks', 'works'])
    for (const [answer, code] of [
      [undefined, 'timeout'],
      [403, 'forbidden'],
    ] as const)
      test(`stays held if ${plural} answer ${answer ?? 404}`, async () => {
        const { unsent, ended, writes } = clusters({ [plural]: answer });
        await assert.rejects(unsent());
        assert.deepEqual([await ended, writes], [code, []]);
      });
});
