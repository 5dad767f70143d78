import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { canBeParsed, type Site, sitesOf } from './sites.ts';

export interface Mutant extends Site {
  /** Counted from 1. */
  number: number;
  area: string;
  file: string;
  /** The line, without its indentation. */
  text: string;
  /** How many lines of the file before it have the same text. */
  same: number;
}

/** The places of each area: the beginnings of its files' names. A file belongs to the first that has it. */
const areas: Record<string, string[]> = {
  policy: [
    'src/commands/policy/',
    'src/lib/policies/',
    'src/lib/forecast/',
    ...['policy/', 'selection/', 'delivery/policy-', 'delivery/selection-'].map(
      (name) => `src/lib/workloads/${name}`,
    ),
  ],
  workload: [
    'src/commands/workload/',
    'src/commands/collector/',
    'src/commands/transform/',
    'src/lib/workloads/',
    'src/lib/maintenance/',
  ],
  doctor: ['src/commands/doctor/', 'src/lib/doctor/'],
  deregister: [
    'src/commands/wec/deregister',
    'src/lib/wecs/deregister/deregister',
    'src/lib/wecs/deregister/detach-from-policies',
    'src/lib/wecs/deregister/clean-up',
  ],
  join: [
    'src/commands/wec/join',
    'src/lib/wecs/join/join',
    'src/lib/wecs/join/follow-join',
    'src/lib/wecs/registration/reregister',
  ],
};

/**
 * Chooses changed lines, as many in each area, of which at most a quarter are changed in the same way. A change is chosen by a hash
 * of the seed and of what its line says, so that changes of other lines of src rarely change the choice.
 */
export function chooseMutants(root: string, seed: string, count: number): Mutant[] {
  const names = Object.keys(areas);
  const files = globSync('src/**/*.ts', { cwd: root }).sort();
  const chosen = names.flatMap((area, index) => {
    const share = Math.floor(count / names.length) + (index < count % names.length ? 1 : 0);
    const candidates = files
      .filter((file) => areaOf(file) === area)
      .flatMap((file) => candidatesIn(root, area, file));
    return chooseFrom(candidates, seed, share);
  });
  return chosen.map(({ source: _, ...mutant }, index) => ({ number: index + 1, ...mutant }));
}

interface Candidate extends Omit<Mutant, 'number'> {
  source: string;
}

function areaOf(file: string): string | undefined {
  return Object.keys(areas).find((area) => areas[area]?.some((place) => file.startsWith(place)));
}

function candidatesIn(root: string, area: string, file: string): Candidate[] {
  const source = readFileSync(path.join(root, file), 'utf8');
  const lines = source.split('\n').map((line) => line.trim());
  return sitesOf(source).map((site) => {
    const text = lines[site.line - 1] ?? '';
    const same = lines.slice(0, site.line - 1).filter((line) => line === text).length;
    return { area, file, text, same, ...site, source };
  });
}

function chooseFrom(candidates: readonly Candidate[], seed: string, count: number): Candidate[] {
  const chosen: Candidate[] = [];
  const ranked = candidates
    .map((candidate) => ({ candidate, rank: rankOf(seed, candidate) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1));
  for (const { candidate } of ranked) {
    if (chosen.length === count) break;
    const { file, line, kind, source } = candidate;
    const alike = chosen.filter((other) => other.kind === kind).length;
    if (alike >= Math.ceil(count / 4)) continue;
    if (chosen.some((other) => other.file === file && other.line === line)) continue;
    if (canBeParsed(mutated(source, candidate) ?? '')) chosen.push(candidate);
  }
  return chosen;
}

const rankOf = (seed: string, { file, text, same, kind, column, after }: Candidate): string =>
  createHash('sha256')
    .update(JSON.stringify([seed, file, text, same, kind, column, after]))
    .digest('hex');

/** Returns the source with the mutant's change; undefined if it does not have the line. */
export function mutated(
  source: string,
  { text, same, column, before, after }: Omit<Mutant, 'number'>,
): string | undefined {
  const lines = source.split('\n');
  const places = lines.flatMap((each, index) => (each.trim() === text ? [index] : []));
  const place = places[same];
  if (place === undefined) return undefined;
  const present = lines[place] ?? '';
  // The line may be indented differently.
  const from = present.indexOf(text) + column;
  if (present.slice(from, from + before.length) !== before) return undefined;
  lines[place] = present.slice(0, from) + after + present.slice(from + before.length);
  return lines.join('\n');
}
