/**
 * `npm run bed -- [--wecs N] [--full]`: a bed for trying things by hand, until Ctrl-C. Lines of its standard input break it and repair it:
 * `fault KIND NAME=VALUE…` (the faults of faults/fault.ts), `arrange CAUSE [WEC]` (a row of their table), and `mend`.
 */
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { startBed } from './bed.ts';
import type { Fault } from './faults/fault.ts';
import { registrationFaults } from './faults/registered.ts';
import { isTrue } from './kube/conditions.ts';
import { controlPlanes } from './kube/resources.ts';
import { until } from './kube/until.ts';
import type { ControlPlane } from './kubeflex/objects.ts';
import { installKubeStellar } from './kubestellar/install.ts';

const say = (line: string) => console.error(line);

const { values } = parseArgs({
  options: { wecs: { type: 'string' }, full: { type: 'boolean', default: false } },
});
const wecs = Number(values.wecs ?? 2);
const hub = values.full ? { name: 'hosting', ingress: true } : { name: 'its1', hub: true };
const clusters = Array.from({ length: wecs }, (_, index) => ({ name: `cluster${index + 1}` }));

const bed = await startBed({ planes: [hub, ...clusters], log: say });
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  process.once(signal, () => bed.stop().finally(() => process.exit()));
if (values.full) await installSpaces();
console.log(`export KUBECONFIG=${bed.kubeconfig}`);
if (values.full) console.log('stellarctl its context its1 && stellarctl wds context wds1');

const undos: (() => Promise<void>)[] = [];
for await (const line of createInterface({ input: process.stdin }))
  await act(line.trim().split(/\s+/)).catch(({ message }: Error) => say(`✗ ${message}`));

/** KubeFlex and KubeStellar, with an ITS and a WDS that are ready. */
async function installSpaces(): Promise<void> {
  const { admin } = bed.plane('hosting');
  say('installing KubeFlex and KubeStellar');
  await installKubeStellar(bed.plane('hosting'), {
    values: { ITSes: [{ name: 'its1' }], WDSes: [{ name: 'wds1' }] },
  });
  for (const space of ['its1', 'wds1']) {
    say(`waiting for ${space}`);
    const conditions = async () =>
      (await admin.find<ControlPlane>(controlPlanes, space))?.status?.conditions;
    await until(async () => isTrue(await conditions(), 'Ready'), `${space} is ready`);
  }
}

async function act([command, about = '', ...rest]: string[]): Promise<void> {
  if (command === 'fault') {
    const fields = rest.map((word) => word.split('=', 2) as [string, string]);
    undos.push(await bed.fault({ kind: about, ...Object.fromEntries(fields) } as unknown as Fault));
  } else if (command === 'arrange') {
    const row = registrationFaults.find(({ id }) => id === about);
    if (!row)
      throw new Error(
        `no cause ${about}; there are ${registrationFaults.map(({ id }) => id).join(', ')}`,
      );
    undos.push(await row.arrange(bed, rest[0]));
  } else if (command === 'mend') for (const undo of undos.splice(0).reverse()) await undo();
  else throw new Error('type fault, arrange or mend');
  say('done');
}
