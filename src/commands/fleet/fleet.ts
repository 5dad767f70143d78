import { entry, type Group } from '../common/entry.ts';

export const fleet: Group = {
  name: 'fleet',
  summary: 'WECs as a file: export, plan, apply',
  description: 'Commands for the WECs of an ITS as a file, which colleagues review and which registers them again.',
  commands: [
    entry('export', 'print the WECs of the ITS as a file', () => import('./export.ts')),
    entry('plan', 'show what applying a file would change', () => import('./plan.ts')),
    entry('apply', 'register, label and customize the WECs of a file', () => import('./apply.ts')),
    entry('schema', 'print the JSON Schema of the file', () => import('./schema.ts')),
  ],
};
