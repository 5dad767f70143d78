import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClusterRole } from '../../../../../src/lib/kube/client/objects.ts';
import type {
  ManifestStatus,
  ManifestWork,
} from '../../../../../src/lib/ocm/model/manifest-works.ts';
import { grant, revoke } from '../../../../../src/lib/wecs/registration/grant.ts';
import { failedKinds } from '../../../../../src/lib/wecs/registration/granted-kinds.ts';
import { fakeKube, proof, run } from '../../../support/builders.ts';
import { discoveryOf } from '../../../support/discovery.ts';

const kinds = {
  v1: ['configmaps ConfigMap', 'secrets Secret', 'nodes Node Cluster'],
  'example.com/v1': ['widgets Widget', 'gadgets Gadget'],
  'rbac.authorization.k8s.io/v1': ['clusterrolebindings ClusterRoleBinding Cluster'],
  'certificates.k8s.io/v1': ['certificatesigningrequests CertificateSigningRequest Cluster'],
};
const wec = fakeKube({ read: discoveryOf(kinds) });

/** The words of a real work agent (live/workloads/forbidden-on-wec.json). */
const forbidden =
  'Failed to apply manifest: widgets.example.com "w" is forbidden: User "system:serviceaccount:open-cluster-management-agent:klusterlet-work-sa" cannot get resource "widgets" in API group "example.com" in the namespace "t14"';
const failing = (
  resourceMeta: ManifestStatus['resourceMeta'],
  message = forbidden,
): ManifestStatus => ({
  ...(resourceMeta && { resourceMeta }),
  conditions: [{ type: 'Applied', status: 'False', message }],
});
const work = (
  manifests: [apiVersion: string, kind: string][],
  status: ManifestStatus[],
): ManifestWork => ({
  metadata: { name: 'w' },
  spec: { workload: { manifests: manifests.map(([apiVersion, kind]) => ({ apiVersion, kind })) } },
  status: { resourceStatus: { manifests: status } },
});
const widget: [string, string] = ['example.com/v1', 'Widget'];

const ofWidgets = ['widgets.example.com'];
const claims: ManifestStatus['resourceMeta'][] = [
  { group: '*', resource: '*' },
  { group: '', resource: 'pods/exec' },
  { group: '', resource: 'serviceaccounts/token' },
  { group: '', resource: 'secrets', kind: 'Secret' },
  { group: '', resource: 'secrets', kind: 'Secret', ordinal: 7 },
];
const risky: [string, string][] = [
  ['rbac.authorization.k8s.io/v1', 'ClusterRoleBinding'],
  ['certificates.k8s.io/v1', 'CertificateSigningRequest'],
];
const first = failing({ ordinal: 0 });
const cases: [what: string, granted: string[], ...works: ManifestWork[]][] = [
  [
    'are those of manifests that the API server has refused',
    ofWidgets,
    work([['v1', 'ConfigMap'], widget], [failing({ ordinal: 1 })]),
  ],
  [
    'are not those of manifests that fail for another reason',
    [],
    work([widget], [failing({ ordinal: 0 }, 'namespaces "t7" not found')]),
  ],
  ['are never what a status names', [], ...claims.map((claim) => work([widget], [failing(claim)]))],
  [
    'are what the work contains, whatever a status names',
    ofWidgets,
    work([widget], [failing({ group: '*', resource: '*', ordinal: 0 })]),
  ],
  ['are only what the WEC serves', [], work([['example.com/v1', 'Unknown']], [first])],
  ['are never everything', [], work([['*', '*']], [first])],
  ['are never rights or identities', [], work(risky, [first, failing({ ordinal: 1 })])],
];

describe('the kinds that --from-errors grants', () => {
  for (const [what, granted, ...works] of cases)
    it(what, async () =>
      assert.deepEqual(
        (await failedKinds(wec, works)).map(({ group, resource }) => `${resource}.${group}`),
        granted,
      ),
    );
});

/** A role whose first two rules somebody has narrowed or written together by hand. */
const narrowed = { apiGroups: [''], resources: ['nodes'], resourceNames: ['n1'], verbs: ['get'] };
const together = {
  apiGroups: ['', 'example.com'],
  resources: ['secrets', 'widgets'],
  verbs: ['get', 'list'],
};
const roleOf = (...rules: object[]) =>
  ({
    metadata: { name: 'stellarctl:work-agent', uid: 'r1', resourceVersion: '7' },
    rules,
  }) as ClusterRole;

describe('a role that somebody has changed by hand', () => {
  /** What is written to the WEC. */
  const written = async (act: (kube: ReturnType<typeof fakeKube>) => Promise<unknown>) => {
    const writes: unknown[] = [];
    const kube = fakeKube({
      merge: (async (
        _: unknown,
        __: string,
        { rules, metadata }: { rules: object[]; metadata: object },
      ) => {
        assert.partialDeepStrictEqual(metadata, { uid: 'r1', resourceVersion: '7' });
        writes.push(...rules);
      }) as never,
      delete: async (_, { metadata: { name, uid } }) => {
        writes.push(`delete ${name} ${uid}`);
        return true;
      },
      review: async () => ({ status: { allowed: true } }),
      list: async () => [],
    });
    await act(kube);
    return writes;
  };
  const reached = { its: undefined as never, name: 'cluster1' };
  const all = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];
  const gadgets = { group: 'example.com', resource: 'gadgets' };
  const granting = (role: ClusterRole) => (kube: ReturnType<typeof fakeKube>) =>
    grant(
      { ...reached, kube, klusterlet: undefined, role, kinds: [gadgets], works: new Set() },
      run(),
    );

  it('keeps its rules as they are when a kind is granted', async () => {
    const added = { apiGroups: ['example.com'], resources: ['gadgets'], verbs: all };
    assert.deepEqual(await written(granting(roleOf(narrowed, together))), [
      narrowed,
      together,
      added,
    ]);
    assert.deepEqual(
      await written(granting(roleOf(narrowed, added))),
      [narrowed, added],
      'not twice',
    );
  });

  it('has changed, although the WEC does not allow the kinds in time', async () => {
    const kube = fakeKube({
      merge: (async () => ({})) as never,
      review: async () => ({ status: { allowed: false } }),
    });
    const { changed, error } = await grant(
      {
        ...reached,
        kube,
        klusterlet: undefined,
        role: roleOf(narrowed),
        kinds: [gadgets],
        works: new Set(),
      },
      run(1),
    );
    assert.deepEqual([changed, error?.code], [true, 'timeout']);
  });

  const revoking =
    (role: ClusterRole, ...chosen: { group: string; resource: string }[]) =>
    (kube: ReturnType<typeof fakeKube>) =>
      revoke({ ...reached, kube, role: proof(role), kinds: chosen }, run());

  it('loses exactly the kind that is revoked', async () => {
    const widgets = { group: 'example.com', resource: 'widgets' };
    assert.deepEqual(await written(revoking(roleOf(narrowed, together), widgets)), [
      narrowed,
      { apiGroups: [''], resources: ['secrets', 'widgets'], verbs: ['get', 'list'] },
      { apiGroups: ['example.com'], resources: ['secrets'], verbs: ['get', 'list'] },
    ]);
  });

  it('is deleted with its last rule', async () =>
    assert.deepEqual(await written(revoking(roleOf(narrowed), { group: '', resource: 'nodes' })), [
      'delete stellarctl:work-agent r1',
    ]));
});
