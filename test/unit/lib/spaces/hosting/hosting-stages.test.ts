import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../../../../../src/lib/core/stages.ts';
import type { Pod } from '../../../../../src/lib/kube/client/objects.ts';
import { hookNames } from '../../../../../src/lib/ocm/model/kubeflex-names.ts';
import {
  type Hosting,
  hostingStages,
} from '../../../../../src/lib/spaces/hosting/hosting-stages.ts';
import { now } from '../../../support/builders.ts';
import { pod } from '../../../support/space-builders.ts';

const established = {
  metadata: { name: 'crd' },
  status: { conditions: [{ type: 'Established', status: 'True' as const }] },
};
const rolledOut = { observedGeneration: 2, updatedReplicas: 1, readyReplicas: 1 };
const ready: Hosting = {
  context: 'hosting',
  now,
  definitions: [established, established],
  manager: {
    metadata: { name: 'kubeflex-controller-manager', generation: 2 },
    spec: { replicas: 1 },
    status: rolledOut,
  },
  postgres: {
    metadata: { name: 'postgres-postgresql' },
    spec: { replicas: 1 },
    status: { readyReplicas: 1 },
  },
  postgresJob: undefined,
  pods: [],
  hooks: Object.values(hookNames),
  helmAtWork: false,
  needsPostgres: true,
};

/** The verdict of one stage: its state, `final` where it is, and why. */
function verdictOf(id: string, change: Partial<Hosting>) {
  const verdict = judge(hostingStages, { ...ready, ...change }).find(
    (report) => report.id === id,
  )?.verdict;
  if (verdict === undefined || verdict.state === 'met') return String(verdict?.state);
  return `${verdict.state}${verdict.state === 'failed' && verdict.final ? ' for good' : ''}: ${verdict.why}`;
}

/** A pod that cannot get its image. */
const unpullable = (name: string): Pod => pod(name, { waiting: { reason: 'ImagePullBackOff' } });

test('all stages of a hosting cluster are met', () => {
  for (const { id, verdict } of judge(hostingStages, ready)) assert.equal(verdict.state, 'met', id);
});

test('missing objects are waited for while helm runs, and fail afterwards', () => {
  const missing: [stage: string, change: Partial<Hosting>][] = [
    ['definitions', { definitions: [established, undefined] }],
    ['postgresql', { postgres: undefined }],
    ['manager', { manager: undefined }],
    ['hooks', { hooks: ['its-hub-init'] }],
  ];
  for (const [stage, change] of missing) {
    assert.match(
      verdictOf(stage, { ...change, helmAtWork: true }),
      /^waiting: helm has not created /,
      stage,
    );
    assert.match(verdictOf(stage, change), /^failed for good: .* is missing$/, stage);
  }
});

test('PostgreSQL is not a stage if KubeFlex runs without it', () => {
  assert.equal(verdictOf('postgresql', { postgres: undefined, needsPostgres: false }), 'met');
});

test('pods in trouble give the reason: of PostgreSQL, of its installation Job, of the manager', () => {
  const job = { metadata: { name: 'ks-core-install-postgresql' }, status: {} };
  const starting = { postgres: undefined, postgresJob: job, helmAtWork: true };
  assert.match(
    verdictOf('postgresql', starting),
    /^waiting: Job ks-core-install-postgresql is installing PostgreSQL/,
  );
  const why = /^failed: .* cannot be pulled/;
  assert.match(
    verdictOf('postgresql', { ...starting, pods: [unpullable('ks-core-install-postgresql-x7')] }),
    why,
  );
  const set = { postgres: { metadata: { name: 'postgres-postgresql' }, status: {} } };
  assert.match(
    verdictOf('postgresql', { ...set, pods: [unpullable('postgres-postgresql-0')] }),
    why,
  );
  const manager = { metadata: { name: 'kubeflex-controller-manager' }, status: {} };
  assert.match(
    verdictOf('manager', { manager, pods: [unpullable('kubeflex-controller-manager-1')] }),
    why,
  );
  assert.match(verdictOf('manager', { manager, pods: [unpullable('someone-else')] }), /^waiting: /);
});

test('a Job without retries left has failed permanently', () => {
  const conditions = [{ type: 'Failed', status: 'True' as const }];
  const postgresJob = { metadata: { name: 'ks-core-install-postgresql' }, status: { conditions } };
  assert.match(
    verdictOf('postgresql', { postgres: undefined, postgresJob, helmAtWork: true }),
    /^failed for good: Job /,
  );
});
