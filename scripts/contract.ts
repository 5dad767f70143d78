/** Adds to test/contract.txt what scripts may rely on: commands, options with their defaults, fields, codes. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fieldsOf, sections } from '../test/documents.ts';
import { nameOf, optionsIn, shownCommands } from './commands.ts';

const root = path.resolve(import.meta.dirname, '..');
export const contractFile = path.join(root, 'test', 'contract.txt');

/** The commands and options that help shows, with the defaults that their descriptions name. */
const typed = async () =>
  (await shownCommands()).flatMap((command) => {
    const name = nameOf(command);
    const options = optionsIn(command).map(({ flags, description }) => {
      const ends = /\(default: [^)]*\)/.exec(description)?.[0] ?? '';
      return `option ${name} ${flags} ${ends}`.trimEnd();
    });
    return [`command ${name} ${command.usage()}`, ...options];
  });

const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

/** The exit codes, and the error codes with theirs, of docs/output.md; the codes of problems that checks find. */
function codes() {
  const rows = [...read('docs/output.md').matchAll(/^\| (`[^|]+`|[\d, ]+) \| ([^|]+) \|/gm)];
  const found = read('scripts/troubleshooting.txt').matchAll(/^([a-z][a-z-]+) \| /gm);
  return [
    ...rows.flatMap(([, first = '', second = '']) =>
      /^\d/.test(second)
        ? [...first.matchAll(/`([a-z-]+)`/g)].map(
            ([, code]) => `error ${code}, exit code ${second}`,
          )
        : /^\d/.test(first)
          ? [`exit code ${first}`]
          : [],
    ),
    ...[...found].map(([, code]) => `problem ${code}`),
  ];
}

const fields = () =>
  sections.flatMap((section) => fieldsOf(section).map((field) => `field ${section}: ${field}`));

const linesOf = (text: string) => text.split('\n').filter(Boolean);

/** Compares a record with what there is now. @param recorded the text of test/contract.txt */
export async function comparedWith(recorded: string): Promise<{ gone: string[]; added: string[] }> {
  const now = new Set([...(await typed()), ...codes(), ...fields()]);
  const before = new Set(linesOf(recorded));
  return {
    gone: [...before].filter((line) => !now.has(line)),
    added: [...now].filter((line) => !before.has(line)),
  };
}

/** Returns the record with what is new. What is gone stays, until somebody takes it out by hand. */
export async function contract(recorded: string): Promise<string> {
  const { added } = await comparedWith(recorded);
  return `${[...linesOf(recorded), ...added].sort().join('\n')}\n`;
}

if (process.argv[1] === import.meta.filename)
  writeFileSync(contractFile, await contract(readFileSync(contractFile, 'utf8')));
