/**
 * Benchmarks: `npm run bench`, or `npm run bench -- startup list` for some of them. Ratios are within one run; compare those.
 * kubectl and clusteradm are included if they are on PATH.
 */
import { type Bed, startBed } from '../../testbed/index.ts';
import { benchAcceptance } from './accept.ts';
import { benchDoctor } from './doctor.ts';
import { benchDoctorMany } from './doctor-many.ts';
import { benchForecast } from './forecast.ts';
import { collectShortfalls } from './goals.ts';
import { benchList } from './list.ts';
import { benchMany } from './many.ts';
import { benchRegistration } from './registration.ts';
import { benchRehearsal } from './rehearsal.ts';
import { benchStartup } from './startup.ts';
import { benchWaits } from './waits.ts';
import { benchWorkloads } from './workloads.ts';

const benches: Record<string, (bed: Bed) => Promise<void>> = {
  list: benchList,
  accept: benchAcceptance,
};
/** These have their own test beds. */
const alone: Record<string, () => Promise<void>> = {
  forecast: benchForecast,
  registration: benchRegistration,
  rehearsal: benchRehearsal,
  startup: benchStartup,
  many: benchMany,
  doctor: async () => void (await benchDoctor()),
  'doctor-many': benchDoctorMany,
  workloads: benchWorkloads,
  waits: benchWaits,
};
const names = [...Object.keys(benches), ...Object.keys(alone)];
const wanted = process.argv.length > 2 ? process.argv.slice(2) : names;
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`There is no bench "${unknown.join(', ')}"; there are ${names.join(', ')}.`);
  process.exit(2);
}

const tellShortfalls = collectShortfalls();
try {
  const chosen = Object.entries(benches).filter(([name]) => wanted.includes(name));
  if (chosen.length > 0) {
    const bed = await startBed({
      planes: [{ name: 'its1', hub: true }, { name: 'cluster1' }],
      log: (line) => console.error(line),
    });
    try {
      for (const [, bench] of chosen) await bench(bed);
    } finally {
      await bed.stop();
    }
  }
  for (const [name, bench] of Object.entries(alone)) if (wanted.includes(name)) await bench();
} finally {
  tellShortfalls();
}
