/**
 * What scripts may rely on, beside what test/contract.txt records of the last version: commands, options with their defaults, fields,
 * codes. UPDATE_GOLDEN=1 adds what is new. What is gone is taken out by hand, in the version after the one that has warned of it.
 */
import './support/environment.ts';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { nameOf, optionsIn, shownCommands } from '../../scripts/commands.ts';
import { fieldsOf, sections } from '../documents.ts';
import { root } from '../pages.ts';
import { read } from './support/sources.ts';

const file = path.join(root, 'test', 'contract.txt');

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

it('what scripts rely on stays', async () => {
  const now = new Set([...(await typed()), ...codes(), ...fields()]);
  const recorded = readFileSync(file, { encoding: 'utf8', flag: 'a+' }).split('\n').filter(Boolean);
  const gone = recorded.filter((line) => !now.has(line));
  assert.deepEqual(gone, [], 'gone without a version that warns of it (docs/output.md)');
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, `${[...now].sort().join('\n')}\n`);
  else
    assert.deepEqual(
      [...now].filter((line) => !recorded.includes(line)),
      [],
      'not recorded yet',
    );
});
