import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AppliedManifestWork,
  agentNudger,
  applyAgain,
} from '../../../../src/lib/workloads/delivery/applied-works.ts';
import { fakeKube } from '../../support/builders.ts';

test('an agent looks once at each deleted work whose objects are gone, and at no other', async () => {
  const entry = (name: string) => ({
    ...{
      group: '',
      version: 'v1',
      resource: 'configmaps',
      namespace: 'shop',
      name,
      uid: `uid-of-${name}`,
    },
  });
  const work = (name: string, hubHash: string, deleted: boolean): AppliedManifestWork => ({
    metadata: {
      name,
      uid: `uid-of-${name}`,
      ...(deleted && { deletionTimestamp: '2026-11-20T07:00:00Z' }),
    },
    spec: { hubHash },
    status: { appliedResources: [entry(`${name}-a`), entry(`${name}-b`)] },
  });
  const works = [
    work('done', 'mine', true),
    work('held', 'mine', true),
    work('kept', 'mine', false),
    work('other', 'theirs', true),
  ];
  const uids = new Map([
    ['done-a', 'another object'],
    ['held-b', 'uid-of-held-b'],
  ]);
  const touched: unknown[] = [];
  const wec = fakeKube({
    list: async () => works as never,
    get: async (_, name) =>
      (uids.has(name) ? { metadata: { name, uid: uids.get(name) } } : undefined) as never,
    merge: async (_, name, patch) => {
      touched.push([name, (patch as AppliedManifestWork).metadata.uid]);
      return {} as never;
    },
  });
  const nudge = agentNudger(wec, 'mine');
  await nudge();
  await nudge();
  assert.deepEqual(touched, [['done', 'uid-of-done']]);
  uids.delete('held-b');
  await nudge();
  assert.deepEqual(touched.slice(1), [['held', 'uid-of-held']]);
});

test('an agent applies again the works that have failed, and no other', async () => {
  const touched: unknown[] = [];
  const wec = fakeKube({
    list: async () =>
      ['failed', 'other'].map((name) => ({
        metadata: { name: `hash-${name}`, uid: `uid-of-${name}` },
        spec: { manifestWorkName: name },
      })) as never,
    merge: async (_, name, patch) => {
      touched.push([name, (patch as AppliedManifestWork).metadata.uid]);
      return {} as never;
    },
  });
  await applyAgain(wec, new Set(['failed']));
  assert.deepEqual(touched, [['hash-failed', 'uid-of-failed']]);
});
