import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StellarError } from '../../../../src/lib/core/errors.ts';
import { unforeseenIn } from '../../../../src/lib/forecast/losses.ts';
import { type LookOn, readForecast } from '../../../../src/lib/forecast/read-forecast.ts';
import { type ValueChanges, wecChange } from '../../../../src/lib/forecast/wec-change.ts';
import { seen } from '../../../../src/lib/kube/access.ts';
import type { Kube } from '../../../../src/lib/kube/client/client.ts';
import { missing } from '../../../../src/lib/kube/client/missing.ts';
import type { KubeObject } from '../../../../src/lib/kube/client/objects.ts';
import {
  type BoundObject,
  originBindingLabel,
  originWdsLabel,
} from '../../../../src/lib/ocm/model/kubestellar-names.ts';
import { discoveryOf } from '../../support/discovery.ts';
import { binding, uidOf, workOf } from '../../support/policy-builders.ts';
import {
  its,
  kubeconfigOf,
  MemoryCluster,
  secretAt,
  toolsOf,
  wds,
} from '../../support/space-builders.ts';

const kubeSystem = { kind: 'Namespace', metadata: { name: 'kube-system', uid: 'hub' } };
const config = (name: string): BoundObject => ({
  resource: 'configmaps',
  version: 'v1',
  namespace: 'conf',
  name,
});
const conf = (name: string, labels: Record<string, string>, destinations: string[]) => [
  {
    kind: 'BindingPolicy',
    metadata: { name },
    spec: { clusterSelectors: [{ matchLabels: labels }] },
  },
  binding(name, { destinations, objects: [config(name)] }),
];
/** A ConfigMap of the WDS, which its list names by its plural. */
const template = (name: string, key: string) => ({
  kind: 'configmaps',
  metadata: {
    name,
    namespace: 'conf',
    annotations: { 'control.kubestellar.io/expand-templates': 'true' },
  },
  data: { a: `{{.${key}}}` },
});
const work = (from: string, wec: string) => {
  const { metadata } = workOf(from, 'wds1', wec);
  const manifests = [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: from, namespace: 'conf' } },
  ];
  const uid = `${from}-${wec}`;
  return {
    kind: 'ManifestWork',
    metadata: { ...metadata, uid },
    spec: { workload: { manifests } },
  };
};
const change = (name: string, labels: Record<string, string>, to: ValueChanges) =>
  wecChange(
    {
      cluster: { metadata: { name, labels }, spec: { hubAcceptsClient: true } },
      configMap: undefined,
    },
    to,
  );

/** Reads a forecast. @returns also the requests to the ITS and to the WDS */
async function read(
  inWds: KubeObject[],
  works: KubeObject[],
  wecs: ReturnType<typeof change>[],
  { lookOn, broken }: { lookOn?: LookOn; broken?: RegExp } = {},
) {
  const requests: string[] = [];
  const asked = (of: string, { kube }: MemoryCluster): Kube => ({
    ...kube,
    list: async (resource, selection = {}) => {
      const { namespace, labelSelector, metadataOnly, trim } = selection;
      const words = [of, resource.plural, namespace, labelSelector, metadataOnly && 'metadata'];
      const request = words.filter(Boolean).join(' ');
      requests.push(request);
      if (broken?.test(request)) return missing;
      const all: KubeObject[] | typeof missing = await kube.list(resource, selection);
      if (all === missing) return all;
      if (labelSelector === undefined) return all.map((each) => trim?.(each) ?? each) as never;
      const [, known] = /notin \((.*)\)/.exec(labelSelector) ?? [];
      const isListed = ({ metadata: { labels = {} } }: KubeObject) =>
        known === undefined
          ? labelSelector.includes(`in (${labels[originBindingLabel]})`)
          : labels[originWdsLabel] !== known;
      return all.filter(isListed) as never;
    },
    read: discoveryOf({ v1: ['configmaps ConfigMap'] }),
  });
  const hub = asked('its', new MemoryCluster([kubeSystem, ...works]));
  const clusters: Record<string, Kube> = {
    its1: hub,
    wds1: asked('wds', new MemoryCluster(inWds)),
  };
  const connect = ({ server }: { server: string }) =>
    clusters[new URL(server).hostname.split('.')[0] ?? ''] ?? assert.fail(server);
  const hosting = new MemoryCluster([
    its('its1', { type: 'k8s' }),
    secretAt('its1'),
    wds('wds1', '', { type: 'k8s' }),
    secretAt('wds1'),
  ]).kube;
  const forecast = await readForecast(wecs, {
    its: { kube: hub, context: { name: 'its1' } },
    hosting: seen(toolsOf(hosting, { connect, hostingSource: 'kubeconfig' })),
    kubeconfig: kubeconfigOf({}),
    connect,
    lookOn,
  });
  const rows = forecast.rows.map(
    ({ effect, object, wec }) => `${effect} ${object?.kind} ${object?.name} on ${wec}`,
  );
  const ofWorks = requests.filter((request) => request.startsWith('its manifestworks'));
  return { forecast, rows: rows.sort(), requests, ofWorks };
}

