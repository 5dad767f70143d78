import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { run } from '../../../../src/lib/core/next-step.ts';
import { failed } from '../../../../src/lib/core/stages.ts';
import { seen } from '../../../../src/lib/kube/access.ts';
import { groupOf, type KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import {
  type Binding,
  type BindingPolicy,
  objectsOf,
} from '../../../../src/lib/ocm/model/kubestellar-names.ts';
import type { ManifestWork } from '../../../../src/lib/ocm/model/manifest-works.ts';
import type { ManagedCluster } from '../../../../src/lib/ocm/model/ocm-objects.ts';
import {
  boundObjects,
  combinedKey,
  type DeliveryEvidence,
  deliveriesOf,
} from '../../../../src/lib/workloads/delivery/delivery.ts';
import {
  type DeliveryView,
  viewOfDelivery,
} from '../../../../src/lib/workloads/delivery/delivery-view.ts';
import type { WorkloadDifference } from '../../../../src/lib/workloads/delivery/difference.ts';
import { followed } from '../../../../src/lib/workloads/delivery/workload.ts';
import { trimmer, WorksOfWds } from '../../../../src/lib/workloads/delivery/works.ts';
import {
  type StatusCollector,
  statusesByPlace,
  type WorkStatus,
} from '../../../../src/lib/workloads/status/returned-status.ts';
import { fakeKube, joinedCluster } from '../../support/builders.ts';
import { openWds } from './open-wds.ts';

/** A work of one object, as the records have it: those of KubeStellar's transport are alike. */
interface RecordedWork {
  name: string;
  namespace: string;
  policy: string;
  manifest: { kind: string };
  generation?: number;
  bindingGeneration?: number;
  /** If it is not that of the kind. */
  resource?: string;
  /** If it is not applied and available. */
  conditions?: object[];
}

function workOf({
  name,
  namespace,
  policy,
  manifest,
  generation = 1,
  ...rest
}: RecordedWork): ManifestWork {
  const { bindingGeneration = 1, resource = `${manifest.kind.toLowerCase()}s` } = rest;
  const applied = {
    type: 'Applied',
    status: 'True',
    observedGeneration: generation,
    message: 'Apply manifest complete',
  };
  const available = { type: 'Available', status: 'True', message: 'Resource is available' };
  const { conditions = [applied, available] } = rest;
  const labels = {
    'transport.kubestellar.io/originOwnerReferenceBindingKey': policy,
    'transport.kubestellar.io/originWdsName': 'wdsh',
  };
  const annotations = {
    'transport.kubestellar.io/originOwnerReferenceBindingGeneration': String(bindingGeneration),
  };
  return {
    metadata: { name, namespace, generation, labels, annotations },
    spec: { workload: { manifests: [manifest] } },
    status: {
      resourceStatus: { manifests: [{ conditions, resourceMeta: { ordinal: 0, resource } }] },
    },
  } as ManifestWork;
}

interface Recorded {
  policies: BindingPolicy[];
  bindings: Binding[];
  works?: ManifestWork[];
  workStatuses?: WorkStatus[];
  collectors?: StatusCollector[];
  combined?: KubeObject[];
  objects?: KubeObject[];
}

/** No pod ran in the recorded clusters. */
function asIfRunning(workStatus: WorkStatus): WorkStatus {
  const { status } = workStatus;
  if (status === undefined) return workStatus;
  const others = (status.conditions ?? []).filter(({ type }) => type !== 'Available');
  const conditions = [...others, { type: 'Available', status: 'True' }];
  return { ...workStatus, status: { ...status, availableReplicas: 9, conditions } };
}

/** fixtures/README.md */
const records = JSON.parse(
  readFileSync(path.join(import.meta.dirname, 'fixtures', 'records.json'), 'utf8'),
) as Record<string, Omit<Recorded, 'works'> & { works?: RecordedWork[] }>;

const wec = (name: string, available: 'yes' | 'unknown' = 'yes'): [string, ManagedCluster] => [
  name,
  joinedCluster({ name, available, labels: { name, 'location-group': 'edge' } }),
];

/** Its clients read nothing: the evidence has been read. */
const unopened = openWds(fakeKube(), undefined, {
  ...{ name: 'wdsh', context: 'wdsh', type: undefined, isGiven: false },
});

function evidenceOf(record: Recorded, changes: Partial<DeliveryEvidence> = {}): DeliveryEvidence {
  return {
    wds: unopened,
    controllers: {},
    stops: new Map(),
    its: 'its1',
    policies: record.policies,
    bindings: new Map(record.bindings.map((binding) => [binding.metadata.name, binding])),
    bound: boundObjects(record.bindings),
    collectors: seen(
      new Map((record.collectors ?? []).map((collector) => [collector.metadata.name, collector])),
    ),
    combined: seen(new Set((record.combined ?? []).map(combinedKey))),
    held: new Set(),
    transforms: seen([]),
    inventory: seen(new Map([wec('cluster1'), wec('cluster2')])),
    works: seen(new WorksOfWds((record.works ?? []).map(trimmer()))),
    workStatuses: seen(statusesByPlace((record.workStatuses ?? []).map(asIfRunning))),
    statusAgents: new Map(),
    now: Date.parse('2026-11-20T15:20:00Z'),
    ...changes,
  };
}

const plurals: Record<string, string> = {
  ConfigMap: 'configmaps',
  Deployment: 'deployments',
  Event: 'events',
  Job: 'jobs',
  Namespace: 'namespaces',
  PersistentVolumeClaim: 'persistentvolumeclaims',
  StatefulSet: 'statefulsets',
  Widget: 'widgets',
};

interface Subject {
  kind: string;
  apiVersion?: string;
  name: string;
  namespaceLabels?: Record<string, string>;
  object?: Partial<KubeObject['metadata']> | null;
}

/** The deliveries of a recorded object, before they are shown. */
function judged(record: Recorded, subject: Subject, changes: Partial<DeliveryEvidence> = {}) {
  const { kind, apiVersion = 'v1', name, namespaceLabels = {} } = subject;
  const namespace =
    record.objects?.[0]?.metadata.namespace ?? record.policies[0]?.metadata.name ?? '';
  const resource = plurals[kind] ?? '';
  const bound = record.bindings
    .flatMap(objectsOf)
    .find((each) => each.name === name && each.resource === resource);
  const found = record.objects?.find(
    (object) => object.kind === kind && object.metadata.name === name,
  );
  const metadata = {
    ...(found?.metadata ?? {
      name,
      namespace,
      labels: { app: namespace },
      resourceVersion: bound?.resourceVersion as string,
    }),
    ...subject.object,
  };
  const ref = { group: groupOf(apiVersion), version: 'v1', resource, kind, namespace, name };
  const object = subject.object === null ? undefined : { metadata };
  const evidence = evidenceOf(record, changes);
  const of = followed(
    { ...ref, object },
    evidence.policies,
    new Map([[namespace, namespaceLabels]]),
  );
  return deliveriesOf(of, evidence);
}

/** The deliveries of a recorded object. @param compared with the object on the WEC */
const deliveries = (
  record: Recorded,
  subject: Subject,
  changes: Partial<DeliveryEvidence> = {},
  compared: {
    context?: string;
    difference?: WorkloadDifference;
    generation?: number | undefined;
  } = {},
): DeliveryView[] =>
  judged(record, subject, changes).map((each) => viewOfDelivery({ ...each, ...compared }));

const record = (name: string): Recorded => {
  const { works, ...rest } = structuredClone(records[name]) ?? assert.fail(name);
  return { ...rest, ...(works && { works: works.map(workOf) }) };
};
const workConditions = ({ works = [] }: Recorded) =>
  works.flatMap(({ status }) =>
    (status?.resourceStatus?.manifests ?? []).flatMap(({ conditions = [] }) => conditions),
  );
const told = (views: readonly DeliveryView[]) =>
  views.map(({ policy, wec: on, stage, blockedAt, code, done }) =>
    [
      policy ?? 'no policy',
      on ?? 'no WEC',
      done ? 'done' : `${stage} ${blockedAt?.state} ${code}`,
    ].join(': '),
  );
const configMap = { kind: 'ConfigMap', name: 'c' };
const web = { kind: 'Deployment', apiVersion: 'apps/v1', name: 'web' };
const widget = { kind: 'Widget', apiVersion: 'example.com/v1', name: 'w' };

describe('a record of the real controllers is diagnosed', () => {
  const cases: Record<string, [Subject, string[]]> = {
    'create-only': [configMap, ['t10: cluster1: done']],
    'forbidden-on-wec': [widget, ['t14: cluster1: work failed forbidden-on-wec']],
    'multiwec-status': [
      web,
      [
        't3: cluster1: policy waiting transport-behind',
        't3: cluster2: policy waiting transport-behind',
      ],
    ],
    'namespace-not-selected': [configMap, ['t7: cluster1: work failed namespace-missing-on-wec']],
    'no-object-matches': [configMap, ['no policy: no WEC: exists failed not-selected']],
    'no-wec-matches': [configMap, ['t5: no WEC: binding failed no-wec-matches']],
    'singleton-status': [web, ['t1: cluster1: done']],
  };
  for (const [name, [subject, expected]] of Object.entries(cases))
    test(name, () => assert.deepEqual(told(deliveries(record(name), subject)), expected));
});

describe('the next command', () => {
  const nextOf = (name: string, subject: Subject) =>
    deliveries(record(name), subject).map(({ next, steps }) => next ?? steps.join('\n'));
  test('lets the nearest policy select the object', () =>
    assert.deepEqual(nextOf('no-object-matches', configMap), [
      'kubectl --context wdsh -n t6 label configmaps c app=other',
    ]));
  test('sends the Namespace as well', () =>
    assert.deepEqual(nextOf('namespace-not-selected', configMap), [
      'kubectl --context wdsh label namespace t7 app=t7',
    ]));
  test('leads to a Namespace that is sent, and is not on the WEC', () => {
    const given = record('namespace-not-selected');
    for (const { spec } of given.policies)
      for (const clause of spec?.downsync ?? []) clause.objectSelectors = [{ matchLabels: {} }];
    const [way] = deliveries(given, configMap);
    assert.equal(way?.code, 'namespace-missing-on-wec');
    assert.match(String(way?.next), /^stellarctl workload get namespace\/t7 --wds wdsh/);
  });
  test('lets a WEC be selected', () =>
    assert.deepEqual(deliveries(record('no-wec-matches'), configMap)[0]?.steps, [
      'Give a WEC the labels: stellarctl label NAME nosuch=label --its its1',
      'Change what the policy selects: kubectl --context wdsh edit bindingpolicy t5',
    ]));
  test('allows the kind to the work agent', () =>
    assert.match(
      String(nextOf('forbidden-on-wec', widget)),
      /: stellarctl wec grant cluster1=CONTEXT --from-errors --its its1 +\(CONTEXT: that of cluster1\)$/,
    ));
  const wds = { ...unopened, contexts: new Set(['cluster1']) };
  test('names the context of the WEC, if the kubeconfig has one of its name', () => {
    const [way] = deliveries(record('forbidden-on-wec'), widget, { wds });
    assert.equal(way?.next, 'stellarctl wec grant cluster1=cluster1 --from-errors --its its1');
    const given = record('singleton-status');
    for (const each of workConditions(given)) if (each.type === 'Available') each.status = 'False';
    const [missing] = deliveries(given, web, { wds });
    assert.match(
      missing?.next ?? '',
      /^kubectl --context cluster1 -n t1 describe deployments web$/,
    );
  });
  test('names another one, if it is proven to lead there', () => {
    const context = 'kind-cluster1';
    const [way] = deliveries(record('forbidden-on-wec'), widget, { wds }, { context });
    assert.equal(way?.next, 'stellarctl wec grant cluster1=kind-cluster1 --from-errors --its its1');
  });
  /** The record of a refusal for another reason. */
  const refusedBecause = (
    message: string,
    changes: Partial<DeliveryEvidence> = {},
    [given, subject]: [Recorded, Subject] = [record('forbidden-on-wec'), widget],
  ) => {
    for (const each of workConditions(given))
      Object.assign(each, { message, lastTransitionTime: '2026-11-20T15:00:00Z' });
    return deliveries(given, subject, changes);
  };
  test('leads to the webhook of the WEC that refuses an object, or does not answer', () => {
    for (const [why, lookFor] of [
      ['admission webhook "guard.example.com" denied the request: no', 'what it demands'],
      [
        'Internal error occurred: failed calling webhook "guard.example.com": failed to call webhook: no route',
        'why it does not answer',
      ],
    ]) {
      const [unknown] = refusedBecause(`Failed to apply manifest: ${why}`);
      assert.equal(unknown?.code, 'admission-refuses-on-wec');
      assert.match(
        unknown?.steps[0] ?? '',
        /^Ask who manages cluster1 whose webhook guard\.example\.com is\. kubectl get v/,
      );
      const [known] = refusedBecause(`Failed to apply manifest: ${why}`, { wds });
      assert.match(
        known?.next ?? '',
        /^kubectl --context cluster1 get validatingwebhookconfigurations,mutating/,
      );
      const lead = `See whose webhook guard.example.com is, and ${lookFor}: `;
      assert.ok(known?.steps[0]?.startsWith(lead), known?.steps[0]);
    }
  });
  test('leads to the namespace of the WEC that is being deleted', () => {
    const why =
      'is forbidden: unable to create new content in namespace shop because it is being terminated';
    const [unknown] = refusedBecause(`failed to apply: widgets.example.com "w" ${why}`);
    assert.deepEqual(
      [unknown?.code, unknown?.steps[0]],
      [
        'namespace-terminating-on-wec',
        'See what blocks Namespace shop: stellarctl wec get cluster1=CONTEXT --its its1',
      ],
    );
    const [known] = refusedBecause(`failed to apply: widgets.example.com "w" ${why}`, { wds });
    assert.equal(known?.next, 'kubectl --context cluster1 get namespace shop -o yaml');
  });
  test('never leads to the deletion of a Job or a claim, and keeps the pods of a StatefulSet', () => {
    const refusedOf = (kind: string, group: string, message: string) => {
      const plural = plurals[kind] ?? '';
      const text = JSON.stringify(record('forbidden-on-wec'))
        .replaceAll('"widgets"', JSON.stringify(plural))
        .replaceAll('"Widget"', JSON.stringify(kind))
        .replaceAll('example.com', group);
      const subject = { kind, apiVersion: group === '' ? 'v1' : `${group}/v1`, name: 'w' };
      const [way] = refusedBecause(`Failed to apply manifest: ${message}`, { wds }, [
        JSON.parse(text),
        subject,
      ]);
      return [way?.code, way?.steps.join('\n') ?? ''] as const;
    };
    const ofJob =
      'Job.batch "w" is invalid: [spec.selector: Required value, spec.template: Invalid value: core.PodTemplateSpec{}: field is immutable]';
    const [code, steps] = refusedOf('Job', 'batch', ofJob);
    assert.equal(code, 'job-needs-create-only');
    const patch = /patch bindingpolicy t14 --type json --patch '(.*)'$/.exec(steps)?.[1] ?? '';
    const [{ op, path: place, value }] = JSON.parse(patch);
    assert.deepEqual(
      [op, place, value.resources, value.createOnly],
      ['add', '/spec/downsync/-', ['jobs'], true],
    );
    assert.doesNotMatch(steps, /delete/);
    const ofClaim =
      'PersistentVolumeClaim "w" is invalid: spec: Forbidden: spec is immutable after creation except resources.requests';
    const claim = refusedOf('PersistentVolumeClaim', '', ofClaim);
    assert.equal(claim[0], 'immutable-on-wec');
    assert.doesNotMatch(claim[1], / delete /);
    const ofSet =
      'StatefulSet.apps "w" is invalid: spec: Forbidden: updates to statefulset spec for fields other than \'replicas\' are forbidden';
    const set = refusedOf('StatefulSet', 'apps', ofSet);
    assert.equal(set[0], 'immutable-on-wec');
    assert.match(set[1], / delete statefulsets\.apps w --cascade=orphan\n/);
  });
  test('a failure shows when it began, and that the agent retries', () => {
    const [way] = refusedBecause('field is immutable');
    assert.equal(way?.blockedAt?.since, '2026-11-20T15:00:00Z');
    assert.match(way?.steps.at(-1) ?? '', /the agent retries by itself within 17 minutes$/);
  });
  test('does not offer rights where admission or a quota forbids', () => {
    const refused = (why: string) =>
      refusedBecause(`failed to apply: widgets.example.com "w" is forbidden: ${why}`);
    const [quota] = refused('exceeded quota: small');
    assert.equal(quota?.code, 'denied-on-wec');
    assert.match(
      quota?.steps.join() ?? '',
      /^No right of the agent is missing\. .* ask who manages cluster1/,
    );
    const [policy] = refused(
      "ValidatingAdmissionPolicy 'registries' with binding 'b' denied request: no",
    );
    assert.equal(policy?.code, 'admission-refuses-on-wec');
    assert.match(
      policy?.steps[0] ?? '',
      /^Ask who manages cluster1 whose ValidatingAdmissionPolicy registries is\./,
    );
  });
  test('does not call available what runs in an earlier version', () => {
    const given = record('forbidden-on-wec');
    for (const work of given.works ?? [])
      for (const { conditions = [] } of work.status?.resourceStatus?.manifests ?? [])
        conditions.push({ type: 'Available', status: 'True' } as (typeof conditions)[number]);
    const available = deliveries(given, widget)[0]?.stages.find(({ id }) => id === 'available');
    assert.deepEqual(
      [available?.state, available?.why],
      ['not-visible', 'its present version is not applied'],
    );
  });
  test('shows what the agent says about any other refusal', () => {
    const [way] = refusedBecause('the server is odd');
    assert.equal(way?.code, 'not-applied');
    assert.match(
      way?.next ?? '',
      /^kubectl --context its1 -n cluster1 get manifestwork \S+-wdsh-\S+ -o yaml$/,
    );
  });
});

describe('what is applied is as its work says', () => {
  const differing = (rest: Partial<WorkloadDifference>): WorkloadDifference => ({
    ...{ kind: 'Deployment', group: 'apps', namespace: 't1', name: 'web', wec: 'cluster1' },
    ...{ policy: 't1', state: 'different', why: null, createOnly: false, differs: [], left: [] },
    ...{ steps: [], next: null },
    ...rest,
  });
  /** Written so many minutes ago, by the clock of the WDS. */
  const replicas = (ago: number) => ({
    ...{ field: 'spec.replicas', work: 1, wec: 3, by: 'kubectl-scale' },
    since: new Date(Date.parse('2026-11-20T15:20:00Z') - ago * 60_000).toISOString(),
  });
  const toldOf = (rest: Partial<WorkloadDifference>) => {
    const given = record('singleton-status');
    const [way] = deliveries(
      given,
      web,
      {},
      { context: 'kind-cluster1', difference: differing(rest) },
    );
    const { id, state, why } = way?.stages.at(-1) ?? {};
    assert.equal(id, 'equal');
    return [way?.done, state, way?.code, why ?? ''].join(' ');
  };
  test('if it was compared, and is equal or keeps its own version', () => {
    assert.match(toldOf({ state: 'equal' }), /^true met/);
    assert.match(toldOf({ differs: [replicas(60)], createOnly: true }), /^true met/);
  });
  test('or waits until the agent writes it again, and has then failed, with who wrote it', () => {
    const soon = toldOf({ differs: [replicas(1)] });
    assert.match(
      soon,
      /^false waiting differs-on-wec it differs there: spec\.replicas \(written by kubectl-scale\)/,
    );
    assert.match(toldOf({ differs: [replicas(7)] }), /^false failed differs-on-wec/);
  });
  test('or has failed at once, where the agent takes nothing away', () =>
    assert.match(
      toldOf({ left: ['metadata.labels.old'] }),
      /^false failed differs-on-wec it differs there: metadata\.labels\.old$/,
    ));
  test('or is not known', () =>
    assert.match(
      toldOf({ state: 'unseen', why: 'you may not patch it' }),
      /not-visible .*patch it$/,
    ));
});

describe('a broken link is named:', () => {
  const good = () => record('create-only');
  const none = () => {};
  const broken = (
    change: (given: Recorded) => unknown = none,
    subject: Subject = configMap,
    changes = {},
  ) => {
    const given = good();
    change(given);
    return told(deliveries(given, subject, changes));
  };
  const one = <T>([first]: readonly T[] = []): T => first as T;
  const unreadBinding = (given: Recorded) => {
    const { metadata } = one(given.bindings);
    metadata.generation = 2;
    const managedFields = [
      { time: '2026-11-20T15:00:00Z' },
      { time: '2026-11-20T15:19:59Z', subresource: 'status' },
    ];
    Object.assign(metadata, { managedFields });
  };
  const plainly: [
    title: string,
    expected: string,
    change?: (given: Recorded) => unknown,
    subject?: Subject,
    changes?: object,
  ][] = [
    [
      'the object is not in the WDS',
      't10: cluster1: null failed object-missing',
      none,
      { ...configMap, object: null },
    ],
    [
      'the object is being deleted',
      't10: cluster1: null waiting object-deleting',
      none,
      { ...configMap, object: { deletionTimestamp: '2026-11-20T15:19:00Z' } },
    ],
    [
      'its kind is never sent',
      'no policy: no WEC: exists failed never-sent',
      none,
      { kind: 'Event', name: 'e' },
    ],
    [
      'the WDS does not send its group',
      't10: cluster1: exists failed group-not-watched',
      none,
      configMap,
      { wds: { ...unopened, apiGroups: ['apps'] } },
    ],
    [
      'there is no policy',
      'no policy: no WEC: exists failed not-selected',
      (given) => Object.assign(given, { policies: [], bindings: [] }),
    ],
    [
      'the policy has not been processed',
      't10: cluster1: selected waiting policy-unobserved',
      (given) => {
        one(given.policies).status = {};
        one(given.policies).metadata.creationTimestamp = '2026-11-20T15:19:50Z';
      },
    ],
    [
      'the policy was changed a moment ago, long after it was created',
      't10: cluster1: selected waiting policy-unobserved',
      (given) =>
        Object.assign(one(given.policies).metadata, {
          generation: 2,
          creationTimestamp: '2026-11-20T10:00:00Z',
          managedFields: [{ time: '2026-11-20T15:19:50Z' }],
        }),
    ],
    [
      'the policy has had no Binding for too long, for example because it is rejected',
      't10: no WEC: policy failed binding-missing',
      (given) => {
        given.bindings = [];
        one(given.policies).metadata.creationTimestamp = '2026-11-20T15:00:00Z';
      },
    ],
    [
      'the Binding has lost its policy',
      't10: cluster1: selected failed binding-orphaned',
      (given) => given.policies.splice(0),
    ],
    [
      'the object is not in the Binding yet',
      't10: cluster1: policy waiting object-not-in-binding',
      (given) => Object.assign(one(given.bindings).spec ?? {}, { workload: {} }),
    ],
    [
      'the Binding has an earlier state of the object',
      't10: cluster1: policy waiting binding-behind',
      none,
      { ...configMap, object: { resourceVersion: '9999' } },
    ],
    [
      'the transport has not read the Binding for too long',
      't10: cluster1: policy failed transport-behind',
      unreadBinding,
    ],
    [
      'the WEC is not available',
      't10: cluster1: binding failed wec-unavailable',
      none,
      configMap,
      { inventory: seen(new Map([wec('cluster1', 'unknown')])) },
    ],
    [
      'the WEC is no longer registered',
      't10: cluster1: binding failed wec-missing',
      none,
      configMap,
      { inventory: seen(new Map()) },
    ],
    [
      'there is no work in the mailbox',
      't10: cluster1: wec failed work-missing',
      (given) => {
        given.works = [];
        one(given.bindings).metadata.creationTimestamp = '2026-11-20T15:00:00Z';
      },
    ],
  ];
  for (const [title, expected, ...given] of plainly)
    test(title, () => assert.deepEqual(broken(...given), [expected]));

  test('the object has been in deletion for too long', () => {
    const object = { deletionTimestamp: '2026-11-20T15:10:00Z' };
    const [delivery] = deliveries(good(), { ...configMap, object });
    assert.deepEqual([delivery?.blockedAt?.state, delivery?.code], ['failed', 'object-deleting']);
    assert.match(
      delivery?.blockedAt?.why ?? '',
      /is being deleted in wdsh, for longer than expected$/,
    );
    assert.match(delivery?.next ?? '', /^kubectl --context wdsh -n t10 get configmaps c -o yaml$/);
  });
  test('the policy is being deleted, for a moment or for too long', () => {
    const deleting = (deletionTimestamp: string) => (given: Recorded) =>
      Object.assign(one(given.policies).metadata, { deletionTimestamp });
    assert.deepEqual(broken(deleting('2026-11-20T15:19:50Z')), [
      't10: cluster1: selected waiting policy-deleting',
    ]);
    assert.deepEqual(broken(deleting('2026-11-20T15:10:00Z')), [
      't10: cluster1: selected failed policy-deleting',
    ]);
  });
  test('the object is missing from the Binding for too long, for example because its Namespace was labelled later', () => {
    const given = good();
    one(given.bindings).spec = { ...one(given.bindings).spec, workload: {} };
    one(given.policies).spec = { downsync: [{ namespaceSelectors: [{}] }] };
    given.works = [];
    const [delivery] = deliveries(given, {
      ...configMap,
      object: { resourceVersion: '7', creationTimestamp: '2026-11-20T15:00:00Z' },
    });
    assert.equal(delivery?.code, 'object-not-in-binding');
    assert.equal(
      delivery?.next,
      'kubectl --context wdsh -n t10 annotate --overwrite configmaps c stellarctl/changed=7',
    );
  });
  test('only the status of the object is newer than its Binding', () => {
    const time = new Date().toISOString();
    const object = { resourceVersion: '9999', managedFields: [{ subresource: 'status', time }] };
    const [delivery] = deliveries(good(), { ...configMap, object });
    assert.equal(delivery?.blockedAt?.why, 'the Binding of t10 has yet to follow its new status');
  });
  test('the Binding has an earlier state of the object for too long', () => {
    const object = { resourceVersion: '9999', creationTimestamp: '2026-11-20T15:00:00Z' };
    const given = good();
    const [delivery] = deliveries(given, { ...configMap, object });
    assert.deepEqual(told(delivery === undefined ? [] : [delivery]), [
      't10: cluster1: policy failed binding-behind',
    ]);
    assert.match(delivery?.steps.join() ?? '', /Do its controllers run\?/);
  });
  test('nobody knows since when: of the time at which it was scaled there is no record', () => {
    const managedFields = [
      { subresource: 'status', time: '2026-11-20T15:00:00Z' },
      { subresource: 'scale' },
    ];
    const object = {
      resourceVersion: '9999',
      creationTimestamp: '2026-11-20T14:00:00Z',
      managedFields,
    };
    const [delivery] = deliveries(good(), { ...configMap, object });
    assert.deepEqual(told(delivery === undefined ? [] : [delivery]), [
      't10: cluster1: policy waiting binding-behind',
    ]);
    assert.equal(delivery?.blockedAt?.why, 'the Binding of t10 has an earlier version of it');
  });
  test('the transport crashes', () => {
    const see = run('kubectl logs transport', 'See');
    const controllers = {
      transport: failed('it crashes', { next: [see] }),
      manager: failed('no matter'),
    };
    const given = good();
    unreadBinding(given);
    const [delivery] = deliveries(given, configMap, { controllers });
    assert.match(delivery?.blockedAt?.why ?? '', /not read the Binding of t10: it crashes$/);
    assert.deepEqual(delivery?.steps, ['See: kubectl logs transport']);
    assert.deepEqual(broken(none, configMap, { controllers }), ['t10: cluster1: done']);
  });
  test('a restart of the controllers keeps the transport stopped', () => {
    const paused = failed('paused by a restart', { code: 'transport-paused' });
    const controllers = { transport: paused, manager: paused };
    assert.deepEqual(broken(none, configMap, { controllers }), [
      't10: cluster1: policy failed transport-paused',
    ]);
  });
  test('the Binding does not name a WEC that the policy selects now', () => {
    const select = (given: Recorded) => {
      one(given.policies).spec = {
        clusterSelectors: [{ matchLabels: { 'location-group': 'edge' } }],
      };
    };
    const labelled = (time: string) => {
      const [name, cluster] = wec('cluster2');
      const metadata = { ...cluster.metadata, managedFields: [{ time }] };
      return { inventory: seen(new Map([wec('cluster1'), [name, { ...cluster, metadata }]])) };
    };
    assert.deepEqual(broken(select, configMap, labelled('2026-11-20T15:19:50Z')), [
      't10: cluster1: done',
      't10: cluster2: binding waiting wec-not-in-binding',
    ]);
    assert.equal(
      broken(select, configMap, labelled('2026-11-20T15:00:00Z'))[1],
      't10: cluster2: binding failed wec-not-in-binding',
    );
  });
  test('the transport sends other objects of the Binding meanwhile', () => {
    const sending = (creationTimestamp: string) => (given: Recorded) => {
      const [work] = given.works ?? [];
      given.works =
        work === undefined
          ? []
          : [{ ...work, metadata: { ...work.metadata, creationTimestamp }, spec: {} }];
    };
    assert.deepEqual(broken(sending('2026-11-20T15:19:50Z')), [
      't10: cluster1: wec waiting work-missing',
    ]);
    assert.deepEqual(broken(sending('2026-11-20T15:00:00Z')), [
      't10: cluster1: wec failed work-missing',
    ]);
  });
  test('the transport stops at an earlier WEC, which has no mailbox', () => {
    const pending = (conditions: { type: string; status: 'False' }[]): [string, ManagedCluster] => [
      'cluster0',
      { metadata: { name: 'cluster0' }, spec: { hubAcceptsClient: false }, status: { conditions } },
    ];
    const stop = (given: Recorded) => {
      given.works = [];
      one(given.bindings).metadata.creationTimestamp = '2026-11-20T15:00:00Z';
      Object.assign(one(given.bindings).spec ?? {}, {
        destinations: [{ clusterId: 'cluster0' }, { clusterId: 'cluster1' }],
      });
    };
    const never = seen(new Map([pending([]), wec('cluster1')]));
    assert.deepEqual(broken(stop, configMap, { inventory: never }), [
      't10: cluster0: binding failed wec-not-accepted',
      't10: cluster1: wec failed transport-stopped',
    ]);
    const denied = seen(
      new Map([pending([{ type: 'HubAcceptedManagedCluster', status: 'False' }]), wec('cluster1')]),
    );
    assert.equal(
      broken(stop, configMap, { inventory: denied })[1],
      't10: cluster1: wec failed work-missing',
    );
  });
  test('a WEC that the Binding does not name is not behind those that it names', () => {
    const given = record('multiwec-status');
    const [binding] = given.bindings;
    Object.assign(binding?.spec ?? {}, {
      destinations: [{ clusterId: 'cluster0' }, { clusterId: 'cluster1' }],
    });
    const never: ManagedCluster = {
      metadata: { name: 'cluster0' },
      spec: { hubAcceptsClient: false },
    };
    const inventory = seen(new Map([['cluster0', never], wec('cluster1'), wec('cluster2')]));
    const stops = judged(given, { ...web, object: null }, { inventory }).map(
      ({ wec: on, stoppedAt }) => [on, stoppedAt],
    );
    assert.deepEqual(stops, [
      ['cluster0', undefined],
      ['cluster1', 'cluster0'],
      ['cluster2', undefined],
    ]);
  });
  /** All works, as last written at this time. */
  const written = (
    given: Recorded,
    time: string,
    changes: Partial<KubeObject['metadata']> = {},
  ) => {
    for (const work of given.works ?? [])
      Object.assign(work.metadata, { managedFields: [{ time }], ...changes });
  };
  const [lately, longAgo] = ['2026-11-20T15:19:50Z', '2026-11-20T15:00:00Z'];
  for (const [time, state] of [
    [lately, 'waiting'],
    [longAgo, 'failed'],
  ] as const) {
    const when = state === 'failed' ? ', for too long' : '';
    const since = (given: Recorded) => {
      written(given, time, { creationTimestamp: longAgo });
      Object.assign(one(given.bindings).metadata, {
        creationTimestamp: longAgo,
        managedFields: [{ time }],
      });
    };
    test(`the work has an earlier state${when}`, () =>
      assert.deepEqual(
        broken((given) => {
          since(given);
          one(given.bindings).metadata.generation = 2;
          one(given.bindings).status = { observedGeneration: 2 };
        }),
        [`t10: cluster1: wec ${state} work-behind`],
      ));
    test(`the work is being deleted${when}`, () =>
      assert.deepEqual(
        broken((given) => written(given, longAgo, { deletionTimestamp: time })),
        [`t10: cluster1: wec ${state} work-deleting`],
      ));
    test(`the agent has not responded${when}`, () =>
      assert.deepEqual(
        broken((given) => {
          since(given);
          for (const work of given.works ?? []) work.metadata.generation = 5;
        }),
        [`t10: cluster1: work ${state} agent-silent`],
      ));
    test(`the WEC has returned no status${when}`, () => {
      const given = record('singleton-status');
      written(given, time, { creationTimestamp: longAgo });
      given.workStatuses = [];
      const [delivery] = deliveries(given, web);
      assert.deepEqual([delivery?.blockedAt?.state, delivery?.code], [state, 'status-missing']);
      const log = '-n open-cluster-management-agent-addon logs deployment/status-agent';
      if (state === 'failed')
        assert.deepEqual(delivery?.steps, [
          `See what its status agent says: kubectl --context CONTEXT ${log}      (CONTEXT: that of cluster1)`,
        ]);
      // The policy may ask for it only now.
      one(given.policies).metadata.managedFields = [{ time: lately }];
      assert.equal(deliveries(given, web)[0]?.blockedAt?.state, 'waiting');
    });
    test(`the status agent of the WEC has not been available${when}`, () => {
      const down = {
        type: 'Available',
        status: 'False',
        message: 'readyReplica is not probed',
        lastTransitionTime: time,
      };
      const statusAgents = new Map([
        ['cluster1', { metadata: { name: 'addon-status' }, status: { conditions: [down] } }],
      ]);
      const [old] = deliveries(record('singleton-status'), web, { statusAgents });
      assert.deepEqual(
        [old?.stage, old?.blockedAt?.state, old?.code],
        ['applied', state, 'status-outdated'],
      );
      assert.match(
        old?.blockedAt?.why ?? '',
        /^the status agent of cluster1 is not available: readyReplica is not probed/,
      );
      const creationTimestamp = '2026-11-20T15:18:00Z';
      const isNew = new Map([
        [
          'cluster1',
          { metadata: { name: 'a', creationTimestamp }, status: { conditions: [down] } },
        ],
      ]);
      assert.equal(
        deliveries(record('singleton-status'), web, { statusAgents: isNew })[0]?.done,
        true,
      );
      const given = record('singleton-status');
      given.workStatuses = [];
      const [missing] = deliveries(given, web, { statusAgents });
      assert.deepEqual([missing?.blockedAt?.state, missing?.code], [state, 'status-missing']);
      assert.match(
        missing?.blockedAt?.why ?? '',
        /^cluster1 has returned no status for it: the status agent of /,
      );
    });
    test(`the status has not come back to the WDS${when}`, () => {
      const given = record('singleton-status');
      written(given, time, { creationTimestamp: longAgo });
      for (const { metadata } of given.policies)
        Object.assign(metadata, { creationTimestamp: longAgo, managedFields: [] });
      const [delivery] = deliveries(given, { ...web, object: { labels: { app: 't1' } } });
      assert.deepEqual(
        [delivery?.blockedAt?.state, delivery?.code],
        [state, 'status-not-returned'],
      );
      assert.match(
        delivery?.blockedAt?.why ?? '',
        /it lacks KubeStellar's label managed-by\.kubestellar\.io\/single/,
      );
      if (state === 'failed')
        assert.match(delivery?.next ?? '', / annotate --overwrite deployments\.apps web /);
    });
  }
  test('the WEC has it with another immutable field', () => {
    const given = record('singleton-status');
    const message =
      'Deployment.apps "web" is invalid: spec.selector: Invalid value: {}: field is immutable';
    for (const condition of workConditions(given))
      if (condition.type === 'Applied') Object.assign(condition, { status: 'False', message });
    const [delivery] = deliveries(given, web);
    assert.equal(delivery?.code, 'immutable-on-wec');
    assert.match(
      delivery?.steps.join(' ') ?? '',
      /get deployments\.apps \S+ -o yaml.* delete deployments\.apps /,
    );
  });
  test('the WEC refuses pods of the present version', () => {
    const given = record('singleton-status');
    const refused = {
      type: 'ReplicaFailure',
      status: 'True',
      message: 'pods "web-1" is forbidden',
    };
    for (const each of given.workStatuses ?? []) each.status = { conditions: [refused] };
    const [delivery] = deliveries(given, web);
    assert.deepEqual(
      [delivery?.stage, delivery?.code, delivery?.blockedAt?.why],
      ['applied', 'failing-on-wec', 'it reports ReplicaFailure: pods "web-1" is forbidden'],
    );
  });
  test('the returned status is of an earlier version than the object on the WEC', () => {
    const given = record('singleton-status');
    for (const { status = {} } of given.workStatuses ?? [])
      Object.assign(status, { observedGeneration: 2 });
    const unversioned = {
      ...web,
      object: { labels: { app: 't1' }, resourceVersion: undefined as never },
    };
    const areOutdated = (generation: number | undefined) =>
      deliveries(given, unversioned, {}, { generation }).flatMap(({ stages }) =>
        stages
          .filter(
            ({ why = '' }) =>
              why === 'the status that cluster1 has returned is of an earlier version',
          )
          .map(({ id, state }) => `${id} ${state}`),
      );
    assert.deepEqual([undefined, 2].flatMap(areOutdated), []);
    assert.deepEqual(areOutdated(3), ['available waiting', 'status waiting']);
  });
  test('no status of a Namespace is waited for: KubeStellar never replaces the one in the WDS', () => {
    const given = record('singleton-status');
    for (const kind of ['Namespace', 'Deployment']) {
      const views = deliveries(given, { ...web, kind, object: { labels: { app: 't1' } } });
      const isAsked = views.some(({ stages }) => stages.some(({ id }) => id === 'status'));
      assert.equal(isAsked, kind === 'Deployment', kind);
    }
  });
  test('the ITS is not seen', () => {
    const hidden = { state: 'hidden', why: 'no route', error: undefined } as const;
    const views = deliveries(good(), configMap, {
      inventory: hidden,
      works: hidden,
      workStatuses: hidden,
    });
    assert.deepEqual(
      views.map(({ done, stage, stages }) => [
        done,
        stage,
        stages.find(({ id }) => id === 'work')?.why,
      ]),
      [[false, 'binding', 'no route']],
    );
  });
});
