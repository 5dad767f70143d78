import { setTimeout as sleep } from 'node:timers/promises';
import { doctor, find, subjectsOf, wrongIn } from './doctor-runs.ts';
import type { Trial } from './doctor-trials.ts';
import type { Cli } from './harness.ts';
import { tookTooLong, typeLine } from './workload-traps.ts';

/**
 * Follows what is printed about a fault, as a person who copies the first command of each output:
 * - A command of stellarctl or kubectl is typed as it is. One that asks for confirmation prints itself with `--yes`, which is typed
 *   too, and counts as the answer to its question: what would be lost was printed before.
 * - A command with a blank (NAME, <…>, https://…) or of another program (kind, docker) is left to the person, and so is what remains
 *   after commands that only show something: then what was printed must contain a sentence that says what the person decides.
 * - Fails: a command that is refused as wrong usage, names what does not exist, fails in kubectl, waits in vain, or is the one that
 *   printed it.
 */
export interface Walk {
  /** The command by which the operator finds the fault. */
  opening: string;
  typed: string[];
  end: 'healed' | 'a person decides' | 'not shown' | 'FAILED';
  /** The sentence by which the person decides, or what failed. */
  why: string;
  /** Everything that was printed. */
  all: string;
}

const stepsAtMost = 3;
/** Longer than what any step takes that ends, in seconds. */
const longest = 180;
/** How long the state may take to become good after a step. */
const patienceMs = 40_000;

const printed =
  /^ *(?:.*?[:?] )?((?:(?:stellarctl|kubectl|kind|k3d|docker|helm) .*?|timedatectl))(?: {3,}.*)?$/m;
/** What a person fills in. */
const blank = /(?:^|[ =])(?:<[^>]+>|[A-Z][A-Z_]{2,}\b)|…/;

/** The first command that a text offers, without what is said before and after it. */
const firstCommand = (text: string) => printed.exec(text)?.[1]?.trim();

/** Whether a command only shows something. */
const isReading = (line: string) =>
  /^kubectl (?:-\S+ \S+ )*(?:logs|describe|get|config view|auth)\b/.test(line) ||
  /^stellarctl (?:\w+ )?(?:get|list|explain|status)\b|^stellarctl doctor(?!.* --fix)/.test(line);

/** Whether two lines have the same words. */
const isSame = (one: string, other: string) =>
  one.split(' ').toSorted().join(' ') === other.split(' ').toSorted().join(' ');

/** Whether a command is left to a person. */
const isForPerson = (line: string) =>
  line !== '' && (blank.test(line) || !/^(?:stellarctl|kubectl) /.test(line));

/** Types a command, and what it asks to be confirmed. */
async function typeConfirmed(cli: Cli, line: string) {
  const run = await typeLine(cli, line, longest);
  if (!/needs confirmation, and stdin is not a terminal/.test(run.all)) return run;
  const confirmed = firstCommand(run.all.slice(run.all.indexOf('needs confirmation'))) ?? '';
  const again = await typeLine(cli, confirmed, longest);
  return { ...again, all: `${run.all}\n${again.all}` };
}

/** Why a step was wrong; undefined if it was not. */
function faultOf(line: string, { exitCode, all }: { exitCode: number; all: string }) {
  // It answers with the checks that fail.
  if (/ --raw \/(?:ready|live)z/.test(line) && all.includes('[-]')) return undefined;
  const last = all.trim().split('\n').slice(-3).join(' ⏎ ');
  // A wait that says what to do instead has not been in vain.
  if (exitCode === tookTooLong || (exitCode === 3 && firstCommand(all) === undefined))
    return `waits in vain (exit ${exitCode}): ${last}`;
  if (exitCode === 2) return `wrong usage: ${last}`;
  if (exitCode !== 0 && line.startsWith('kubectl')) return `exit ${exitCode}: ${last}`;
  if (exitCode !== 0 && /not found|does not exist|there is no(?:ne)?\b/i.test(all))
    return `names what is absent: ${last}`;
  return undefined;
}

interface Case {
  cli: Cli;
  /** ITS and WECs, as typed to doctor. */
  line: readonly string[];
  /** What doctor finds. */
  finds: readonly string[];
  trial: Pick<Trial, 'ends' | 'person'>;
}

