import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stepLines } from '../../../../src/lib/core/next-step.ts';
import {
  holdersOf,
  type ManifestWork,
  toSeeHolders,
  workFinalizer,
} from '../../../../src/lib/ocm/model/manifest-works.ts';

const fieldsOf = (...finalizers: string[]) => ({
  'f:metadata': {
    'f:finalizers': Object.fromEntries(finalizers.map((each) => [`v:"${each}"`, {}])),
  },
});

/** A work with finalizers; the first program has set the first one. */
const work = (finalizers: string[], deletionTimestamp?: string): ManifestWork => ({
  metadata: {
    name: 'w',
    namespace: 'cluster1',
    finalizers,
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    managedFields: [
      { manager: 'backup', fieldsV1: fieldsOf(finalizers[0] ?? '') },
      { manager: 'work' },
    ],
  },
});
const now = '2026-11-20T15:00:00Z';

test('finalizers of others keep a work only while it is being deleted, and are named with what set them', () => {
  const finalizers = ['example.com/hold', workFinalizer, 'example.com/other'];
  assert.deepEqual(holdersOf(work(finalizers, now)), [
    'example.com/hold (set by backup)',
    'example.com/other',
  ]);
  assert.deepEqual(holdersOf(work(finalizers)), []);
  assert.deepEqual(holdersOf(work([workFinalizer], now)), []);
});

test('no step removes a finalizer of others', () =>
  assert.deepEqual(
    stepLines(toSeeHolders([work(['example.com/hold'], now), work([workFinalizer], now)], 'its1')),
    [
      'Its owner must remove it; see who set it: kubectl --context its1 -n cluster1 get manifestwork w -o yaml --show-managed-fields',
    ],
  ));
