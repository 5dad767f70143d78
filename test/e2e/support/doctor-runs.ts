import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import {
  type Bed,
  type registrationFaults,
  until,
  writeKubeconfig,
} from '../../../testbed/index.ts';
import { caFile, type Trial } from './doctor-trials.ts';
import { type Finding, isWrong } from './findings.ts';
import { Cli } from './harness.ts';
import { otherAuthorityOf, trustingOther } from './registration.ts';
import { commandIn } from './workload-traps.ts';

/** Everything wrong, as `wec/cluster1 wec-nodes pod-unschedulable`. */
export const wrongIn = (found: readonly Finding[]) =>
  found
    .filter(isWrong)
    .flatMap(({ id, subjects, code }) => subjects.map((subject) => `${subject} ${id} ${code}`));

/** The findings of a trial with their subjects, if it does not name them. */
export const subjectsOf = (finds: readonly string[], wec: string) =>
  finds.map((find) =>
    find.includes('/') ? find : `${find.startsWith('its-') ? 'its/its1' : `wec/${wec}`} ${find}`,
  );

/**
 * A command line whose current context is that of a hub.
 * @param options.renewed whether the kubeconfig has the authority that the hub uses during the fault `certificate`, and that alone
 */
export async function cliOf(bed: Bed, hub: string, { renewed = false } = {}): Promise<Cli> {
  const plane = bed.plane(hub);
  const current = renewed ? trustingOther(plane) : plane.kubeconfigEntry;
  const others = bed.planes
    .filter(({ name }) => name !== hub)
    .map(({ kubeconfigEntry }) => kubeconfigEntry);
  const cli = await Cli.create(await writeKubeconfig(plane, [current, ...others]));
  await writeFile(path.join(cli.home, caFile), otherAuthorityOf(plane));
  return cli;
}

/** Whether the user of a trial has a kubeconfig with the hub's new authority. */
export const needsRenewed = ({ heals }: Pick<Trial, 'heals'>) => heals?.includes(caFile) ?? false;

/** Runs doctor. @param line the ITS and WECs, as typed */
export async function doctor(cli: Cli, line: readonly string[]): Promise<Finding[]> {
  const run = await cli.run(['doctor', ...line, '-o', 'json']);
  return (run.json() as { items: Finding[] }).items;
}

/** How long doctor may take to find the fault: some show only after a while, for example a signer that does not sign. */
const patienceMs = 45_000;

/** Runs doctor until it finds exactly that. @returns its last findings; seconds until then, and of the last run */
export async function find(cli: Cli, finds: readonly string[], line: readonly string[]) {
  const began = Date.now();
  for (;;) {
    const started = Date.now();
    const found = await doctor(cli, line);
    const now = Date.now();
    const isFound = wrongIn(found).join() === finds.join();
    if (isFound || now - began > patienceMs)
      return { found, isFound, after: (now - began) / 1000, took: (now - started) / 1000 };
  }
}

/** The command that a finding offers first, without the text before and after it. */
const typedOf = ({ command, steps: [first = ''] = [] }: Finding) => commandIn([command ?? first]);

/** How often doctor may be rerun: a denied request is deleted first, and the next one accepted then. */
const stepsAtMost = 3;

/** Runs the commands that doctor offers, unchanged, until nothing is wrong. @returns the commands */
async function heal(
  cli: Cli,
  { heals = [], ends }: Pick<Trial, 'heals' | 'ends'>,
  line: readonly string[],
) {
  const typed: string[] = [];
  for (let step = 0; step < stepsAtMost; step += 1) {
    const [first] = (await doctor(cli, line)).filter(isWrong);
    if (first === undefined) return typed;
    const text = typedOf(first);
    const [program = '', ...words] = text.split(' ');
    typed.push(text);
    const added = heals.map((word) => (word === caFile ? path.join(cli.home, word) : word));
    if (program === 'stellarctl') await cli.succeed([...words, ...added]);
    else if (program === 'kubectl') await execa(text, { shell: true, env: cli.environment() });
    else throw new Error(`"${text}" is no command`);
    if (ends) return typed;
    const began = Date.now();
    // A decision is the next step at once; everything else gets time to recover.
    await until(
      async () => {
        const [next] = (await doctor(cli, line)).filter(isWrong);
        const isStep =
          next?.code !== first.code &&
          ['request-pending', 'not-accepted'].includes(next?.code ?? '');
        return next === undefined || isStep || Date.now() - began > 150_000;
      },
      `what doctor finds after ${typed.join(', ')}`,
    );
  }
  const left = wrongIn(await doctor(cli, line));
  if (left.length > 0) throw new Error(`${left.join('; ')} after ${typed.join('; ')}`);
  return typed;
}

/** The result of a trial. */
export interface Result {
  fault: string;
  /** Seconds: to cause the fault, until doctor found it, and of the doctor run. */
  seconds: { arranged: number; after: number; took: number };
  found: string[];
  isFound: boolean;
  /** The findings without the WEC's context. */
  alone: string[];
  isFoundAlone: boolean;
  /** The command that repaired the subject, or the words by which the user decides. */
  helped: string;
  trouble: string;
}

type Row = Pick<(typeof registrationFaults)[number], 'id'> & {
  arrange: () => Promise<() => Promise<void>>;
};

/** Causes a fault, and has doctor find and repair it. */
export async function tryFault(
  cli: Cli,
  row: Row,
  trial: Trial,
  of: { wec: string; both: string[]; hub: string[] },
) {
  const result: Result = {
    ...{
      fault: trial.fault,
      seconds: { arranged: 0, after: 0, took: 0 },
      found: [],
      isFound: false,
    },
    ...{ alone: [], isFoundAlone: false, helped: '', trouble: '' },
  };
  const began = Date.now();
  const undo = await row.arrange();
  result.seconds.arranged = (Date.now() - began) / 1000;
  try {
    const { found, isFound, after, took } = await find(
      cli,
      subjectsOf(trial.finds, of.wec),
      of.both,
    );
    Object.assign(result, { found: wrongIn(found), isFound });
    Object.assign(result.seconds, { after, took });
    const alone = wrongIn(await doctor(cli, of.hub));
    Object.assign(result, {
      alone,
      isFoundAlone: alone.join() === subjectsOf(trial.alone, of.wec).join(),
    });
    const said = found
      .filter(isWrong)
      .map(({ cause, steps = [] }) => [cause, ...steps].join(' '))
      .join(' ');
    if (trial.person !== undefined) result.helped = trial.person.exec(said)?.[0] ?? '';
    else result.helped = isFound ? (await heal(cli, trial, of.both)).join('; ') : '';
  } catch (error) {
    result.trouble = (error as Error).message;
  } finally {
    await undo();
  }
  return result;
}
