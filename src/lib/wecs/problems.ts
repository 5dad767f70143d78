import { type NextStep, type Problem, problem } from '../core/next-step.ts';

/** What may resolve by itself, or waits for a user. */
const warnings = ['certificate-expiring', 'versions-apart', 'klusterlet-in-work', 'another-agent-asks'];

/** The checks of the ITS whose failure explains a problem. */
const causingProblems: Readonly<Record<string, readonly string[]>> = {
  'not-allowed-to-register': ['its-bootstrap-rights'],
};

/** A problem of a WEC. docs/troubleshooting.md has a line for each code. */
export const wecProblem = (code: string, message: string, ...next: readonly NextStep[]): Problem => ({
  ...problem(code, message, ...next),
  ...(warnings.includes(code) && { severity: 'warn' }),
  causedBy: causingProblems[code],
});
