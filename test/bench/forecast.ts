/** The cost of a forecast, without the readings: 1,000 objects on 300 WECs. */
import { performance } from 'node:perf_hooks';
import type { Change } from '../../src/lib/forecast/change.ts';
import { forecast } from '../../src/lib/forecast/forecast.ts';
import { boundView, type SentWork, type World } from '../../src/lib/forecast/world.ts';
import { atMost } from './goals.ts';

const uid = '8aea660d-0b0f-4114-8b4f-000000000000';
const policy = { wds: 'wds1', name: 'p' };
const wecs = Array.from({ length: 300 }, (_, index) => `w${index}`);
const views = Array.from({ length: 1000 }, (_, index) =>
  boundView({ resource: 'configmaps', namespace: 'ns', name: `o${index}` }, 'ConfigMap'),
);

const workOn = (wec: string, { object }: (typeof views)[number]): SentWork => ({
  wec,
  name: `${uid}-wds1-${object.name}`,
  uid: `${wec}-${object.name}`,
  origin: { wds: policy.wds, binding: policy.name, wec, bindingUid: uid },
  isOrphan: false,
  isLeaving: false,
  objects: [{ ...object, isApplied: true }],
});

const world: World = {
  policies: [
    {
      ...{ ...policy, context: undefined, orphaned: false, isFresh: false, bound: views },
      clusterSelectors: [{ matchLabels: { env: 'prod' } }],
      binding: {
        metadata: { name: policy.name, uid },
        spec: {
          destinations: wecs.map((clusterId) => ({ clusterId })),
          workload: { namespaceScope: views.map(({ of }) => of) },
        },
      },
    },
  ],
  works: new Map(wecs.map((wec) => [wec, views.map((view) => workOn(wec, view))])),
  foreign: [],
  unread: [],
};

const changes: Record<string, Change> = {
  'a label of all WECs': {
    wecs: wecs.map((name) => ({
      ...{ name, before: { env: 'prod' }, after: {}, wasAccepted: true, isAccepted: true },
      ...{ has: [], lacks: [], stale: [] },
    })),
  },
  'a policy with half of its objects': {
    policies: [
      {
        ...policy,
        after: {
          wecs: wecs.map((name) => ({ name, isAccepted: true })),
          objects: views.slice(0, 500),
          unread: [],
        },
      },
    ],
  },
};

export async function benchForecast(): Promise<void> {
  for (const [name, change] of Object.entries(changes)) {
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    const since = performance.now();
    const { rows } = forecast(world, change);
    const seconds = (performance.now() - since) / 1000;
    const megabytes = (process.memoryUsage().heapUsed - before) / 1e6;
    console.log(
      `forecast: ${name}   ${rows.length} rows   ${seconds.toFixed(2)} s   ${megabytes.toFixed(0)} MB`,
    );
    atMost(`forecast of ${name}`, seconds, 1, 's');
    atMost(`memory of the forecast of ${name}`, megabytes, 300, 'MB');
  }
}
