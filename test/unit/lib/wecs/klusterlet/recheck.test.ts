import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Kube } from '../../../../../src/lib/kube/client/client.ts';
import { apiError } from '../../../../../src/lib/kube/client/errors.ts';
import { recheck } from '../../../../../src/lib/wecs/klusterlet/recheck.ts';
import { fakeKube, klusterlet, run } from '../../../support/builders.ts';

/** An operator that reports one thing, and another one after it is asked to recheck. */
async function asked(before: string | undefined, after: string | undefined, methods: Partial<Kube> = {}) {
  const patches: object[] = [];
  const kube = fakeKube({
    get: async () => {
      const situation = patches.length === 0 ? before : after;
      return (situation && klusterlet(situation)) as never;
    },
    merge: async (_resource, _name, patch) => {
      patches.push(patch);
      return {} as never;
    },
    ...methods,
  });
  return { answer: await recheck(kube, run(50)), patches };
}

describe('an operator that is asked to recheck', () => {
  test('by an annotation on this exact Klusterlet, answers with another condition', async () => {
    const { answer, patches } = await asked('wrong-ca', 'join-singleton');
    assert.deepEqual(answer, { answer: 'changed' });
    assert.deepEqual(patches, [
      {
        metadata: { uid: 'agent-a', annotations: { 'stellarctl.kubestellar.io/asked-at': '2026-11-20T08:00:00.000Z' } },
      },
    ]);
  });
  test('and reports nothing new has confirmed nothing', async () => {
    for (const situation of ['wrong-ca', 'join-singleton'])
      assert.deepEqual((await asked(situation, situation)).answer, { answer: 'unconfirmed' });
  });
  test('is not asked if there is none, or without permission', async () => {
    assert.deepEqual((await asked(undefined, undefined)).answer, {
      ...{ answer: 'unasked', why: 'there is no Klusterlet on its1' },
    });
    const merge = () => Promise.reject(apiError({ context: 'its1', server: 'https://its1' }, 403, '{"message":"no"}'));
    const { answer } = await asked('wrong-ca', 'wrong-ca', { merge });
    assert.match(answer.answer === 'unasked' ? answer.why : '', /^Not allowed on its1 \(https:\/\/its1\): no/);
  });
});
