import { StellarError } from '../../lib/core/errors.ts';
import { checkDnsLabel } from '../../lib/core/object-names.ts';
import type { Kube } from '../../lib/kube/client/client.ts';
import type { WecTarget } from '../../lib/ocm/hub/find-wecs.ts';

/** A WEC on the command line: NAME, or NAME=CONTEXT. */
export interface WecArgument {
  name: string;
  /** Undefined for a bare NAME. */
  context: string | undefined;
}

/** If the WEC must be reachable, a bare NAME is also the name of its context. */
export const withContext = ({
  name,
  context = name,
}: WecArgument): WecArgument & { context: string } => ({ name, context });

/** Splits names at commas, as clusteradm does. A context, after `=`, keeps its commas. */
export const splitNames = (words: readonly string[]) =>
  words.flatMap((word) => (word.includes('=') ? [word] : word.split(',')));

/**
 * Parses the WECs of a command line.
 * @throws StellarError `usage` for an invalid WEC name, and for a duplicate name or context
 */
export function parseWecArguments(positional: readonly string[]): WecArgument[] {
  const wecs = splitNames(positional).map(parseWecArgument);
  const names = wecs.map(({ name }) => name);
  names.forEach(checkWecName);
  refuseTwice(names, 'name');
  const contexts = wecs.flatMap(({ context }) => context ?? []);
  refuseTwice(contexts, 'context');
  return wecs;
}

function parseWecArgument(argument: string): WecArgument {
  const equals = argument.indexOf('=');
  if (equals === -1) return { name: argument, context: undefined };
  const name = argument.slice(0, equals);
  const context = argument.slice(equals + 1);
  if (name === '' || context === '')
    throw new StellarError('usage', `"${argument}" is not NAME=CONTEXT.`);
  if (name.includes(','))
    throw new StellarError(
      'usage',
      `"${argument}" gives one context to several WECs; write NAME=CONTEXT for each.`,
    );
  return { name, context };
}

function refuseTwice(values: string[], what: string) {
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  if (twice !== undefined)
    throw new StellarError('usage', `The ${what} "${twice}" is given twice.`);
}

/** How to select WECs without names. */
export interface SelectionOptions {
  all?: boolean;
  selector?: string;
  allowNone?: boolean;
}

/** Parses which WECs a command selects: names, or `-l`, or `--all`. @throws StellarError `usage` */
export function parseWecTarget(words: readonly string[], choice: SelectionOptions): WecTarget {
  checkChoice(words, choice);
  return words.length > 0 ? { names: [...new Set(splitNames(words))] } : choice;
}

/** @throws StellarError `usage` unless a command selects WECs in one way */
export function checkChoice(
  words: readonly string[],
  { all, selector, allowNone }: SelectionOptions,
): void {
  // An empty selector, such as an unset variable of a script, would select all.
  if (allowNone && !selector) throw new StellarError('usage', '--allow-none requires -l.');
  const given = [words.length > 0, all === true, Boolean(selector)].filter(Boolean).length;
  if (given !== 1)
    throw new StellarError(
      'usage',
      'Give either the names of the WECs or an option that selects them, as --all.',
    );
}

/** WECs that are named, optionally with their contexts, or selected on the ITS. */
export interface ChosenWecs {
  named: WecArgument[] | undefined;
  /** Returns the named WECs, or else those that the ITS has now. @throws StellarError `not-a-hub`, `not-found` */
  find(hub: Kube): Promise<WecArgument[]>;
}

/** Parses which WECs a command selects, with optional contexts. @throws StellarError `usage` */
export function parseChosenWecs(words: readonly string[], choice: SelectionOptions): ChosenWecs {
  checkChoice(words, choice);
  const named = words.length > 0 ? parseWecArguments(words) : undefined;
  return {
    named,
    async find(hub) {
      if (named !== undefined) return named;
      const { findWecs } = await import('../../lib/ocm/hub/find-wecs.ts');
      return (await findWecs(hub, choice)).map(({ name }) => ({ name, context: undefined }));
    },
  };
}

export const noneMatches = ({ cluster }: Kube) => `No WEC on ${cluster.context} matches.`;

/** Returns the target as arguments of a command line. */
export function targetWords({ names, selector }: WecTarget): readonly string[] {
  if (names !== undefined) return names;
  return selector === undefined ? ['--all'] : ['-l', selector];
}

/**
 * Checks the name of a WEC: it becomes the name of a namespace, and the Klusterlet's schema has the same limits.
 * @throws StellarError `usage`
 */
export const checkWecName = (name: string) => checkDnsLabel(name, 'a WEC');
