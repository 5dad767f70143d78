/** A finding in doctor's JSON output. */
export interface Finding {
  id: string;
  status: 'pass' | 'warn' | 'fail' | 'skipped';
  subjects: string[];
  code?: string;
  cause?: string;
  command?: string;
  steps?: string[];
}

export const isWrong = ({ status }: Finding) => status === 'warn' || status === 'fail';

/** What `doctor --fix` prints as JSON. */
export interface Fixes {
  items: Finding[];
  fixed: { command: string; findings: object[]; result: string }[];
}
