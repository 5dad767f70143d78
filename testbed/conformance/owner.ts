/** A process that owns a bed and does nothing else: bed.long.test.ts kills it. */
import { startBed } from '../bed.ts';

const bed = await startBed({ planes: [{ name: 'its1' }], isCopy: true });
const pids = [...bed.planes.flatMap((plane) => Object.values(plane.pids)), bed.podRunnerPid];
process.send?.({ dir: bed.dir, pids });
