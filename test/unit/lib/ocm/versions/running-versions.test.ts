import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Pod } from '../../../../../src/lib/kube/client/objects.ts';
import {
  apiServerPrograms,
  hubPrograms,
  wdsPrograms,
  wecPrograms,
} from '../../../../../src/lib/ocm/versions/program-versions.ts';
import {
  type RunningProgram,
  type RunningVersion,
  runningVersions,
  versionOfProduct,
  versionWords,
} from '../../../../../src/lib/ocm/versions/running-versions.ts';

interface Options {
  namespace?: string;
  /** The image of a sidecar container. */
  beside?: string;
  waiting?: boolean;
}

function podOf(
  name: string,
  image: string,
  { namespace = 'wds1-system', beside, waiting }: Options = {},
): Pod {
  const containers = [
    ...(beside === undefined ? [] : [{ name: 'beside', image: beside }]),
    { name: 'main', image },
  ];
  const state = waiting ? { waiting: { reason: 'ImagePullBackOff' } } : { running: {} };
  return {
    metadata: { name, namespace },
    spec: { containers },
    status: { containerStatuses: containers.map((container) => ({ name: container.name, state })) },
  };
}

const transport: RunningProgram = {
  product: 'KubeStellar',
  component: 'transport-controller',
  image: 'ocm-transport-controller',
  wanted: { version: '0.30.0', by: 'installed hooks' },
};
const image = (tag: string) => `ghcr.io/kubestellar/kubestellar/ocm-transport-controller${tag}`;
const transportPod = (tag: string, options?: Options) =>
  podOf('transport-controller-7d-x', image(tag), options);
const runs = (...pods: Pod[]) => runningVersions([transport], pods, undefined)[0];

describe('the running version', () => {
  test('is that of the containers, whatever the spec says', () => {
    const pod = transportPod(':0.29.0', { beside: 'quay.io/brancz/kube-rbac-proxy:v0.20.2' });
    assert.deepEqual(runs(pod), {
      product: 'KubeStellar',
      component: 'transport-controller',
      running: ['0.29.0'],
      wanted: { version: '0.30.0', by: 'installed hooks' },
      differs: true,
    });
  });

  test('is the old one while the new image cannot be pulled, and both while both run', () => {
    const old = transportPod(':0.29.0');
    const fresh = transportPod(':0.30.0');
    const unpulled = transportPod(':0.30.0', { waiting: true });
    const ending = { ...old, metadata: { ...old.metadata, deletionTimestamp: 'now' } };
    assert.deepEqual(runs(old, unpulled)?.running, ['0.29.0']);
    assert.deepEqual(runs(old, fresh)?.running, ['0.29.0', '0.30.0']);
    assert.equal(runs(ending, fresh)?.differs, false);
  });

  test('is empty if no container runs, which is not a difference', () => {
    assert.deepEqual([runs()?.running, runs()?.differs], [[], false]);
    assert.deepEqual(runs(transportPod(':0.29.0', { waiting: true }))?.running, []);
  });

  test('is a digest if there is no tag', () => {
    const digest = `@sha256:${'0123456789abcdef'.repeat(4)}`;
    assert.deepEqual(runs(transportPod(digest))?.running, ['sha256:0123456789ab']);
    assert.deepEqual(runs(transportPod(''))?.running, ['latest']);
  });

  test('is unseen if pods may be hidden, unless one is seen', () => {
    const [hidden] = runningVersions([transport], [], 'not allowed to read pods');
    assert.deepEqual(
      [hidden?.running, hidden?.notVisible, hidden?.differs],
      [null, 'not allowed to read pods', false],
    );
    const [seen] = runningVersions([transport], [transportPod(':0.30.0')], 'hidden');
    assert.deepEqual([seen?.running, seen?.notVisible], [['0.30.0'], undefined]);
  });
});

