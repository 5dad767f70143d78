/** The faults of a hosting cluster and its spaces that a bed can cause: their symptoms match those on real clusters. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { spaceFaults } from './faults/matrix.ts';
import { type Bed, startBed } from './index.ts';
import type { Api } from './kube/api.ts';
import { findCondition } from './kube/conditions.ts';
import type { Condition, KubeObject, Secret } from './kube/objects.ts';
import { controlPlanes, deployments, jobs, secrets } from './kube/resources.ts';

type WithConditions = KubeObject & { status?: { conditions?: Condition[] } };

let bed: Bed;
let api: Api;

before(async () => {
  bed = await startBed({
    planes: [{ name: 'hosting', ingress: true }, { name: 'ext' }],
    log: console.error,
    isCopy: true,
  });
  api = bed.plane('hosting').admin;
});

after(() => bed?.stop());

/** What a condition of a control plane says. */
async function reasonOf(name: string, type: string): Promise<string | undefined> {
  const { status } = await api.get<WithConditions>(controlPlanes, name);
  return findCondition(status?.conditions, type)?.reason;
}

const looks: Record<string, () => Promise<void>> = {
  'hook-failed': async () => {
    const job = await api.get<WithConditions>(jobs, 'its9-system/its-hub-init');
    assert.equal(findCondition(job.status?.conditions, 'Failed')?.reason, 'BackoffLimitExceeded');
    assert.equal(await reasonOf('its9', 'Ready'), 'WaitingForPostCreateHooks');
  },
  'kubeflex-stopped': async () => {
    assert.equal((await api.get<WithConditions>(controlPlanes, 'its9')).status, undefined);
    const { status } = await api.get<KubeObject & { status?: { readyReplicas?: number } }>(
      deployments,
      'kubeflex-system/kubeflex-controller-manager',
    );
    assert.equal(status?.readyReplicas, undefined);
  },
  'external-token-expiring': async () => {
    const { data } = await api.get<Secret>(secrets, 'its7-system/admin-kubeconfig');
    const text = Buffer.from(data?.['kubeconfig-incluster'] ?? '', 'base64').toString();
    const [, payload = ''] = /token: \S+?\.(\S+?)\./.exec(text) ?? [];
    const { exp, sub } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { exp: number; sub: string };
    assert.equal(sub, 'system:serviceaccount:kube-system:kubeflex');
    assert.equal(Math.ceil((exp - Date.now() / 1000) / 86_400), 3);
  },
};

describe('the matrix', () => {
  for (const row of spaceFaults.filter(({ id }) => id in looks))
    it(row.id, async () => {
      const undo = await row.arrange(bed);
      await looks[row.id]?.();
      await undo();
      assert.deepEqual(bed.faults, []);
    });

  it('has one name per cause', () => {
    const ids = spaceFaults.map(({ id }) => id);
    assert.deepEqual(ids, [...new Set(ids)]);
    assert.deepEqual(
      Object.keys(looks).filter((id) => !ids.includes(id)),
      [],
    );
  });
});
