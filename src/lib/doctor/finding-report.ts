import type { Finding } from '../core/checks.ts';
import { commandOf, stepLines } from '../core/next-step.ts';
import { docsOf } from './catalogue.ts';
import type { Group, Subject } from './subject.ts';

/** A finding for scripts: sentence and command are those of its first subject. The fields are an interface: docs/output.md. */
export interface FindingReport extends Pick<Finding, 'id' | 'title' | 'status'> {
  found?: string;
  /** The code of the problem; absent if the check passes or was skipped. */
  code?: string;
  cause?: string;
  /** What helps: one command that can be typed as it is. */
  command?: string;
  /** The next steps, for people: a line each. */
  steps?: string[];
  /** `machine`, `hosting/NAME`, `its/NAME`, `wds/NAME`, `wec/NAME`. */
  subjects: string[];
  /** For WECs: the context of their ITS. */
  its?: string;
  /** The last lines of a log, if there is one. */
  details?: readonly string[];
  /** Where the documentation describes it: a file of the repository, and an anchor in it. */
  docs?: string;
}

export function describeGroup({ subjects, finding }: Group): FindingReport {
  const [{ its }] = subjects;
  const about = { subjects: subjects.map(subjectName), ...(its === undefined ? {} : { its }) };
  const { id, title, ...outcome } = finding;
  if (outcome.status === 'pass') return { id, title, ...outcome, ...about };
  const { status, problem } = outcome;
  const { code, message, next, details = [] } = problem;
  const command = commandOf(next);
  const help = {
    ...(command === undefined ? {} : { command }),
    ...(next.length === 0 ? {} : { steps: stepLines(next) }),
  };
  if (status === 'skipped') return { id, title, status, cause: message, ...help, ...about };
  return {
    ...{ id, title, status, cause: message, ...help, code, ...about },
    ...(details.length > 0 ? { details } : {}),
    docs: docsOf(id),
  };
}

/** The name as `wec/NAME`; for this machine, `machine`. */
export const subjectName = ({ kind, name }: Subject): string => (name === '' ? kind : `${kind}/${name}`);
