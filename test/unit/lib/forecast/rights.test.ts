import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readForecast } from '../../../../src/lib/forecast/read-forecast.ts';
import { readPolicyForecast } from '../../../../src/lib/forecast/read-policy-forecast.ts';
import type { Row } from '../../../../src/lib/forecast/row.ts';
import { wecChange } from '../../../../src/lib/forecast/wec-change.ts';
import { hidden, seen } from '../../../../src/lib/kube/access.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { apiError } from '../../../../src/lib/kube/client/errors.ts';
import type { KubeObject, LabelSelector } from '../../../../src/lib/kube/client/objects.ts';
import type { Wds } from '../../../../src/lib/spaces/choose/open-wds.ts';
import { evaluate } from '../../../../src/lib/workloads/selection/policy-subject.ts';
import { joinedCluster } from '../../support/builders.ts';
import { binding, workOf } from '../../support/policy-builders.ts';
import {
  its,
  kubeconfigOf,
  MemoryCluster,
  secretAt,
  toolsOf,
  wds,
} from '../../support/space-builders.ts';
import { WorkloadCluster } from '../../support/workload-cluster.ts';
import { openWds } from '../workloads/open-wds.ts';

type Typed = KubeObject & { kind: string };

/** A policy of ConfigMaps that WECs with one label get. */
const policy = (name: string, tier: string, destinations: string[], objects = [name]) => {
  const clusterSelectors: LabelSelector[] = [{ matchLabels: { tier } }];
  const bound = objects.map((of) => ({
    ...{ group: '', version: 'v1', resource: 'configmaps' },
    ...{ namespace: 'conf', name: of },
  }));
  return [
    { kind: 'BindingPolicy', metadata: { name }, spec: { clusterSelectors } },
    binding(name, { destinations, objects: bound }),
  ] as Typed[];
};

/** An object of a WDS. @param key the property that its template asks for */
const configMap = (name: string, key?: string) => {
  const annotations = key ? { 'control.kubestellar.io/expand-templates': 'true' } : {};
  const metadata = { namespace: 'conf', name, annotations };
  return { kind: 'ConfigMap', metadata, data: { of: `{{.${key}}}` } };
};

/** The works of a policy on some WECs. */
const works = (of: string, inWds: string, wecs: string[], objects = [of]) =>
  wecs.map((wec) => {
    const manifests = objects.map((name) => ({
      ...{ apiVersion: 'v1', kind: 'ConfigMap' },
      metadata: { namespace: 'conf', name },
    }));
    return { ...workOf(of, inWds, wec), spec: { workload: { manifests } } } as unknown as Typed;
  });

const contents: Record<string, Typed[]> = {
  wds1: [
    ...policy('leaving', 'web', ['w1', 'w2'], ['leaving', 'moved']),
    ...policy('coming', 'db', ['w2']),
    // It asks for a property that w1 lacks: nothing of it is sent to any WEC.
    ...policy('stopping', 'db', ['w3', 'w4']),
    ...['leaving', 'moved', 'coming'].map((name) => configMap(name)),
    configMap('stopping', 'region'),
  ],
  wds2: [
    ...policy('going', 'web', ['w1']),
    ...policy('taking', 'db', ['w2'], ['taking', 'moved']),
    ...['going', 'taking', 'moved'].map((name) => configMap(name)),
  ],
  // Of another hosting cluster: its works name it, and a context leads to it.
  team: policy('theirs', 'web', ['w1']),
};
const mailboxes = [
  ...works('leaving', 'wds1', ['w1', 'w2'], ['leaving', 'moved']),
  ...works('coming', 'wds1', ['w2']),
  ...works('stopping', 'wds1', ['w3', 'w4']),
  ...works('going', 'wds2', ['w1']),
  ...works('taking', 'wds2', ['w2'], ['taking', 'moved']),
  ...works('theirs', 'team', ['w1']),
];
const kubeSystem = (name: string) => ({
  kind: 'Namespace',
  metadata: { name: 'kube-system', uid: name },
});

