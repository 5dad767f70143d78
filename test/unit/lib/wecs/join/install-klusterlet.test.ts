import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../../../../src/lib/kube/client/objects.ts';
import type { Klusterlet } from '../../../../../src/lib/ocm/model/ocm-objects.ts';
import { writeKlusterlet } from '../../../../../src/lib/wecs/join/install-klusterlet.ts';
import { fakeKube, run } from '../../../support/builders.ts';

const published = `clusters: [{ name: '', cluster: { server: 'https://c1-control-plane:6443' } }]`;

test('the Klusterlet has the address that its cluster publishes, and one that exists keeps its own', async () => {
  const written = async (present: KubeObject | undefined, info = published) => {
    let klusterlet: Klusterlet | undefined;
    const kube = fakeKube({
      get: async ({ kind }) => {
        if (kind === 'Klusterlet') return present;
        if (kind === 'ConfigMap') return { data: { kubeconfig: info } };
        return { status: { conditions: [{ type: 'Established', status: 'True' }] } };
      },
      read: async () => ({}),
    });
    const settings = {
      clusterName: 'c1',
      mode: 'Singleton',
      imageRegistry: 'r',
      tag: 'v1',
    } as const;
    const apply = async (object: KubeObject) => {
      klusterlet = object;
    };
    await writeKlusterlet({ kube, settings, apply }, run());
    return klusterlet?.spec?.externalServerURLs;
  };
  const others = [{ url: 'https://other:6443' }];
  const klusterlet = (spec: object) => ({ metadata: { name: 'klusterlet' }, spec }) as KubeObject;
  assert.deepEqual(await written(undefined), [{ url: 'https://c1-control-plane:6443' }]);
  assert.equal(await written(undefined, 'clusters: []'), undefined);
  assert.equal(await written(klusterlet({})), undefined);
  assert.deepEqual(await written(klusterlet({ externalServerURLs: others })), others);
});
