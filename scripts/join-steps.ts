/** Writes the table of the steps of a join in docs/registration.md, from the steps themselves. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { joinSteps } from '../src/lib/wecs/join/join.ts';
import { withTable } from './roles.ts';

export const registrationFile = path.resolve(import.meta.dirname, '..', 'docs', 'registration.md');

/** Returns the updated page. @param present the current one: everything except the table is kept */
export const registration = (present: string): string =>
  withTable(present, 'steps of a join', [
    '| step | done when | writes | if it fails, the join … |',
    '|---|---|---|---|',
    ...joinSteps.map(
      ({ name, done, writes, otherwise }) => `| \`${name}\` | ${done} | ${writes} | ${otherwise} |`,
    ),
  ]);

if (process.argv[1] === import.meta.filename)
  writeFileSync(registrationFile, registration(readFileSync(registrationFile, 'utf8')));
