import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import type { DiscoveredKind } from '../../../../src/lib/kube/discovery.ts';
import {
  applyPolicy,
  type PolicyChange,
  type PolicyRequest,
  previewPolicy,
  specOf,
} from '../../../../src/lib/policies/create-policy.ts';
import type { Explanation } from '../../../../src/lib/workloads/policy/explain.ts';
import { joinedCluster, managedCluster } from '../../support/builders.ts';
import { soon } from '../../support/space-builders.ts';
import { WorkloadCluster } from '../../support/workload-cluster.ts';
import { openWds } from '../workloads/open-wds.ts';

const kind = (
  apiVersion: string,
  name: string,
  plural: string,
  ...aliases: string[]
): DiscoveredKind => ({
  ...{ apiVersion, kind: name, plural, namespaced: true, versions: [apiVersion], aliases },
});
const kinds = [
  kind('v1', 'Service', 'services', 'service', 'svc'),
  kind('apps/v1', 'Deployment', 'deployments', 'deployment', 'deploy'),
  kind('v1', 'ConfigMap', 'configmaps', 'configmap', 'cm'),
];
const request = (changes: Partial<PolicyRequest>): PolicyRequest => ({
  ...{ clusters: ['tier=web'], select: [], selectors: [], namespaces: [], status: [] },
  ...changes,
});

describe('a policy is written as requested:', () => {
  const downsyncOf = (changes: Partial<PolicyRequest>) => specOf(request(changes), kinds).downsync;
  test('kinds by any of their names, one clause per group', () =>
    assert.deepEqual(
      downsyncOf({ select: ['svc', 'deployments.apps', 'cm', 'Service'], namespaces: ['shop'] }),
      [
        { apiGroup: '', resources: ['services', 'configmaps'], namespaces: ['shop'] },
        { apiGroup: 'apps', resources: ['deployments'], namespaces: ['shop'] },
      ],
    ));
  test('labels and other requested fields', () =>
    assert.deepEqual(
      downsyncOf({ selectors: ['a=b', '!c'], createOnly: true, status: ['singleton', 'sum'] }),
      [
        {
          objectSelectors: [
            { matchLabels: { a: 'b' } },
            { matchExpressions: [{ key: 'c', operator: 'DoesNotExist' }] },
          ],
          createOnly: true,
          wantSingletonReportedState: true,
          statusCollectors: ['sum'],
        },
      ],
    ));
  test('but is rejected without a selection of objects, or with an unknown kind', () => {
    assert.throws(() => downsyncOf({}), { code: 'usage' });
    assert.throws(() => downsyncOf({ select: ['gadgets'] }), { code: 'usage' });
    assert.throws(() => specOf(request({ select: [''] }), [kind('v1', 'Old', 'olds', '')]), {
      code: 'usage',
    });
  });
});

const wec = (name: string, labels: Record<string, string>) => joinedCluster({ name, labels });
const app = { app: 'shop' };
const inShop = (type: string, name: string, more: object = {}) => ({
  kind: type,
  metadata: { name, namespace: 'shop', labels: app },
  ...more,
});
const configMap = inShop('ConfigMap', 'c');
/** A ConfigMap whose templates are filled in. */
const template = (a: string) => ({
  ...configMap,
  metadata: {
    ...configMap.metadata,
    annotations: { 'control.kubestellar.io/expand-templates': 'true' },
  },
  data: { a },
});
const space = (name: string, labels: Record<string, string> = {}) => ({
  kind: 'Namespace',
  metadata: { name, labels },
});

const readPolicies = async () => ({ policies: [], unread: [] });