describe('a label of one of many WECs', () => {
  const many = Array.from({ length: 300 }, (_, index) => `c${index + 1}`);
  const inWds = [...conf('a', { 'a/env': 'prod' }, many), ...conf('b', { tier: 'web' }, many)];
  const works = many.flatMap((wec) => [work('a', wec), work('b', wec)]);
  const others =
    'its manifestworks transport.kubestellar.io/originWdsName,transport.kubestellar.io/originWdsName notin (wds1) metadata';
  test('reads its mailbox, and no works of others but the origins of unknown ones', async () => {
    const one = change('c1', { 'a/env': 'prod' }, { labels: { 'a/env': null } });
    const { rows, ofWorks, requests, forecast } = await read(inWds, works, [one]);
    assert.deepEqual(rows, ['removed ConfigMap a on c1']);
    // By their UIDs they are found again afterwards.
    assert.deepEqual(
      forecast.works.map(({ policy, uid, goes }) => [policy, uid, goes]),
      [
        ['a', 'a-c1', true],
        ['b', 'b-c1', false],
      ],
    );
    assert.deepEqual(ofWorks, ['its manifestworks c1', others]);
    assert.deepEqual(
      requests.filter((request) => request.startsWith('wds')),
      ['wds bindingpolicies', 'wds bindings'],
    );
  });
  test('reads those of a policy that stops as a whole, because the WEC lacks a property', async () => {
    const more = [...inWds, ...conf('p', { x: 'y' }, ['c1', 'c2']), template('p', 'region')];
    const all = [...works, work('p', 'c1'), work('p', 'c2')];
    const { rows, ofWorks } = await read(more, all, [change('c3', {}, { labels: { x: 'y' } })]);
    assert.deepEqual(rows, [
      'blocked ConfigMap p on c3',
      'removed ConfigMap p on c1',
      'removed ConfigMap p on c2',
    ]);
    const ofPolicy =
      'its manifestworks transport.kubestellar.io/originWdsName=wds1,transport.kubestellar.io/originOwnerReferenceBindingKey in (p) metadata';
    assert.deepEqual(ofWorks, [
      'its manifestworks c3',
      others,
      ofPolicy,
      'its manifestworks c1',
      'its manifestworks c2',
    ]);
    const { rows: given } = await read(more, all, [
      change('c3', {}, { labels: { x: 'y', region: 'eu' } }),
    ]);
    assert.deepEqual(given, ['added ConfigMap p on c3']);
  });
  test('reads those of a policy whose Binding lists nothing', async () => {
    const empty = binding('e', { destinations: ['c2'] });
    const policy = { kind: 'BindingPolicy', metadata: { name: 'e' }, spec: {} };
    const { forecast } = await read(
      [policy, empty],
      [work('e', 'c2')],
      [change('c3', {}, { labels: { x: 'y' } })],
    );
    assert.deepEqual(unforeseenIn(forecast), [
      'the Binding of e (wds1) lists nothing, and works of it are on c2',
    ]);
  });
  test('reads all mailboxes with one list if many WECs change', async () => {
    const some = many
      .slice(0, 20)
      .map((name) => change(name, { 'a/env': 'prod' }, { labels: { 'a/env': null } }));
    const { rows, ofWorks } = await read(inWds, works, some);
    assert.equal(rows.length, 20);
    assert.deepEqual(ofWorks, ['its manifestworks', others]);
  });
});

test('what cannot be read is unknown: works, policies, or the objects of one that starts', async () => {
  const inWds = [...conf('p', { x: 'y' }, ['c1']), template('p', 'region')];
  const labelled = change('c3', {}, { labels: { x: 'y', region: 'eu' } });
  const unread = async (broken: RegExp, ...works: KubeObject[]) =>
    (await read(inWds, works, [labelled], { broken })).forecast.unread.map(({ wds: of }) => of);
  assert.deepEqual(await unread(/nothing/), []);
  assert.deepEqual(await unread(/manifestworks c3/), ['all WDSes']);
  assert.deepEqual(await unread(/notin/), ['all WDSes']);
  assert.deepEqual(await unread(/wds bindings/), ['wds1']);
  assert.deepEqual(await unread(/wds configmaps/), ['wds1']);
  assert.deepEqual(await unread(/nothing/, workOf('p', 'wds1', 'c3', uidOf('x'))), ['wds1']);
  assert.deepEqual(await unread(/nothing/, workOf('p', 'team2', 'c9')), ['team2']);
});

test('objects of somebody else on a WEC that starts to be selected would be overwritten', async () => {
  const present = (owner?: string) =>
    new MemoryCluster([
      {
        kind: 'configmaps',
        metadata: {
          ...{ name: 'p', namespace: 'conf' },
          ...(owner && { ownerReferences: [{ apiVersion: 'v1', kind: owner, name: 'x' }] }),
        },
      },
    ]).kube;
  const inWds = [...conf('p', { x: 'y' }, ['c1']), template('p', 'x')];
  const judged = async (lookOn: LookOn) =>
    (await read(inWds, [], [change('c3', {}, { labels: { x: 'y' } })], { lookOn })).rows;
  assert.deepEqual(await judged(async () => present()), ['taken-over ConfigMap p on c3']);
  const added = ['added ConfigMap p on c3'];
  assert.deepEqual(await judged(async () => present('AppliedManifestWork')), added);
  assert.deepEqual(await judged(async () => undefined), added);
  const refused: LookOn = () => Promise.reject(new StellarError('context-unknown', 'No context.'));
  assert.deepEqual(await judged(refused), added);
});