describe('programs are distinguished', () => {
  const none = {
    ocm: undefined,
    statusAddon: undefined,
    controllerManager: undefined,
    transport: undefined,
    registry: undefined,
  };
  const ocm = (name: string) => `quay.io/open-cluster-management/${name}:v1.3.1`;
  const running = (programs: readonly RunningProgram[], pods: readonly Pod[]) =>
    Object.fromEntries(
      runningVersions(programs, pods, undefined).map((each) => [each.component, each.running]),
    );

  test("a hub's operator from its controllers, whose names begin with its own", () => {
    const pods = [
      podOf('cluster-manager-registration-controller-66d9d7c8b9-abcde', ocm('registration')),
      podOf(
        'cluster-manager-placement-controller-5d4-x',
        ocm('placement').replace('1.3.1', '1.0.0'),
      ),
    ];
    const seen = running(hubPrograms(none), pods);
    assert.deepEqual(seen['cluster-manager'], []);
    assert.deepEqual(seen['cluster-manager-registration-controller'], ['1.3.1']);
    assert.deepEqual(seen['cluster-manager-placement-controller'], ['1.0.0']);
    assert.deepEqual(seen['cluster-manager-registration-webhook'], []);
    assert.equal('addon-status-controller' in seen, false);
    assert.equal('cluster-manager-addon-webhook' in seen, false, 'OCM has none before 1.2');
  });

  test("a WEC's operator from the agent of mode Singleton, which has its image", () => {
    const agent = podOf('klusterlet-agent-77-x', ocm('registration-operator'), {
      namespace: 'open-cluster-management-agent',
    });
    const spec = {
      deployOption: { mode: 'Singleton' as const },
      imagePullSpec: ocm('registration-operator'),
    };
    const programs = wecPrograms({ metadata: { name: 'klusterlet' }, spec });
    assert.deepEqual(running(programs, [agent]), { klusterlet: [], 'klusterlet-agent': ['1.3.1'] });
    const [, wanted] = runningVersions(programs, [agent], undefined);
    assert.deepEqual(wanted?.wanted, { version: '1.3.1', by: 'Klusterlet' });
    assert.deepEqual(Object.keys(running(wecPrograms({ metadata: { name: 'klusterlet' } }), [])), [
      'klusterlet',
      'klusterlet-registration-agent',
      'klusterlet-work-agent',
    ]);
  });

  test('the two programs of a vcluster', () => {
    const pod = podOf('vcluster-0', 'ghcr.io/loft-sh/vcluster:0.16.4', {
      beside: 'rancher/k3s:v1.27.2-k3s1',
    });
    assert.deepEqual(
      runningVersions(apiServerPrograms('vcluster'), [pod], undefined).map(
        ({ product, running }) => [product, running],
      ),
      [
        ['vcluster', ['0.16.4']],
        ['k3s', ['1.27.2-k3s1']],
      ],
    );
    assert.deepEqual(apiServerPrograms('host'), []);
  });

  test('those of a WDS', () => {
    assert.deepEqual(running(wdsPrograms(none), [transportPod(':0.29.0')]), {
      'kubestellar-controller-manager': [],
      'transport-controller': ['0.29.0'],
    });
  });
});

describe('as text', () => {
  const version = (
    component: string,
    running: string[] | null,
    more: Partial<RunningVersion> = {},
  ): RunningVersion => ({
    product: 'OCM',
    component,
    running,
    wanted: null,
    differs: false,
    ...more,
  });

  const wanted = { version: '0.30.0', by: 'installed hooks' };
  const behind = version('a', ['0.29.0'], { product: 'KubeStellar', wanted, differs: true });
  const unseen = version('a', null, { notVisible: 'not allowed to read pods' });
  const all = [
    version('a', ['1.0.0']),
    version('b', ['1.0.0']),
    version('c', ['0.9.0', '1.0.0']),
    version('d', []),
  ];
  const cases: [what: string, versions: RunningVersion[], words: string][] = [
    ['one version covers all that run it', all.slice(0, 2), 'OCM 1.0.0'],
    [
      'a program that runs another one, or does not run, is named',
      all,
      'OCM 1.0.0 (c 0.9.0 and 1.0.0, d not running)',
    ],
    [
      'programs of which none runs are not named',
      [version('a', []), version('b', [])],
      'OCM not running',
    ],
    [
      'the expected version is shown if it differs',
      [behind],
      'KubeStellar running 0.29.0, installed hooks 0.30.0',
    ],
    [
      'the expected version is not shown if it runs',
      [{ ...behind, running: ['0.30.0'], differs: false }],
      'KubeStellar 0.30.0',
    ],
    ['an unseen version is never blank', [unseen], 'OCM not visible: not allowed to read pods'],
    [
      'an unseen version beside another one is unknown',
      [unseen, version('b', ['1.0.0'])],
      'OCM 1.0.0 (a unknown)',
    ],
  ];
  for (const [what, versions, words] of cases)
    test(what, () => assert.deepEqual(versionWords(versions), [words]));

  test('a product has a version, or none', () => {
    assert.equal(versionOfProduct('OCM', all), '1.0.0');
    assert.equal(versionOfProduct('KubeFlex', all), null);
  });
});
