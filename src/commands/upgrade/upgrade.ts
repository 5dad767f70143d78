import { entry, type Group } from '../common/entry.ts';

export const upgrade: Group = {
  name: 'upgrade',
  summary: 'plan the upgrade of an installation',
  description: 'Commands for the upgrade of an installation as a whole.',
  commands: [entry('plan', 'show what to upgrade, in which order, by which commands', () => import('./plan.ts'))],
};
