import { after } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { type Bed, type Plane, startBed, wipePlane } from '../../../testbed/index.ts';
import { Cli } from './harness.ts';
import { contextsOf } from './registration.ts';

type PlaneSpec = Parameters<typeof startBed>[0]['planes'][number];

let bed: Bed | undefined;
/** What its planes were asked for as. */
const made = new Map<string, PlaneSpec>();
let isKept = false;

/**
 * A bed that has these planes. The runner runs some files in one process, one after the other (scripts/together.ts): there it is the same
 * bed, whose planes may be more, and are as if nothing had been registered.
 */
export async function enterBed(planes: readonly PlaneSpec[]): Promise<Bed> {
  const other = planes.find((spec) => !isDeepStrictEqual(made.get(spec.name) ?? spec, spec));
  if (other)
    throw new Error(
      `the shared bed has another ${other.name}: ${JSON.stringify(made.get(other.name))}`,
    );
  bed ??= await startBed({ planes: [], hasNewerOcm: true });
  const entered = bed;
  const missing = planes.filter(({ name }) => !made.has(name));
  for (const spec of missing) made.set(spec.name, spec);
  if (missing.length > 0) await entered.addPlanes(missing);
  await Promise.all(entered.planes.map((plane) => plane.markAudit()));
  return entered;
}

/** A bed with planes of these names, of which those of ITSes are hubs, and a command line with their contexts. */
export async function enterPlanes<const Names extends readonly string[]>(...names: Names) {
  const entered = await enterBed(
    names.map((name) => (name.startsWith('its') ? { name, hub: true } : { name })),
  );
  const planes = names.map((name) => entered.plane(name));
  const cli = await Cli.create(await contextsOf(...(planes as [Plane])));
  return { bed: entered, planes: planes as { [Key in keyof Names]: Plane }, cli };
}

/** Removes what a file has of its own, and ends the bed, or cleans it for the next file of this process. */
export async function leaveBed(own?: { remove(): Promise<void> }): Promise<void> {
  await own?.remove();
  if (!isKept) return endBed();
  await bed?.mend();
  for (const plane of bed?.planes ?? []) await wipePlane(plane);
}

async function endBed() {
  await bed?.stop();
  bed = undefined;
  made.clear();
}

/** For scripts/together.ts: the bed ends with the last of several files. */
export function keepBed(): void {
  isKept = true;
  after(endBed);
}
