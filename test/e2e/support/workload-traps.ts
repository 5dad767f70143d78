import assert from 'node:assert/strict';
import { execa } from 'execa';
import { until } from '../../../testbed/index.ts';
import { bootFile } from '../../stellarctl.ts';
import type { Cli } from './harness.ts';

/** What `workload get`, `policy get` or `policy explain` reports about a trap, and what it offers then. */
interface Named {
  code: string;
  /** The command in the document: `next`, or that of the first of `steps` if something must be filled in. */
  offered: string;
}

/** The part of the offer that is typed. */
interface Typed {
  /** What the user fills in. */
  fill?: Record<string, string>;
  /** What the user adds: `--yes` to a prompt. */
  add?: string;
}

/** One step out of a trap. */
export interface Step extends Typed {
  /** The command that reports it, without the options that name the WDS. */
  ask: string;
  code: string;
  offers: RegExp;
}

/** The exit code of a line that has taken too long. */
export const tookTooLong = 124;

/** Types a line into a shell with stellarctl and kubectl on PATH, without a terminal. Its editor changes nothing. */
export async function typeLine(
  cli: Cli,
  line: string,
  seconds = 300,
): Promise<{ exitCode: number; all: string }> {
  const shell = `stellarctl() { '${process.execPath}' '${bootFile}' "$@"; }; ${line}`;
  const { exitCode, all } = await execa('timeout', [String(seconds), 'sh', '-c', shell], {
    ...{
      env: { ...cli.environment(), EDITOR: 'true' },
      extendEnv: false,
      reject: false,
      all: true,
      input: '',
    },
  });
  return { exitCode: exitCode ?? tookTooLong, all: String(all) };
}

/** Types a command, with what the user fills in, and expects it to succeed. */
export async function typeIn(
  cli: Cli,
  offered: string,
  { fill = {}, add = '' }: Typed = {},
): Promise<string> {
  const filled = Object.entries(fill).reduce(
    (line, [blank, value]) => line.replace(blank, value),
    offered,
  );
  const line = `${filled} ${add}`.trim();
  const { exitCode, all } = await typeLine(cli, line);
  assert.equal(exitCode, 0, `${line}\n${all}`);
  return line;
}

interface Delivery {
  code: string | null;
  next: string | null;
  steps: string[];
  done: boolean;
}

/** Runs a command that shows the state. */
async function told(cli: Cli, ask: string, flags: readonly string[]): Promise<Named[]> {
  const { stdout } = await cli.run([...ask.split(' '), '-o', 'json', ...flags]);
  const { deliveries = [], objects = [], problems = [] } = JSON.parse(stdout);
  const ofObjects = objects.flatMap(
    (object: { deliveries?: Delivery[] }) => object.deliveries ?? [],
  );
  const all: Delivery[] = [...problems, ...deliveries, ...ofObjects];
  return all.flatMap(({ code, next, steps }) =>
    code === null ? [] : [{ code, offered: next ?? commandIn(steps) }],
  );
}

/** The command follows its purpose, and precedes alternatives. */
export const commandIn = ([first = '']: readonly string[]) =>
  first.replace(/^.*?[:?] (?=stellarctl|kubectl)/, '').replace(/ {2,}\(.*\)$/, '');

/** Follows the steps out of a trap. @returns seconds until each was reported, and the commands */
export async function takeSteps(
  cli: Cli,
  steps: readonly Step[],
  flags: readonly string[],
): Promise<{ seconds: number; typed: string }[]> {
  const taken: { seconds: number; typed: string }[] = [];
  for (const step of steps) {
    const started = Date.now();
    let seen: Named[] = [];
    const named = await until(async () => {
      seen = await told(cli, step.ask, flags);
      return seen.find(({ code }) => code === step.code);
    }, `${step.code} by ${step.ask}`).catch(() =>
      assert.fail(`${step.ask}: ${JSON.stringify(seen)}`),
    );
    const seconds = (Date.now() - started) / 1000;
    assert.match(named.offered, step.offers);
    // By itself that is core/v1, which no operator intends.
    assert.doesNotMatch(named.offered, /\bbindings?(?:$| )/);
    const isCommand =
      /^(?:stellarctl|kubectl) /.test(named.offered) && !named.offered.includes(' edit ');
    taken.push({
      seconds,
      typed: isCommand ? await typeIn(cli, named.offered, step) : named.offered,
    });
  }
  return taken;
}
