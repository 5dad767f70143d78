import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deletionOfSpaces } from '../../../../src/commands/spaces/delete-text.ts';
import { noForecast } from '../../../../src/lib/forecast/read-forecast.ts';
import { hidden, seen } from '../../../../src/lib/kube/access.ts';
import type { WdsToDelete } from '../../../../src/lib/maintenance/delete-wds.ts';
import type { ItsToDelete } from '../../../../src/lib/spaces/delete-control-plane.ts';
import { proof } from '../../support/builders.ts';
import { its, wds } from '../../support/space-builders.ts';

describe('the confirmation to delete an ITS', () => {
  const its1 = { name: 'its1', role: 'its', context: 'its1', wecs: seen([]), wdses: [] } as const;
  const said = (its1Seen: Partial<ItsToDelete>) =>
    deletionOfSpaces({ ...its1, controlPlane: proof(its('its1')), ...its1Seen }).join('\n');
  const ofType = (type: string) => said({ controlPlane: proof(its('its1', { type })) });
  test('lists what is lost and what is kept', () => {
    for (const type of ['vcluster', 'ocm'])
      assert.match(ofType(type), /Everything in it will be lost/);
    assert.match(ofType('host'), /The cluster behind its1 stays, and so does OCM in it\.$/);
    assert.match(ofType('external'), /ServiceAccount kube-system\/kubeflex keeps all rights/);
    assert.deepEqual(deletionOfSpaces({ ...its1, controlPlane: proof() }), []);
  });
  test('says if it cannot be seen what depends on it', () => {
    assert.match(said({ wecs: hidden('Cannot reach its1.') }), /could not be read/);
  });
});

describe('the confirmation to delete a WDS', () => {
  const wds1: WdsToDelete = {
    ...{
      name: 'wds1',
      role: 'wds',
      controlPlane: proof(wds('wds1')),
      wds: undefined,
      its: undefined,
      unseen: undefined,
    },
    ...{ policies: [{ kind: 'BindingPolicy', metadata: { name: 'nginx' } }], bindings: [] },
    works: [{ kind: 'ManifestWork', metadata: { name: 'w1', namespace: 'cluster1' } }],
    foreign: [],
    own: [],
    effects: noForecast,
    shared: [],
  };
  test('says what happens to workloads', () => {
    const said = (keep: boolean) => deletionOfSpaces({ ...wds1, keep }).join('\n');
    assert.match(said(false), /binding policies {3}nginx\n1 work on .*will be removed/);
    assert.match(said(true), /stay, and nothing manages them/);
    assert.match(said(true), /The hosting cluster stays as it is/);
  });
  test('lists the policies that stay, for another WDS', () => {
    assert.match(
      deletionOfSpaces({ ...wds1, shared: ['wds2'] }).join('\n'),
      /those of wds2 as well; they stay/,
    );
  });
});
