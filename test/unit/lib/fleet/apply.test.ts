import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ForeseenWork,
  takenByPlan,
  writeObject,
  writeValues,
} from '../../../../src/lib/fleet/apply.ts';
import type { FleetWec } from '../../../../src/lib/fleet/fleet-file.ts';
import type { WecPlan } from '../../../../src/lib/fleet/plan.ts';
import { noForecast } from '../../../../src/lib/forecast/read-forecast.ts';
import { apiError } from '../../../../src/lib/kube/client/errors.ts';
import { type KubeObject, resources } from '../../../../src/lib/kube/client/objects.ts';
import { foreseenKube } from '../../support/builders.ts';
import { MemoryCluster } from '../../support/space-builders.ts';

const wanted = {
  metadata: { name: 'c1', namespace: 'customization-properties' },
  data: { maxPods: '100' },
};

/** Writes the properties of a WEC that was seen to have none. @param isTaken another program has created them since */
async function written(isTaken: boolean) {
  const { kube } = new MemoryCluster([]);
  const writes: unknown[] = [];
  Object.assign(kube, {
    create: async (_: unknown, { metadata, ...rest }: KubeObject & { data?: object }) => {
      if (isTaken) throw apiError(kube.cluster, 409, '{"message":"exists"}');
      writes.push(['create', 'data' in rest]);
      return { metadata: { ...metadata, uid: 'u', resourceVersion: '7' } };
    },
    applyAs: async (manager: string, { metadata }: KubeObject) =>
      writes.push([manager, metadata.uid, metadata.resourceVersion]),
  });
  const writing = writeObject(foreseenKube(kube), 'prod', undefined, {
    resource: resources.propertyConfigMaps,
    removed: {},
    wanted,
  });
  return [
    await writing.then(
      () => 'written',
      ({ code }) => code,
    ),
    writes,
  ];
}

test('properties that were not there are created without values, and then applied to that very object', async () => {
  assert.deepEqual(await written(false), [
    'written',
    [
      ['create', false],
      ['stellarctl-fleet-prod', 'u', '7'],
    ],
  ]);
});

test('properties that another program has created meanwhile are not overwritten', async () => {
  assert.deepEqual(await written(true), ['conflict', []]);
});

test('properties are added before labels, and removed after them', async () => {
  const manager = 'stellarctl-fleet-prod';
  const owned = (fields: object) => [{ manager, fieldsV1: fields }];
  const cluster = {
    metadata: {
      ...{ name: 'c1', uid: 'u', resourceVersion: '1', labels: { env: 'prod' } },
      managedFields: owned({ 'f:metadata': { 'f:labels': { 'f:env': {} } } }),
    },
  };
  const configMap = {
    metadata: {
      ...{ name: 'c1', resourceVersion: '1' },
      managedFields: owned({ 'f:data': { 'f:old': {} } }),
    },
    data: { old: 'x' },
  };
  const writesOf = async (labels: Record<string, string>, properties: Record<string, string>) => {
    const { kube } = new MemoryCluster([]);
    const writes: string[] = [];
    const note = (verb: string, kind = '', body: object = {}) => {
      const { data, metadata } = body as Partial<typeof configMap & typeof cluster>;
      writes.push(`${verb} ${kind} ${JSON.stringify(data ?? metadata?.labels)}`);
      return { metadata: { name: 'c1', resourceVersion: '2' } };
    };
    Object.assign(kube, {
      merge: async ({ kind }: { kind: string }, _: string, patch: object) =>
        note('merge', kind, patch),
      applyAs: async (_: string, object: KubeObject) => note('apply', object.kind, object),
    });
    const wec = { name: 'c1', labels, annotations: {}, properties } as unknown as FleetWec;
    const work = { fleet: { name: 'prod' }, options: {}, its: { kube }, effects: noForecast };
    await writeValues(work as unknown as ForeseenWork, wec, {
      clusters: new Map([['c1', cluster]]),
      properties: new Map([['c1', configMap]]),
    });
    return writes;
  };
  const { env } = cluster.metadata.labels;
  assert.deepEqual(await writesOf({ env, tier: 'web' }, { old: 'x', region: 'eu' }), [
    'apply ConfigMap {"old":"x","region":"eu"}',
    'apply ManagedCluster {"env":"prod","tier":"web"}',
  ]);
  assert.deepEqual(await writesOf({}, { region: 'eu' }), [
    'apply ConfigMap {"old":"x","region":"eu"}',
    'merge ManagedCluster {"env":null}',
    'apply ManagedCluster {}',
    'merge ConfigMap {"old":null}',
    'apply ConfigMap {"region":"eu"}',
  ]);
  assert.deepEqual(await writesOf({ env }, {}), [
    'merge ConfigMap {"old":null}',
    'apply ConfigMap {}',
  ]);
});

test('what agents delete of another hub counts in the limit as well', () => {
  const item = { changes: [], adopts: false };
  const items: WecPlan[] = [
    { ...item, name: 'c1', action: 'unchanged', unsent: ['statefulsets.apps db'] },
    { ...item, name: 'c2', action: 'remove' },
  ];
  const taken = (evictWorks: boolean) =>
    takenByPlan({ items, effects: noForecast, evictWorks }).map(({ wec }) => wec);
  assert.deepEqual([taken(true), taken(false)], [['c1', 'c2'], ['c2']]);
});