const wecs = Object.entries({ w1: 'web', w2: 'web', w3: 'db', w4: 'db' }).map(
  ([name, tier]) => joinedCluster({ name, labels: { tier } }) as Typed,
);

/** The change: what selects tier=web loses w1, and what selects tier=db gets it. */
const change = wecChange(
  {
    cluster: {
      metadata: { name: 'w1', labels: { tier: 'web' } },
      spec: { hubAcceptsClient: true },
    },
    configMap: undefined,
  },
  { labels: { tier: 'db' } },
);

const lineOf = ({ effect, policy: by, wds: of, object, wec, why }: Row) =>
  object === null
    ? `${effect} of ${of}: ${why}`
    : `${effect} by ${by} (${of}): ${object.kind} ${object.name} on ${wec}: ${why}`;

/** The clusters, and the requests to them. @param denied a request that is answered by 403 */
function worldWithout(denied?: string) {
  const requests = new Set<string>();
  const allowed = (kube: Kube, ...words: (string | undefined)[]) => {
    const request = words.filter(Boolean).join(' ');
    requests.add(request);
    if (request === denied)
      throw apiError(kube.cluster, 403, `{"message":"${request} is forbidden"}`);
  };
  const asked = (of: string, { kube }: MemoryCluster): Kube => ({
    ...kube,
    get: async (resource, name, options) => {
      const { namespace } = options ?? {};
      allowed(kube, of, 'get', resource.plural, [namespace, name].filter(Boolean).join('/'));
      return kube.get(resource, name, options);
    },
    list: async (resource, selection = {}) => {
      const { namespace, labelSelector } = selection;
      const [names = 'others'] = /(?<=Key in \()[^)]+/.exec(labelSelector ?? '') ?? [];
      allowed(kube, of, 'list', resource.plural, namespace, labelSelector && `of ${names}`);
      return kube.list(resource, selection);
    },
    read: async (path, ...more) => {
      allowed(kube, of, 'discovery');
      return kube.read(path, ...more);
    },
  });
  const hub = asked('its1', new WorkloadCluster([kubeSystem('its1'), ...wecs, ...mailboxes]));
  const inWds = (name: string) => asked(name, new WorkloadCluster(contents[name] ?? []));
  const clusters: Record<string, Kube> = { its1: hub };
  for (const name of Object.keys(contents)) clusters[name] = inWds(name);
  const k8s = { type: 'k8s' };
  const spaces = [its('its1', k8s), wds('wds1', '', k8s), wds('wds2', '', k8s)];
  const secrets = ['its1', 'wds1', 'wds2'].map((name) => secretAt(name));
  const hosting = asked('hosting', new MemoryCluster([...spaces, ...secrets]));
  const find = (name: string) => clusters[name] ?? assert.fail(name);
  return { find, hosting, requests: () => [...requests].sort() };
}

/** Reads the forecast of the change. */
async function read(denied?: string) {
  const { find, hosting, requests } = worldWithout(denied);
  const connect = ({ server }: { server: string }) =>
    find(new URL(server).hostname.split('.')[0] ?? '');
  const { rows } = await readForecast([change], {
    its: { kube: find('its1'), context: { name: 'its1' } },
    hosting: seen(toolsOf(hosting, { connect, hostingSource: 'kubeconfig' })),
    kubeconfig: kubeconfigOf({ team: { cluster: 'team', user: 'team' } }),
    connect,
  });
  return { lines: rows.map(lineOf).sort(), requests: requests() };
}

/** Reads the forecast of policy leaving with fewer objects, beside others. */
async function readPolicy(denied?: string, way?: Wds['its']) {
  const { find, requests } = worldWithout(denied);
  const inWds = openWds(find('wds1'), find('its1'), way && { its: way });
  const clause = (apiGroup: string, resource: string, name: string) => ({
    ...{ apiGroup, resources: [resource] },
    objectNames: [name],
  });
  const spec = {
    clusterSelectors: [{ matchLabels: { tier: 'web' } }],
    downsync: [clause('', 'configmaps', 'leaving'), clause('apps', 'deployments', 'none')],
  };
  const subject = await evaluate('leaving', spec, inWds);
  const present = { metadata: { name: 'leaving' } };
  const nobody = async () => ({ policies: [], unread: [] });
  const asked = { present, stops: undefined, overwritten: [], readPolicies: nobody };
  const { rows } = await readPolicyForecast({ subject, ...asked });
  return { lines: rows.map(lineOf).sort(), requests: requests() };
}