/** Creates a policy in a WDS with these objects. */
async function creating(
  changes: Partial<PolicyRequest>,
  objects: (KubeObject & { kind?: string })[],
  {
    its = [wec('w1', { tier: 'web' })],
    type = 'k8s',
    yes = true,
    name = 'p',
  }: { name?: string; its?: KubeObject[]; type?: string | null; yes?: boolean } = {},
) {
  const cluster = new WorkloadCluster(objects);
  const wds = openWds(cluster.kube, new WorkloadCluster(its).kube, { type: type ?? undefined });
  const shown: Explanation[] = [];
  const spec = specOf(request(changes), cluster.kinds);
  const confirmed: string[][] = [];
  const confirm = async ({ explanation, present }: PolicyChange) => {
    shown.push(explanation);
    const problems = explanation.problems.flatMap(({ severity, problem }) =>
      severity === 'error' ? problem : [],
    );
    if (present !== undefined || problems.length === 0) return false;
    confirmed.push(problems);
    if (!yes) throw new StellarError('not-confirmed', 'no');
    return true;
  };
  const work = applyPolicy({ name, spec, wds, creates: true, readPolicies }, confirm, soon());
  const result = await work.catch((error: { code: string }) => error);
  return {
    result,
    shown: shown[0],
    codes: shown[0]?.problems.map(({ code }) => code),
    writes: cluster.writes,
    confirmed,
  };
}

