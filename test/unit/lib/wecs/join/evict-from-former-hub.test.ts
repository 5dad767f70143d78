import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bootstrapSecret } from '../../../../../src/lib/ocm/agent/klusterlet-agent.ts';
import {
  describeRemainingWorks,
  isStillConnected,
  readRemainingWorks,
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
    return { still: await isStillConnected(kube, klusterlet(before), run(50)), asked };
  }
  test('is rechecked if its operator was connected at its last check', async () => {
    assert.deepEqual(await connected('join-singleton', 'wrong-ca'), { still: false, asked: 1 });
    assert.deepEqual(await connected('join-singleton', 'join-singleton'), {
      still: true,
      asked: 1,
    });
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
