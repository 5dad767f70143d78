import { type Bed, registrationFaults, spaceFaults, startBed } from '../../testbed/index.ts';
import {
  cliOf,
  find,
  needsRenewed,
  type Result,
  tryFault,
  wrongIn,
} from '../e2e/support/doctor-runs.ts';
import {
  pairTrials,
  registrationTrials,
  spaceTrials,
  type Trial,
} from '../e2e/support/doctor-trials.ts';
import type { Cli } from '../e2e/support/harness.ts';
import { atMost, expected } from './goals.ts';

const wecs = ['cluster1', 'cluster2'] as const;

/** FAULTS limits the run: the beginnings of names, separated by commas. */
const wanted = (process.env.FAULTS ?? '').split(',');
const isWanted = (fault: string) => wanted.some((start) => fault.startsWith(start));

/** How long a run of doctor may take on two idle cores, in seconds. */
const longest = 15;

/** The faults that were not found, or that could not be repaired, or not tried. */
const failed: string[] = [];

function fail(fault: string, why: string) {
  failed.push(`${fault}: ${why}`);
  expected(`doctor, ${fault}`, false, 'found and repaired', why);
}

/**
 * The whole table of faults through doctor: found or not, seconds to the verdict, and what repairs it.
 * @returns the faults that are not as they must be
 */
export async function benchDoctor(): Promise<string[]> {
  await ofRegistrations();
  await ofSpaces();
  return failed;
}

async function ofRegistrations() {
  const rows = registrationFaults.filter(({ id }) => isWanted(id));
  const pairs = pairTrials.filter(({ faults }) => isWanted(`pair-${faults[0]?.[0]}`));
  if (rows.length + pairs.length === 0) return;
  const bed = await startBed({
    planes: [{ name: 'its1', hub: true }, ...wecs.map((name) => ({ name }))],
  });
  const cli = await cliOf(bed, 'its1');
  const one = async ({ id, arrange }: (typeof rows)[number], wec: string) => {
    const trial = registrationTrials.find(({ fault }) => fault === id) ?? {
      fault: id,
      finds: [],
      alone: [],
    };
    const lines = {
      wec,
      both: ['--its', 'its1', `${wec}=${wec}`],
      hub: ['--its', 'its1', wec, '--wec-kubeconfig', '/dev/null'],
    };
    const user = needsRenewed(trial) ? await cliOf(bed, 'its1', { renewed: true }) : cli;
    await told(trial, () => tryFault(user, { id, arrange: () => arrange(bed, wec) }, trial, lines));
  };
  try {
    const own = rows.filter(({ isHubs }) => !isHubs).values();
    await Promise.all(
      wecs.map(async (wec) => {
        for (const row of own) await one(row, wec);
      }),
    );
    for (const row of rows.filter(({ isHubs }) => isHubs)) await one(row, wecs[0]);
    for (const pair of pairs) await tryPair(bed, cli, pair);
  } finally {
    await cli.remove();
    await bed.stop();
  }
}

async function tryPair(bed: Bed, cli: Cli, { faults, finds }: (typeof pairTrials)[number]) {
  const undo: (() => Promise<void>)[] = [];
  const names = faults.map(([fault]) => fault).join(' + ');
  try {
    for (const [fault, wec] of faults) {
      const row = registrationFaults.find(({ id }) => id === fault);
      if (row !== undefined) undo.unshift(await row.arrange(bed, wec));
    }
    const named = new Set(faults.map(([, wec]) => `${wec}=${wec}`));
    const { found, isFound, after } = await find(cli, finds, ['--its', 'its1', ...named]);
    console.log(
      `${isFound ? 'found' : 'NOT FOUND'} | ${names} | ${after.toFixed(1)} s | ${wrongIn(found).join('; ')}`,
    );
    if (!isFound) fail(names, `not found: ${wrongIn(found).join('; ')}`);
  } catch (error) {
    console.log(`TROUBLE | ${names} | ${(error as Error).message}`);
    fail(names, (error as Error).message);
  }
  for (const back of undo) await back();
}

async function ofSpaces() {
  const rows = spaceFaults.filter(({ id }) => isWanted(id));
  if (rows.length === 0) return;
  const planes = [
    { name: 'hosting', ingress: true },
    { name: 'ext', clusterInfo: true },
    { name: 'cluster1' },
  ];
  const bed = await startBed({ planes });
  const cli = await cliOf(bed, 'hosting');
  try {
    for (const { id, arrange } of rows) {
      const known = spaceTrials.find(({ fault }) => fault === id) ?? { fault: id, finds: [] };
      const trial = { ...known, alone: known.finds };
      await told(trial, () =>
        tryFault(cli, { id, arrange: () => arrange(bed) }, trial, { wec: '', both: [], hub: [] }),
      );
    }
  } finally {
    await cli.remove();
    await bed.stop();
  }
}

async function told(trial: Trial, run: () => Promise<Result>) {
  const result = await run().catch((error: Error) => error);
  if (result instanceof Error) {
    console.log(`TROUBLE | ${trial.fault} | ${result.message}`);
    fail(trial.fault, result.message);
    return;
  }
  const { fault, isFound, seconds, found, alone, isFoundAlone, helped, trouble } = result;
  const cells = [
    isFound ? 'found' : 'NOT FOUND',
    fault,
    `${seconds.after.toFixed(1)} s (doctor ${seconds.took.toFixed(1)} s, arranged ${seconds.arranged.toFixed(0)} s)`,
    found.join('; '),
    `hub alone${isFoundAlone ? '' : ' UNEXPECTED'}: ${alone.join('; ') || 'nothing'}`,
    `${trial.heals === undefined ? 'a person' : 'healed'}: ${helped || 'NOTHING'}`,
    ...(trouble === '' ? [] : [`TROUBLE ${trouble.slice(0, 600)}`]),
  ];
  console.log(cells.join(' | '));
  if (!isFound || !isFoundAlone)
    fail(fault, `not found${isFound ? ' by the hub alone' : ''}: ${found.join('; ')}`);
  if (trouble !== '') fail(fault, trouble.slice(0, 600));
  atMost(`doctor, ${fault}`, seconds.took, longest, 's');
}
