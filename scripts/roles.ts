/** Writes the table of roles in docs/security.md, from the roles themselves. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type AccessRole, type RoleRight, roles } from '../src/lib/spaces/roles/roles.ts';

export const securityFile = path.resolve(import.meta.dirname, '..', 'docs', 'security.md');

const describe = ({ verbs, kinds, names = [], namespace, by }: RoleRight): string => {
  const limits = [
    ...(names.length > 0 ? [`only ${names.join(', ')}`] : []),
    ...(namespace ? [`in ${namespace}`] : []),
  ];
  return `${verbs.join(', ')} ${kinds.join(', ')}${limits.length > 0 ? ` (${limits.join(', ')})` : ''} [${by}]`;
};

/** Returns the updated page. @param present the current one: everything except the table is kept */
export function security(present: string): string {
  const rows = Object.entries<AccessRole>(roles).flatMap(([name, { workloads, ...role }]) =>
    (['its', 'wds'] as const).flatMap((space) => {
      const rights = (role[space] ?? []).map(describe);
      if (rights.length === 0) return [];
      const kinds = 'the kinds that policies can send, except Secrets and what gives rights';
      const all =
        space === 'wds' && workloads
          ? [...rights, `${workloads.replaceAll(' ', ', ')} ${kinds}`]
          : rights;
      return [`| \`${name}\` | ${space.toUpperCase()} | ${role.may} | ${all.join('; ')} |`];
    }),
  );
  const table = [
    '| role | in | may | rights, and the function that needs each |',
    '|---|---|---|---|',
    ...rows,
  ];
  return withTable(present, 'roles', table);
}

/** Returns a page with another table in place of the one that `npm run docs` has made. @param of what it lists */
export function withTable(present: string, of: string, table: readonly string[]): string {
  const [begin, end] = [`<!-- ${of}: made by \`npm run docs\` -->`, `<!-- end of the ${of} -->`];
  const [head = '', rest = ''] = present.split(`${begin}\n`);
  const [, tail = ''] = rest.split(`${end}\n`);
  return [`${head}${begin}`, '', ...table, '', `${end}\n${tail}`].join('\n');
}

if (process.argv[1] === import.meta.filename)
  writeFileSync(securityFile, security(readFileSync(securityFile, 'utf8')));
