/** Writes the section about doctor's checks in docs/troubleshooting.md, from the checks themselves and troubleshooting.txt. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { catalogue, type ListedCheck } from '../src/lib/doctor/catalogue.ts';

const root = path.resolve(import.meta.dirname, '..');
const file = path.join(root, 'docs', 'troubleshooting.md');
const [begin, end] = ['<!-- checks: made by `npm run docs` -->', '<!-- end of the checks -->'];

/** A problem that a check may find. */
interface Problem {
  code: string;
  /** The symptom, the cause, what to do. */
  cells: string[];
}

/** Returns the problems of every check, by the check's id. */
export function readProblems(): Map<string, Problem[]> {
  const problems = new Map<string, Problem[]>();
  for (const line of readFileSync(path.join(root, 'scripts', 'troubleshooting.txt'), 'utf8').split(
    '\n',
  )) {
    if (line === '' || line.startsWith('#')) continue;
    const [code = '', ...cells] = line.split(' | ');
    if (cells.length === 0) problems.set(code, []);
    else [...problems.values()].at(-1)?.push({ code, cells });
  }
  return problems;
}

const rooms: Record<ListedCheck['room'], string> = {
  machine: 'This machine (`--pre`)',
  hosting: 'The hosting cluster',
  its: 'An ITS',
  wds: 'A WDS',
  wec: 'A WEC',
};

/** Returns the updated file. @param present the current file: everything except the section about checks is kept */
export function troubleshooting(present: string): string {
  const anchors = new Set<string>();
  const anchor = (id: string): string => {
    const name = id.toLowerCase();
    if (anchors.has(name)) return '';
    anchors.add(name);
    return `<a id="${name}"></a>`;
  };
  for (const { id } of catalogue) anchors.add(id.toLowerCase());
  const problems = readProblems();
  const linesOf = ({ id, title, pre }: ListedCheck) => [
    `| <a id="${id.toLowerCase()}"></a>**${id}**${pre ? ' (`--pre`)' : ''}: ${title} | | | |`,
    ...(problems.get(id) ?? []).map(
      ({ code, cells }) => `| ${anchor(code)}\`${code}\` | ${cells.join(' | ')} |`,
    ),
  ];
  const sections = Object.entries(rooms).flatMap(([room, heading]) => [
    `### ${heading}\n\n| check, code | you see | it is | what to do |\n|---|---|---|---|`,
    ...catalogue.filter((check) => check.room === room).flatMap(linesOf),
    '',
  ]);
  const [head = '', rest = ''] = present.split(`${begin}\n`);
  const [, tail = ''] = rest.split(`${end}\n`);
  return [`${head}${begin}`, '', ...sections, `${end}\n${tail}`].join('\n');
}

export const troubleshootingFile = file;

if (process.argv[1] === import.meta.filename)
  writeFileSync(file, troubleshooting(readFileSync(file, 'utf8')));
