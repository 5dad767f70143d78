import '../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  originBindingLabel,
  originWdsLabel,
} from '../../../../src/lib/ocm/model/kubestellar-names.ts';
import { senderOf } from '../../../../src/lib/ocm/sender.ts';
import { MemoryCluster } from '../../support/space-builders.ts';

const uid = '6f9619ff-8b86-4d01-b42d-00c04fc964ff';
const binding = { kind: 'Binding', metadata: { name: 'shop', uid } };

/** @param work the name of a work of a WDS wds9 */
const senderAmong = (wds: { name: string; sender?: string }, work: string, objects = [binding]) => {
  const labels = { [originWdsLabel]: 'wds9', [originBindingLabel]: 'shop' };
  const its = new MemoryCluster([{ kind: 'ManifestWork', metadata: { name: work, labels } }]).kube;
  return senderOf({ ...wds, isContext: true, kube: new MemoryCluster(objects).kube }, its);
};

describe('a WDS that nothing marks', () => {
  test('sends by the name in the works of its Bindings', async () =>
    assert.equal(await senderAmong({ name: 'admin@wds1' }, `${uid}-wds9-1`), 'wds9'));
  test('has no works if its name is none that works can carry', async () => {
    assert.equal(await senderAmong({ name: 'admin@wds1' }, 'shop-wds9-1'), '');
    assert.equal(await senderAmong({ name: 'admin@wds1' }, `${uid}-wds9-1`, []), '');
  });
  test('is asked again while no work has shown its name, and then no more', async () => {
    const its = new MemoryCluster();
    const wds = { name: 'admin@wds1', isContext: true, kube: new MemoryCluster([binding]).kube };
    assert.equal(await senderOf(wds, its.kube), '');
    const labels = { [originWdsLabel]: 'wds9', [originBindingLabel]: 'shop' };
    its.objects.push({ kind: 'ManifestWork', metadata: { name: `${uid}-wds9-1`, labels } });
    assert.equal(await senderOf(wds, its.kube), 'wds9');
    its.objects.pop();
    assert.equal(await senderOf(wds, its.kube), 'wds9');
  });
  test('sends by its own name if no work says another', async () =>
    assert.equal(await senderAmong({ name: 'wds1' }, 'shop-wds9-1'), 'wds1'));
});

test('the mark of a context says by which name its WDS sends', async () =>
  assert.equal(await senderAmong({ name: 'admin@wds1', sender: 'wds1' }, `${uid}-wds9-1`), 'wds1'));
