/**
 * A process with a bed of one plane, for pool.long.test.ts: it leaves objects of many kinds there, tells what the plane is, and ends
 * as it is told: `stop` (the bed first), `kill` (without a word), `break` (its servers die first).
 */
import { startBed } from '../bed.ts';
import { apply } from '../kube/apply.ts';
import { configMaps, customResourceDefinitions, namespaces } from '../kube/resources.ts';
import { managedCrds } from '../ocm/crds.ts';

const bed = await startBed({ planes: [{ name: 'its1', clusterInfo: true }] });
const plane = bed.plane('its1');
const uid = (await plane.admin.get(namespaces, 'kube-system')).metadata.uid;
const { items } = await plane.admin.list(customResourceDefinitions);
const found = (await plane.admin.list(namespaces)).items.map(({ metadata }) => metadata.name);

for (const crd of await managedCrds()) await apply(plane.admin, crd);
await plane.admin.create(namespaces, { metadata: { name: 'left', finalizers: ['example.com/kept'] } });
await plane.admin.create(configMaps, {
  metadata: { name: 'left', namespace: 'left', finalizers: ['example.com/kept'] },
});
await plane.admin.delete(configMaps, 'left/left');

process.send?.({ uid, found, crds: items.length, pids: plane.pids, entry: plane.kubeconfigEntry });
process.once('message', async (end) => {
  if (end === 'break') process.kill(plane.pids.etcd ?? 0, 'SIGKILL');
  if (end !== 'kill') await bed.stop();
  process.exit();
});