/** What is still wrong. */
async function left({ cli, line, finds, trial }: Case) {
  const wrong = wrongIn(await doctor(cli, line));
  return trial.ends ? wrong.filter((each) => finds.includes(each)) : wrong;
}

/** Gives the state time to become good, or to need another step. @returns whether all is well */
async function isHealed(of: Case, before: readonly string[], isWaiting: boolean) {
  const began = Date.now();
  for (;;) {
    const wrong = await left(of);
    if (wrong.length === 0) return true;
    const isAnother =
      wrong[0] !== before[0] &&
      wrong.some((each) => / (request-pending|not-accepted)\b/.test(each));
    if (!isWaiting || isAnother || Date.now() - began > patienceMs) return false;
    await sleep(1000);
  }
}

/** Follows the first command that an opening prints, then the first that this prints, and so on. */
async function walk(of: Case, opening: string): Promise<Walk> {
  const { cli, trial } = of;
  const typed: string[] = [];
  let shown = (await typeLine(cli, opening)).all;
  let all = `$ ${opening}\n${shown}`;
  let next = firstCommand(shown);
  for (; typed.length < stepsAtMost; next = firstCommand(shown)) {
    if (next === undefined || typed.includes(next) || isForPerson(next)) break;
    if (isSame(next, opening))
      return {
        opening,
        typed: [...typed, next],
        end: 'FAILED',
        why: 'it is the command that printed it',
        all,
      };
    const before = await left(of);
    typed.push(next);
    const run = await typeConfirmed(cli, next);
    all += `\n$ ${next}\n${run.all}`;
    const fault = faultOf(next, run);
    if (fault !== undefined) return { opening, typed, end: 'FAILED', why: fault, all };
    if (await isHealed(of, before, !isReading(next)))
      return { opening, typed, end: 'healed', why: '', all };
    const offers = next.startsWith('stellarctl') && firstCommand(run.all) !== undefined;
    shown = offers ? run.all : (await typeLine(cli, opening)).all;
    if (!offers) all += `\n$ ${opening}\n${shown}`;
  }
  const sentence =
    all.split('\n').find((each) => trial.person?.test(each)) ??
    shown
      .split('\n')
      .find((each) => isForPerson(firstCommand(each) ?? '') && firstCommand(each) !== each.trim());
  if (sentence !== undefined)
    return { opening, typed, end: 'a person decides', why: sentence.trim(), all };
  // A view of a space has no line for everything that doctor checks.
  if (typed.length === 0 && !/^(?: *[✗!]|Next:)/m.test(shown))
    return { opening, typed, end: 'not shown', why: 'it shows nothing wrong', all };
  return {
    opening,
    typed,
    end: 'FAILED',
    why: 'not healed, and nobody is told what to decide',
    all,
  };
}

/** A fault, arranged. */
export interface WalkedFault {
  trial: Trial;
  /** How often it is arranged: a walk that changes something needs it anew for the next one. */
  arrange: () => Promise<() => Promise<void>>;
  wec: string;
  line: readonly string[];
  /** What an operator types. The first one is doctor. */
  openings: readonly string[];
}

/** Walks from each opening whose first command differs from the previous ones'. */
export async function walkFault(
  cli: Cli,
  { trial, arrange, wec, line, openings }: WalkedFault,
): Promise<Walk[]> {
  const walks: Walk[] = [];
  const firsts = new Set<string | undefined>();
  let undo: (() => Promise<void>) | undefined;
  const finds = subjectsOf(trial.finds, wec);
  try {
    for (const opening of openings) {
      const hasChanged = walks.at(-1)?.typed.some((each) => !isReading(each)) ?? true;
      if (hasChanged) {
        await undo?.();
        undo = undefined;
        undo = await arrange();
        await find(cli, finds, line);
      }
      const first = firstCommand((await typeLine(cli, opening)).all);
      if (first !== undefined && firsts.has(first)) continue;
      firsts.add(first);
      walks.push(await walk({ cli, line, finds, trial }, opening));
    }
    return walks;
  } finally {
    await undo?.();
  }
}
