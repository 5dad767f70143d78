/**
 * Figures: `npm run bench`, or `npm run bench -- startup list` for some of them. Ratios are within one run; compare those. kubectl
 * and clusteradm take part where they are on PATH.
 */
import { type Bed, startBed } from '../../testbed/index.ts';
import { benchAcceptance } from './accept.ts';
import { benchList } from './list.ts';
import { benchRegistration } from './registration.ts';
import { benchStartup } from './startup.ts';

const benches: Record<string, (bed: Bed) => Promise<void>> = {
  startup: benchStartup,
  registration: benchRegistration,
  list: benchList,
  accept: benchAcceptance,
};
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  console.error(`There is no bench "${unknown.join(', ')}"; there are ${Object.keys(benches).join(', ')}.`);
  process.exit(2);
}

const bed = await startBed({
  planes: [{ name: 'its1', hub: true }, { name: 'cluster1' }],
  log: (line) => console.error(line),
});
try {
  for (const [name, bench] of Object.entries(benches))
    if (wanted.length === 0 || wanted.includes(name)) await bench(bed);
} finally {
  await bed.stop();
}
