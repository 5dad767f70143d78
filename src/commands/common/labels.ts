import { changeWords } from '../../lib/core/changes.ts';

/** Labels as a cell of a table. */
export const formatLabels = (labels: Record<string, string>): string =>
  changeWords(labels).sort().join(',') || '<none>';