/** What a right is needed for. */
interface Need {
  /** Whose policies are unknown without it. */
  unknown: string[];
  /** How the rows begin that need it. */
  gone?: string[];
  /** The rows in their place: an object that moves between two policies is known of one of them. */
  instead?: string[];
}

const everyWds = 'all WDSes';
const ofStopping = ['blocked by stopping', 'removed by stopping'];
const ofWds1 = ['added by coming', 'recreated by leaving', 'removed by leaving', ...ofStopping];
const ofWds2 = ['added by taking', 'recreated by leaving', 'removed by going'];
const isNew = 'added by taking (wds2): ConfigMap moved on w1: it starts to be sent';
const isRemoved = 'removed by leaving (wds1): ConfigMap moved on w1: it no longer selects the WEC';

const wds1: Need = { unknown: ['wds1'], gone: ofWds1, instead: [isNew] };
const wds2: Need = { unknown: ['wds2'], gone: ofWds2, instead: [isRemoved] };
const team: Need = { unknown: ['team'], gone: ['removed by theirs'] };
/** What other WECs lose is read as a whole: without one part nothing of it is known. */
const elsewhere: Need = { unknown: [everyWds], gone: ['removed by stopping'] };
/** What is not known to be a template is not known to stop its policy, and a plural stands for an unknown kind. */
const objectsOfWds1: Need = {
  unknown: ['wds1'],
  gone: ['added by coming', ...ofStopping],
  instead: ['coming', 'stopping'].map(
    (name) => `added by ${name} (wds1): configmaps ${name} on w1: it starts to be sent`,
  ),
};
const objectsOfWds2: Need = {
  unknown: ['wds2'],
  gone: ofWds2.filter((start) => !start.startsWith('removed')),
  instead: [
    isRemoved,
    ...['moved', 'taking'].map(
      (name) => `added by taking (wds2): configmaps ${name} on w1: it starts to be sent`,
    ),
  ],
};

/** All requests of a forecast, with what is unknown if one is refused. */
const needs: Record<string, Need> = {
  // What only works show, and contexts lead to, is known without a hosting cluster.
  'hosting list controlplanes': {
    unknown: [everyWds, 'wds1', 'wds2'],
    gone: [...ofWds1, ...ofWds2],
  },
  // Works that come from its Bindings prove as well that a WDS sends through the ITS.
  'hosting get secrets its1-system/admin-kubeconfig': { unknown: [] },
  'its1 get namespaces kube-system': { unknown: [] },
  'hosting get secrets wds1-system/admin-kubeconfig': wds1,
  'hosting get secrets wds2-system/admin-kubeconfig': wds2,
  'its1 list manifestworks w1': {
    unknown: [everyWds],
    gone: [
      'recreated by leaving',
      ...['going', 'leaving', 'theirs'].map((of) => `removed by ${of}`),
    ],
    instead: [isNew],
  },
  'its1 list manifestworks of others': { unknown: [everyWds], gone: ['removed by theirs'] },
  'its1 list manifestworks of stopping': elsewhere,
  'its1 list manifestworks w3': elsewhere,
  'its1 list manifestworks w4': elsewhere,
  'wds1 list bindingpolicies': wds1,
  'wds1 list bindings': wds1,
  'wds1 discovery': objectsOfWds1,
  'wds1 list configmaps': objectsOfWds1,
  'wds2 list bindingpolicies': wds2,
  'wds2 list bindings': wds2,
  'wds2 discovery': objectsOfWds2,
  'wds2 list configmaps': objectsOfWds2,
  'team list bindingpolicies': team,
  'team list bindings': team,
  // They could ask for the label that changes.
  'team discovery': { unknown: ['team'] },
  'team list configmaps': { unknown: ['team'] },
};

