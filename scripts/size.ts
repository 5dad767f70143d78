/** Prints the code lines of each room of src: npm run size. test/unit/size.test.ts compares them with test/unit/size.json. */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSync } from 'rolldown/utils';

/** The code lines of each room, by its folder, and of all of them. */
export interface Sizes {
  total: number;
  rooms: Record<string, number>;
}

/** Returns the sizes of the sources in a checkout. */
export function measure(root: string): Sizes {
  const rooms: Record<string, number> = {};
  for (const file of globSync('src/**/*.ts', { cwd: root }).sort()) {
    const room = roomOf(file);
    rooms[room] = (rooms[room] ?? 0) + codeLines(readFileSync(path.join(root, file), 'utf8'));
  }
  const total = Object.values(rooms).reduce((sum, lines) => sum + lines, 0);
  return { total, rooms: Object.fromEntries(Object.entries(rooms).sort(([a], [b]) => a.localeCompare(b, 'en'))) };
}

/** A room is a folder of src/lib or src/commands, or the files beside these folders. */
export function roomOf(file: string): string {
  const folders = path.dirname(file).split(path.sep);
  return folders.slice(0, 3).join('/');
}

/** Returns how many lines contain code: no blank lines, comments, imports, or exports from other modules. */
export function codeLines(text: string): number {
  const { program, comments, errors } = parseSync('source.ts', text);
  if (errors[0] !== undefined) throw new Error(errors[0].message);
  const passed = program.body.filter(
    (statement) =>
      statement.type === 'ImportDeclaration' ||
      statement.type === 'ExportAllDeclaration' ||
      (statement.type === 'ExportNamedDeclaration' && statement.source !== null),
  );
  const ranges = [...comments, ...passed].sort((a, b) => a.start - b.start);
  let code = '';
  let end = 0;
  for (const range of ranges) {
    // A comment inside an import.
    if (range.end <= end) continue;
    code += text.slice(end, range.start) + text.slice(range.start, range.end).replaceAll(/./g, ' ');
    end = range.end;
  }
  return (code + text.slice(end)).split('\n').filter((line) => line.trim() !== '').length;
}

/** Returns what exceeds its ceiling, what has none, and the ceilings of nothing, each with what to do. */
export function excesses(sizes: Sizes, ceilings: Sizes): string[] {
  const present: Record<string, number> = { ...sizes.rooms, total: sizes.total };
  const allowed: Record<string, number> = { ...ceilings.rooms, total: ceilings.total };
  const gone = Object.keys(allowed).filter((name) => present[name] === undefined);
  return [
    ...Object.entries(present).flatMap(([name, lines]) => excess(name, lines, allowed[name])),
    ...gone.map((name) => `${name} does not exist: remove its ceiling`),
  ];
}

function excess(name: string, lines: number, ceiling: number | undefined): string[] {
  if (ceiling === undefined) return [`${name} has ${lines} code lines and no ceiling: add one`];
  if (lines <= ceiling) return [];
  return [
    `${name} has ${lines} code lines, its ceiling is ${ceiling}: remove code; a ceiling is raised only in a commit that says what for`,
  ];
}

if (process.argv[1] === import.meta.filename) {
  const { total, rooms } = measure(path.resolve(import.meta.dirname, '..'));
  for (const [name, lines] of Object.entries({ ...rooms, total }))
    console.log(`${name.padEnd(24)} ${String(lines).padStart(6)}`);
}