describe('the preview of a new policy shows', () => {
  const byLabel = { selectors: ['app=shop'] };
  const shop = [space('shop', app), configMap];
  /** Whose mailbox is missing. */
  const pending = (name: string) => managedCluster({ name, labels: { tier: 'web' } });

  test('its selection', async () => {
    const its = [wec('w1', { tier: 'web' }), wec('w3', { tier: 'db' })];
    const { shown, writes, result } = await creating(byLabel, shop, { its });
    assert.deepEqual(shown?.notSelected, ['w3']);
    assert.deepEqual(shown?.wecs, [
      { name: 'w1', accepted: true, available: true, deleting: false },
    ]);
    assert.deepEqual(
      shown?.objects.map(({ kind: of, name }) => `${of} ${name}`),
      ['Namespace shop', 'ConfigMap c'],
    );
    assert.deepEqual(shown?.problems, []);
    assert.deepEqual(writes, ['create BindingPolicy']);
    assert.equal((result as { changed: boolean }).changed, true);
  });

  const cases: Record<
    string,
    [Partial<PolicyRequest>, (KubeObject & { kind?: string })[], string[], object?]
  > = {
    'that no WEC has the labels': [{ ...byLabel, clusters: ['tier=db'] }, shop, ['no-wec-matches']],
    'that the transport stops at a WEC which has no mailbox': [
      byLabel,
      shop,
      ['transport-stopped'],
      { its: [wec('w2', { tier: 'web' }), pending('w1')] },
    ],
    'and only if there is another WEC after it': [
      byLabel,
      shop,
      [],
      { its: [wec('w1', { tier: 'web' }), pending('w2')] },
    ],
    'that no object has the labels': [
      { selectors: ['app=other'] },
      [space('shop', app)],
      ['no-object-matches'],
    ],
    'that objects go without their Namespace': [
      byLabel,
      [space('shop'), configMap],
      ['namespace-not-selected'],
    ],
    'that an object is too large': [
      byLabel,
      [space('shop', app), inShop('ConfigMap', 'c', { data: { a: 'x'.repeat(500 * 1024) } })],
      ['object-too-large'],
    ],
    'that a WEC lacks a property that a template asks for': [
      byLabel,
      [space('shop', app), template('{{.region}} {{.clusterName}} {{.tier}}')],
      ['property-missing'],
    ],
    'that status is returned from exactly one WEC': [
      { ...byLabel, status: ['singleton'] },
      [space('shop', app), inShop('Deployment', 'web')],
      ['singleton-needs-one-wec'],
      { its: [wec('w1', { tier: 'web' }), wec('w2', { tier: 'web' })] },
    ],
    'that a StatusCollector is missing': [
      { ...byLabel, status: ['sum'] },
      [space('shop', app), inShop('Deployment', 'web')],
      ['status-collector-missing'],
    ],
    'that a CustomResourceDefinition has two served versions': [
      byLabel,
      [
        space('shop', app),
        inShop('Gadget', 'g'),
        { kind: 'CustomResourceDefinition', metadata: { name: 'gadgets.example.com' } },
      ],
      ['two-served-versions'],
    ],
  };
  for (const [title, [changes, objects, expected, sources]] of Object.entries(cases))
    test(title, async () => {
      const { codes, writes } = await creating(changes, objects, sources);
      assert.deepEqual(codes, expected);
      assert.equal(writes.length, 1);
    });

  test('nothing of a name of which no work can be made', async () => {
    const { result, writes } = await creating(byLabel, [space('shop', app)], {
      name: 'p'.repeat(64),
    });
    assert.equal((result as { code: string }).code, 'usage');
    assert.deepEqual(writes, []);
  });

  test('what is likely a mistake, and asks before it is written', async () => {
    const typo = { its: [wec('w1', { tier: 'web' }), wec('w2', { tier: 'web' })], yes: false };
    const { result, shown, writes, confirmed } = await creating(
      { ...byLabel, clusters: ['tier=wbe'] },
      [space('shop', app)],
      typo,
    );
    assert.equal((result as { code: string }).code, 'not-confirmed');
    assert.deepEqual([writes, confirmed], [[], [['It selects no WEC: none has the labels.']]]);
    assert.deepEqual(shown?.problems[0]?.steps, [
      'The nearest labels of WECs are tier=web (2 WECs)',
    ]);
  });

  test('WECs that a slip in a label leaves out, and how to correct it', async () => {
    const its = [
      wec('w1', { tier: 'web' }),
      wec('w2', { tier: 'wbe' }),
      wec('w3', { teir: 'web' }),
      wec('w4', { tier: 'db' }),
    ];
    const { shown, writes } = await creating(byLabel, [space('shop', app)], { its });
    assert.deepEqual(
      shown?.problems.map(({ code, severity, problem, next }) => [code, severity, problem, next]),
      [
        ['w2', 'tier=wbe'],
        ['w3', 'teir=web'],
      ].map(([name, label]) => [
        ...[
          'label-misspelt',
          'warning',
          `WEC ${name} is not selected: its label ${label} is nearly tier=web.`,
        ],
        `stellarctl label ${name} tier=web --overwrite --its kind-kubeflex`,
      ]),
    );
    assert.equal(writes.length, 1);
  });

  test('the labels of objects that it may mean', async () => {
    const { shown } = await creating({ selectors: ['app=shpo'] }, shop);
    assert.deepEqual(
      shown?.problems.map(({ code, steps }) => [code, steps[0]]),
      [['no-object-matches', 'The nearest labels of objects are app=shop (2 objects)']],
    );
  });

  test('commands for what exists only', async () => {
    const { shown } = await creating({ select: ['configmap'], selectors: ['app=other'] }, [
      space('shop', app),
    ]);
    assert.deepEqual(
      shown?.problems[0]?.next,
      'kubectl --context wds1 get configmaps -A --show-labels',
    );
  });

  for (const [title, type] of [
    ['that system objects would be sent, which is refused', 'host'],
    ['the same if only the kinds of the cluster show that it is a hosting cluster', null],
  ] as const)
    test(title, async () => {
      const objects = [
        space('kube-system'),
        { kind: 'ConfigMap', metadata: { name: 'x', namespace: 'kube-system' } },
      ];
      const asked = { namespaces: ['kube-system'] };
      const { result, writes } = await creating(asked, objects, { type });
      assert.equal((result as { code: string }).code, 'system-objects-selected');
      assert.deepEqual(writes, []);
    });

  test('what can be seen if the properties of WECs are unseen', async () => {
    const its = new WorkloadCluster([wec('w1', { tier: 'web' })]);
    its.forbidden.add('configmaps');
    const object = template(`{{.region}}${'x'.repeat(500 * 1024)}`);
    const wds = openWds(new WorkloadCluster([space('shop', app), object]).kube, its.kube);
    const spec = specOf(request(byLabel), its.kinds);
    const asked = { name: 'p', spec, wds, readPolicies };
    const { explanation: view, errors } = await previewPolicy(asked);
    assert.deepEqual(
      view.problems.map(({ code }) => code),
      ['object-too-large'],
    );
    assert.deepEqual(
      [view.notVisible.map(({ what }) => what), errors.map(({ code }) => code)],
      [['properties of WECs'], ['forbidden']],
    );
  });

  test('that an existing one of its name has other selectors, and stays', async () => {
    const present = {
      kind: 'BindingPolicy',
      metadata: { name: 'p' },
      spec: { clusterSelectors: [{}], downsync: [{ objectNames: ['c'] }] },
    };
    const { result, writes } = await creating(byLabel, [space('shop', app), present]);
    assert.equal((result as { code: string }).code, 'name-taken');
    assert.deepEqual(writes, []);
  });
});
