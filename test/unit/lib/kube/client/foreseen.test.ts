import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noForecast } from '../../../../../src/lib/forecast/read-forecast.ts';
import { annotateCluster, foreseen } from '../../../../../src/lib/kube/client/foreseen.ts';
import { resources } from '../../../../../src/lib/kube/client/objects.ts';
import { deleteObjects, patchCurrent } from '../../../../../src/lib/kube/writes.ts';
import { fakeKube } from '../../../support/builders.ts';

test('kinds by whose writes WECs may lose workloads are written with a forecast only', async () => {
  const written: string[] = [];
  const note = async (...[, name]: [object, string, ...unknown[]]) => written.push(`${name}`);
  const kube = fakeKube({
    create: async () => written.push('create'),
    merge: note,
    delete: async () => written.push('delete') > 0,
  });
  const object = { metadata: { name: 'p', uid: 'u' } };
  // Each would be an error of the compiler that is not expected, if it was allowed.
  // @ts-expect-error: it takes a forecast
  await kube.create(resources.bindingPolicies, object);
  // @ts-expect-error: it takes a forecast
  await kube.merge(resources.bindingPolicies, 'p', {});
  // @ts-expect-error: it takes a forecast
  await kube.delete(resources.bindings, object);
  // @ts-expect-error: it takes a forecast
  await kube.delete(resources.manifestWorks, object);
  // @ts-expect-error: it takes a forecast
  await deleteObjects(kube, resources.manifestWorks, [object]);
  // @ts-expect-error: it takes a forecast
  await patchCurrent(kube, resources.bindings, object, () => ({ labels: {} }));
  // @ts-expect-error: it takes a forecast
  await kube.merge(resources.managedClusters, 'w', {});
  // @ts-expect-error: it takes a forecast
  await kube.delete(resources.managedClusters, object);
  // @ts-expect-error: it takes a forecast
  await kube.create(resources.propertyConfigMaps, object, { namespace: 'n' });
  // @ts-expect-error: it takes a forecast
  await kube.merge(resources.propertyConfigMaps, 'w', {}, { namespace: 'n' });
  // @ts-expect-error: it takes a forecast
  await kube.merge(resources.statusCollectors, 's', {});
  // @ts-expect-error: it takes a forecast
  await kube.merge(resources.customTransforms, 't', {});
  // @ts-expect-error: an annotation with such a key may be a property
  await annotateCluster(kube, object.metadata, 'region', 'eu');
  const anyKey: string = 'region';
  // @ts-expect-error: and so may one with any key
  await annotateCluster(kube, object.metadata, anyKey, 'eu');
  // @ts-expect-error: only `forecast` makes one
  foreseen(kube, { rows: [], starting: [], released: [], unread: [], sentTo: 0 });
  written.splice(0);
  await foreseen(kube, noForecast).merge(resources.bindingPolicies, 'p', {});
  await deleteObjects(foreseen(kube, noForecast), resources.manifestWorks, [object]);
  await kube.merge(resources.configMaps, 'c', {});
  await annotateCluster(kube, { name: 'w' }, 'stellarctl.kubestellar.io/any', 'value');
  assert.deepEqual(written, ['p', 'delete', 'c', 'w']);
});
