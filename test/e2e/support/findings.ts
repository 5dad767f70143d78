/** A finding in doctor's JSON output. */
export interface Finding {
  id: string;
  status: 'pass' | 'warn' | 'fail' | 'skipped';
  subjects: string[];
  code?: string;
  cause?: string;
  command?: string;
  steps?: string[];
  evidence?: { object: string; on: string; since?: string }[];
}

export const isWrong = ({ status }: Finding): boolean => status === 'warn' || status === 'fail';
