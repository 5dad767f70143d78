import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseChosenWecs } from '../../../../../src/commands/common/wec-argument.ts';
import type { Selection } from '../../../../../src/lib/kube/client/client.ts';
import { findWecs, nearestLabels } from '../../../../../src/lib/ocm/hub/find-wecs.ts';
import { propertyStore } from '../../../../../src/lib/wecs/values/properties.ts';
import { labelStore } from '../../../../../src/lib/wecs/values/values.ts';
import { fakeKube } from '../../../support/builders.ts';
import { failsWith } from '../../../support/steps.ts';

const labels = [
  { 'location-group': 'edge', env: 'dev' },
  { 'location-group': 'edge', env: 'prod' },
  { 'location-group': 'edge' },
  { 'location-group': 'core' },
];
/** An ITS where no WEC matches a selector. */
const hub = fakeKube({
  get: async () => undefined,
  list: (async (_: unknown, { labelSelector }: Selection = {}) =>
    labelSelector === undefined
      ? labels.map((each, index) => ({ metadata: { name: `c${index}`, labels: each } }))
      : []) as never,
});
const misspelt = { selector: 'location-group=egde' };

describe('a selector that matches nothing', () => {
  const none = failsWith({
    code: 'not-found',
    exitCode: 1,
    message: 'No WEC on its1 has labels location-group=egde.',
    steps: 'The nearest labels are location-group=edge (3 WECs), location-group=core (1 WEC)',
  });
  test('is an error with the nearest labels, for every command that selects', async () => {
    await assert.rejects(findWecs(hub, misspelt), none);
    await assert.rejects(parseChosenWecs([], misspelt).find(hub), none);
    await assert.rejects(labelStore(hub).find(misspelt), none);
    await assert.rejects(propertyStore(hub).find(misspelt), none);
  });
  test('is none if a script allows that', async () => {
    assert.deepEqual(await findWecs(hub, { ...misspelt, allowNone: true }), []);
    assert.deepEqual(await parseChosenWecs([], { ...misspelt, allowNone: true }).find(hub), []);
    assert.throws(() => parseChosenWecs(['c1'], { allowNone: true }), { code: 'usage' });
  });
  test('is compared by its terms, and by their keys', () => {
    assert.deepEqual(nearestLabels('env=test,location-group=edge', labels).sort(), [
      'env=dev (1 WEC)',
      'env=prod (1 WEC)',
      'location-group=edge (3 WECs)',
    ]);
    assert.deepEqual(nearestLabels('env in (a, b)', labels), [
      'env=dev (1 WEC)',
      'env=prod (1 WEC)',
    ]);
    assert.deepEqual(nearestLabels('colour=red', labels), []);
  });
});
