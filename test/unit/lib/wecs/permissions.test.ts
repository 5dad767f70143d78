import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import type { Kube, Permission } from '../../../../src/lib/kube/client/client.ts';
import { resources } from '../../../../src/lib/kube/client/objects.ts';
import { may, requirePermissions } from '../../../../src/lib/kube/permissions.ts';
import { listSpaces } from '../../../../src/lib/spaces/list-spaces.ts';
import {
  managerBinding,
  missingManagerBinding,
} from '../../../../src/lib/spaces/space/space-manifests.ts';
import { createPermissions } from '../../../../src/lib/spaces/space-requirements.ts';
import { fakeKube } from '../../support/builders.ts';
import {
  conditions,
  controlPlane,
  inSpace,
  its,
  job,
  MemoryCluster,
  toolsOf,
  wds,
} from '../../support/space-builders.ts';
import { failsWith, matches } from '../../support/steps.ts';

const asked = (permissions: readonly Permission[]) =>
  permissions.map(
    ({ verb, resource, namespace, name }) =>
      `${verb} ${resource}${namespace ? ` in ${namespace}` : ''}${name ? ` ${name}` : ''}`,
  );

describe('permissions to create a space include', () => {
  test('its control plane, and reading its state', () =>
    assert.deepEqual(asked(createPermissions('its1', [], false)), [
      'create controlplanes',
      'patch controlplanes its1',
      ...['get secrets', 'list pods', 'list jobs', 'list deployments', 'list statefulsets'].map(
        (what) => `${what} in its1-system`,
      ),
    ]));
  test('the images of its workloads, if they come from another registry', () =>
    assert.deepEqual(
      asked(createPermissions('its1', [], true)).slice(-4),
      ['patch pods', 'patch deployments', 'patch statefulsets', 'delete pods'].map(
        (what) => `${what} in its1-system`,
      ),
    ));
  test('the related objects', () =>
    assert.deepEqual(
      asked(
        createPermissions(
          'its1',
          [
            managerBinding(),
            {
              apiVersion: 'v1',
              kind: 'Secret',
              metadata: { name: 'its1-bootstrap', namespace: 'kubeflex-system' },
            },
          ],
          false,
        ),
      ).slice(0, 4),
      [
        'create clusterrolebindings',
        'patch clusterrolebindings kubeflex-manager-cluster-admin-rolebinding',
        'create secrets in kubeflex-system',
        'patch secrets in kubeflex-system its1-bootstrap',
      ],
    ));
});

test('all missing ones are reported at once', async () => {
  const mayI: Kube['mayI'] = async ({ verb }) => verb === 'get';
  const { kube } = new MemoryCluster([], { mayI });
  const wanted = [
    may('get', resources.pods),
    may('list', resources.jobs, { namespace: 'its1-system' }),
    may('create', resources.serviceAccounts, { subresource: 'token' }),
  ];
  await assert.rejects(
    requirePermissions(kube, wanted),
    failsWith({
      code: 'forbidden',
      exitCode: 4,
      message:
        /^Not allowed on kind-kubeflex .*: list jobs\.batch in its1-system, create serviceaccounts\/token\.$/,
      steps: 'See what is allowed: kubectl --context kind-kubeflex auth can-i --list',
    }),
  );
  await requirePermissions(kube, wanted.slice(0, 1));
});

test("the manager's permissions are granted for type host only, and existing ones are not replaced", async () => {
  const present = new MemoryCluster([managerBinding()]).kube;
  const absent = new MemoryCluster().kube;
  assert.deepEqual(await missingManagerBinding(absent, 'host'), managerBinding());
  assert.equal(await missingManagerBinding(present, 'host'), undefined);
  assert.equal(await missingManagerBinding(absent, 'vcluster'), undefined);
});

describe('spaces are listed', () => {
  const ready = [conditions.synced, conditions.ready];
  const listed = async (
    role: 'its' | 'wds',
    cluster: MemoryCluster,
    connect = () => cluster.kube,
  ) => {
    const tools = toolsOf(cluster.kube, { connect });
    return (await listSpaces(role, tools)).map(({ created: _, context: __, ...item }) => item);
  };
  test('with what blocks them, and who must act', async () => {
    const failed = inSpace('Job', 'b', job('its-hub-init', 'failed'));
    const planes = [its('b'), its('a', { deleting: true }), wds('w'), controlPlane('plain')];
    const items = await listed('its', new MemoryCluster([...planes, failed]));
    const broken = 'Job b-system/its-hub-init has failed (BackoffLimitExceeded, 2 tries)';
    assert.deepEqual(items, [
      {
        name: 'a',
        type: 'host',
        ready: false,
        stage: 'deleting',
        blockedAt: null,
        problem: false,
        reason: 'it is being deleted',
      },
      {
        name: 'b',
        type: 'host',
        ready: false,
        stage: 'reachable',
        problem: true,
        reason: broken,
        blockedAt: { stage: 'its-hub-init', state: 'failed', why: broken },
      },
    ]);
  });
  test('to a user who may only read control planes', async () => {
    const cluster = new MemoryCluster([
      its('its1', { type: 'vcluster', conditions: ready }),
      its('its2'),
    ]);
    for (const plural of ['jobs', 'pods', 'deployments', 'statefulsets', 'secrets'])
      cluster.forbidden.add(plural);
    const waiting = 'OCM has not installed its CustomResourceDefinitions yet';
    assert.deepEqual(await listed('its', cluster), [
      {
        name: 'its1',
        type: 'vcluster',
        ready: true,
        stage: 'ready',
        blockedAt: null,
        problem: false,
        reason: '',
      },
      {
        name: 'its2',
        type: 'host',
        ready: false,
        stage: 'reachable',
        problem: false,
        reason: waiting,
        blockedAt: { stage: 'hub-crds', state: 'waiting', why: waiting },
      },
    ]);
  });
  test('to a user who may not see whether KubeFlex runs, without a claim about it', async () => {
    const cluster = new MemoryCluster([its('its1', { conditions: [] })]);
    const [seen] = await listed('its', cluster);
    matches(seen?.reason, /Deployment \S+manager is missing/);
    cluster.forbidden.add('deployments');
    const [unseen] = await listed('its', cluster);
    assert.deepEqual(
      [unseen?.problem, unseen?.reason],
      [false, 'KubeFlex has not observed it yet'],
    );
  });
  test('without one that is deleted meanwhile', async () => {
    const get: Kube['get'] = async () => undefined;
    const cluster = new MemoryCluster([its('its1')], { get });
    assert.deepEqual(await listed('its', cluster), []);
  });
  test('as get shows them: one that does not answer is not ready', async () => {
    const silent = async () => {
      throw new StellarError('unreachable', 'Cannot reach its1: connection refused.');
    };
    const [item] = await listed(
      'its',
      new MemoryCluster([its('its1', { conditions: ready })]),
      () => fakeKube({ get: silent, list: silent, read: silent }),
    );
    const why = 'Cannot reach its1: connection refused';
    assert.deepEqual(
      [item?.ready, item?.problem, item?.reason, item?.blockedAt],
      [false, true, why, { stage: 'reachable', state: 'failed', why }],
    );
  });
  test('of a hosting cluster', () =>
    assert.rejects(listed('its', new MemoryCluster([], { list: async () => undefined })), {
      code: 'not-a-hosting-cluster',
    }));
  test('WDSes with the ITS that each one uses', async () => {
    const cluster = new MemoryCluster([its('its1'), its('its2'), wds('w1', 'its2'), wds('w2')]);
    assert.deepEqual(
      (await listed('wds', cluster)).map((item) => item.its),
      ['its2', null],
    );
  });
});