test('a label is foreseen with these requests, all of which are needed', async () => {
  const { lines, requests } = await read();
  assert.deepEqual(
    lines.filter((line) => line.startsWith('unknown')),
    [],
  );
  assert.deepEqual(requests, Object.keys(needs).sort());
});

describe('what needs a right is unknown without it, and the rest is as with it:', () => {
  for (const [request, { unknown, gone = [], instead = [] }] of Object.entries(needs))
    test(request, async () => {
      const { lines: whole } = await read();
      const { lines } = await read(request);
      const needing = (start: string) => whole.filter((line) => line.startsWith(start));
      for (const start of gone) assert.notDeepEqual(needing(start), [], start);
      const known = whole.filter((line) => !gone.flatMap(needing).includes(line));
      const isUnknown = (line: string) => line.startsWith('unknown');
      assert.deepEqual(
        lines.filter((line) => !isUnknown(line)),
        [...known, ...instead].sort(),
      );
      const said = lines.filter(isUnknown);
      assert.deepEqual(said.map((line) => /^unknown of (.*?): /.exec(line)?.[1]).sort(), unknown);
      // A WDS that only the list of control planes names is named by works as well, without a way to it.
      const why = (line: string) =>
        line.includes(`${request} is forbidden`) || /no context .* lead to it$/.test(line);
      assert.deepEqual(
        said.filter((line) => !why(line)),
        [],
      );
    });
});

/** All requests for a policy: what its rows are without one, or that nothing is said, and nothing is done. */
const policyNeeds: Record<string, 'refused' | RegExp[]> = {
  'its1 list managedclusters': [
    ...[/^recreated .* moved on w2: taking/, /^removed .* moved on w1: it no longer/],
    /^unknown of wds1: WECs could not be read: .*list managedclusters is forbidden$/,
  ],
  'its1 list manifestworks of leaving': 'refused',
  'its1 list manifestworks w1': 'refused',
  'its1 list manifestworks w2': 'refused',
  'wds1 discovery': 'refused',
  'wds1 list bindings': 'refused',
  'wds1 list configmaps': ['leaving', 'moved'].flatMap((name) =>
    ['w1', 'w2'].map(
      (wec) =>
        new RegExp(
          `^unknown by leaving .* ${name} on ${wec}: configmaps could not be read: .*is forbidden$`,
        ),
    ),
  ),
  // It selects Deployments by name only, and has sent none.
  'wds1 list deployments': [/^recreated /, /^removed /],
  'wds1 list namespaces': [/^recreated /, /^removed /],
};

describe('of a policy that changes, what needs a right is unknown without it, or the change is refused:', () => {
  test('these are its requests', async () => {
    const { lines, requests } = await readPolicy();
    assert.deepEqual(lines, [
      'recreated by leaving (wds1): ConfigMap moved on w2: taking (wds2) has not applied it yet',
      'removed by leaving (wds1): ConfigMap moved on w1: it no longer selects the object',
    ]);
    assert.deepEqual(requests, Object.keys(policyNeeds).sort());
  });
  for (const [request, rows] of Object.entries(policyNeeds))
    test(request, async () => {
      if (rows === 'refused') {
        await assert.rejects(readPolicy(request), (error: Error) =>
          error.message.endsWith(`${request} is forbidden`),
        );
        return;
      }
      const { lines } = await readPolicy(request);
      assert.equal(lines.length, rows.length, lines.join('\n'));
      for (const [index, row] of rows.entries()) assert.match(lines[index] ?? '', row);
    });
  test('a way to its ITS', async () => {
    const { lines } = await readPolicy(undefined, hidden('no route'));
    // The works could not be read for the same reason: one row says so.
    assert.deepEqual(lines, ['unknown of wds1: WECs could not be read: no route']);
  });
});
