import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { apiError } from '../../../../src/lib/kube/client/errors.ts';
import type { Pod } from '../../../../src/lib/kube/client/objects.ts';
import { refuseOtherCluster } from '../../../../src/lib/wecs/join/join-requirements.ts';
import { otherRole } from '../../../../src/lib/wecs/registration/identity.ts';
import { fakeKube, klusterlet, wecEvidence, wecPod } from '../../support/builders.ts';
import { failsWith } from '../../support/steps.ts';

const context = { context: 'wds1', server: 'https://wds1' };
/** A cluster that serves these kinds, by plural, each with so many objects; undefined for one that may not be read. */
const serving = (kinds: Record<string, number | undefined>): Kube =>
  fakeKube({
    cluster: context,
    get: async ({ plural }) =>
      plural === 'namespaces' ? { metadata: { name: 'kube-system', uid: 'u' } } : undefined,
    list: async ({ plural }) => {
      if (!(plural in kinds)) return undefined;
      const number = kinds[plural];
      if (number === undefined) throw apiError(context, 403, '');
      return Array.from({ length: number }, () => ({ metadata: { name: 'x' } }));
    },
  });
const ordinary = { nodes: 3, appliedmanifestworks: 0 };
const wds = { nodes: 0, bindingpolicies: 0 };

describe('what a cluster is', () => {
  const cases: [what: string, Parameters<typeof serving>[0], kind?: string][] = [
    ['an ordinary one', ordinary],
    ['a WDS, also without any policy yet', wds, 'wds'],
    ['an external WDS, which has nodes', { ...wds, nodes: 3 }, 'wds'],
    ['one without nodes', { nodes: 0 }, 'no-nodes'],
    [
      'a hosting cluster with a WDS of type host',
      { nodes: 3, controlplanes: 0, bindingpolicies: 1 },
      'hosting',
    ],
    ['a hub', { nodes: 3, clustermanagers: 1 }, 'hub'],
    ['one with works of a hub', { nodes: 3, appliedmanifestworks: 2 }, 'hosted'],
    ['unknown if it may not be read', { nodes: undefined, bindingpolicies: undefined }],
  ];
  for (const [what, kinds, kind] of cases)
    test(`shows in what it serves, and in its nodes: ${what}`, async () =>
      assert.equal((await otherRole(serving(kinds)))?.kind, kind));
});

describe('a klusterlet', () => {
  const refused = (
    kinds: Record<string, number>,
    shown: { klusterlet?: ReturnType<typeof klusterlet>; pods: Pod[] },
  ) =>
    refuseOtherCluster(
      { name: 'cluster9', kube: serving(kinds) },
      { ...wecEvidence([]), klusterlet: undefined, ...shown },
      [],
    );
  const none = { pods: [] };
  const own = klusterlet();

  test('is not installed in a WDS', () =>
    assert.rejects(
      refused(wds, none),
      failsWith({
        code: 'registered-elsewhere',
        message: /wds1 .* is not a cluster to register: it is a WDS.*cluster9 was not joined/,
        steps: /^Give the context of cluster9: stellarctl wec join cluster9=CONTEXT$/,
      }),
    ));
  test('is not installed where no pod could ever run, and one that scales from zero can be joined', () =>
    assert.rejects(
      refused({ nodes: 0 }, none),
      failsWith({
        message: /it has no nodes, so no pod could ever run in it/,
        steps: /start a pod in it first/,
      }),
    ));
  test('whose operator has a pod is in its own cluster, and an ITS may be a WEC', async () => {
    const pods = [wecPod('klusterlet')] as Pod[];
    const resumed = { ...own, spec: { ...own.spec, clusterName: 'cluster9' } };
    await refused(wds, { klusterlet: resumed, pods });
    await refused({ nodes: 3, clustermanagers: 1 }, { klusterlet: resumed, pods: [] });
    await refused(ordinary, none);
  });
});
