import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { type Bed, registrationFaults, spaceFaults, startBed } from '../../../testbed/index.ts';
import { cliOf, needsRenewed } from './doctor-runs.ts';
import { registrationTrials, spaceTrials, type Trial } from './doctor-trials.ts';
import { furtherFaults, furtherTrials } from './further-faults.ts';
import { Cli } from './harness.ts';
import { type Walk, type WalkedFault, walkFault } from './printed-steps.ts';

const done: Walk[] = [];

/** TEST_WALKS names a folder that keeps what each walk has printed. */
const kept = process.env.TEST_WALKS;

async function told(test: TestContext, cli: Cli, fault: WalkedFault) {
  const walks = await walkFault(cli, fault);
  done.push(...walks);
  for (const [index, { opening, typed, end, why, all }] of walks.entries()) {
    test.diagnostic(
      [fault.trial.fault, opening, typed.join('; ') || 'nothing to type', end, why].join(' | '),
    );
    if (kept)
      writeFileSync(
        path.join(kept, `${fault.trial.fault}.${index}`),
        `${all}\n=== ${end} ${why}\n`,
      );
  }
  for (const { end, why, all } of walks) assert.notEqual(end, 'FAILED', `${why}\n${all}`);
}

type RegistrationFault = (typeof registrationFaults)[number];

/** Walks the faults of a registration, those of different WECs in parallel. */
export function walkRegistrationFaults(
  wecs: readonly string[],
  isWalked = (_fault: string) => true,
): void {
  let bed: Bed;
  let cli: Cli;

  before(async () => {
    bed = await startBed({
      planes: [{ name: 'its1', hub: true }, ...wecs.map((name) => ({ name }))],
    });
    cli = await Cli.create(bed.kubeconfig);
  });

  after(async () => {
    await cli?.remove();
    await bed?.stop();
  });

  const test = ({ id, arrange }: RegistrationFault, wec: string) =>
    it(id, async (context) => {
      const trial = [...registrationTrials, ...furtherTrials].find(({ fault }) => fault === id);
      assert.ok(trial, `${id} has no trial`);
      const line = ['--its', 'its1', `${wec}=${wec}`];
      const openings = [
        `stellarctl doctor ${line.join(' ')}`,
        `stellarctl wec get ${wec}=${wec} --its its1`,
      ];
      // The operator's kubeconfig has the new authority already.
      const own = needsRenewed(trial) ? await cliOf(bed, 'its1', { renewed: true }) : cli;
      await told(context, own, { trial, arrange: () => arrange(bed, wec), wec, line, openings });
    });

  const rows = [...registrationFaults, ...furtherFaults(() => cli)].filter(({ id }) =>
    isWalked(id),
  );
  const own = rows.filter(({ isHubs }) => !isHubs);
  describe('of one WEC', { concurrency: true }, () => {
    for (const [at, wec] of wecs.entries())
      describe(wec, { concurrency: 1 }, () => {
        for (const row of own.filter((_, index) => index % wecs.length === at)) test(row, wec);
      });
  });

  describe('of the hub', { concurrency: 1 }, () => {
    for (const row of rows.filter(({ isHubs }) => isHubs)) test(row, wecs[0] ?? '');
  });
}

/** Walks the faults of a hosting cluster and its spaces. */
export function walkSpaceFaults(isWalked = (_fault: string) => true): void {
  let bed: Bed;
  let cli: Cli;

  before(async () => {
    const planes = [
      { name: 'hosting', ingress: true },
      { name: 'ext', clusterInfo: true },
      { name: 'cluster1' },
    ];
    bed = await startBed({ planes });
    cli = await Cli.create(bed.kubeconfig);
  });

  after(async () => {
    await cli?.remove();
    await bed?.stop();
  });

  for (const { id, arrange } of spaceFaults.filter(({ id }) => isWalked(id)))
    it(id, async (context) => {
      const known = spaceTrials.find(({ fault }) => fault === id);
      assert.ok(known, `${id} has no trial`);
      const trial: Trial = { ...known, alone: known.finds };
      const openings = ['stellarctl doctor', ...new Set(known.finds.map(openingOf))];
      await told(context, cli, { trial, arrange: () => arrange(bed), wec: '', line: [], openings });
    });
}

/** What an operator types about the subject of a finding. */
function openingOf(find: string) {
  const [, kind, name] = /^(\w+)\/(\S+)/.exec(find) ?? [];
  if (kind === 'wec') return `stellarctl wec get ${name}=${name} --its its1`;
  return kind === 'hosting' ? 'stellarctl status' : `stellarctl ${kind} get ${name}`;
}

/** How many walks there were, and how they ended. */
export function summary(): string {
  const count = (end: Walk['end']) => done.filter((each) => each.end === end).length;
  const steps = done.reduce((sum, { typed }) => sum + typed.length, 0);
  return `${done.length} walks of ${steps} steps: ${count('healed')} healed, ${count('a person decides')} left to a person, ${count('not shown')} not shown, ${count('FAILED')} failed`;
}
