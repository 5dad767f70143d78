import type { Sequences, State } from '../expected/sequences.ts';
import type { Observed } from './recorder.ts';

/** Missing, extra and different parts of the observed registration; empty if it conforms. */
export function differences(observed: Observed, expected: Sequences): string[] {
  const types = new Set([...Object.keys(expected.klusterlet), ...Object.keys(observed.klusterlet)]);
  return [
    ...[...types].flatMap((type) =>
      compareStates(type, observed.klusterlet[type] ?? [], expected.klusterlet[type] ?? []),
    ),
    ...compareProgress('managedCluster', observed.managedCluster, expected.managedCluster),
    ...compareExactly('request', observed.request, expected.request),
    ...compareLast('secrets', observed.secrets, expected.secrets),
    ...compareExactly('hasMailbox', observed.hasMailbox, expected.hasMailbox),
  ];
}

/** The same states in the same order, except that passing ones may be missing. */
export function compareStates(type: string, observed: Omit<State, 'passing'>[], expected: State[]): string[] {
  const problems: string[] = [];
  const left = expected.values();
  let next = left.next();
  for (const state of observed) {
    while (!next.done && next.value.passing && textOf(next.value) !== textOf(state)) next = left.next();
    if (next.done || textOf(next.value) !== textOf(state)) {
      problems.push(`${type}: unexpected ${textOf(state)}${next.done ? '' : `, expected ${textOf(next.value)}`}`);
    } else next = left.next();
  }
  for (; !next.done; next = left.next())
    if (!next.value.passing) problems.push(`${type}: missing ${textOf(next.value)}`);
  return problems;
}

/** Conditions appear one by one in the expected order, and the recorded states are among them. */
function compareProgress(
  what: string,
  observed: (string[] | undefined)[],
  expected: (string[] | undefined)[],
): string[] {
  const end = expected.at(-1) ?? [];
  const strange = observed.filter((reasons) => reasons?.some((reason, index) => reason !== end[index]));
  const missing = expected.filter(
    (state) => !observed.some((other) => JSON.stringify(other) === JSON.stringify(state)),
  );
  const isOver = JSON.stringify(observed.at(-1)) === JSON.stringify(expected.at(-1));
  return [
    ...strange.map((state) => `${what}: unexpected ${JSON.stringify(state)}`),
    ...missing.map((state) => `${what}: missing ${JSON.stringify(state)}`),
    ...(isOver ? [] : [`${what}: ended as ${JSON.stringify(observed.at(-1))}`]),
  ];
}

function compareExactly(what: string, observed: unknown, expected: unknown): string[] {
  if (JSON.stringify(observed) === JSON.stringify(expected)) return [];
  return [`${what}: ${JSON.stringify(observed)}, expected ${JSON.stringify(expected)}`];
}

/** Ends as expected, with every expected state on the way. */
function compareLast(what: string, observed: string[][], expected: string[][]): string[] {
  const seen = new Set(observed.map((state) => state.join()));
  const missing = expected.filter((state) => !seen.has(state.join()));
  return [
    ...missing.map((state) => `${what}: missing ${state}`),
    ...compareExactly(what, observed.at(-1), expected.at(-1)),
  ];
}

function textOf({ status, reason, message }: State): string {
  return `${status} ${reason} ${JSON.stringify(message)}`;
}
