import type { Finding } from '../engine/checks.ts';
import { commandOf, hintOf } from '../engine/next-step.ts';
import type { Evidence } from '../engine/problem.ts';
import type { Group } from './subject.ts';

/** A finding as scripts get it. The fields are an interface: docs/output.md. */
export interface FindingReport extends Pick<Finding, 'id' | 'title' | 'status'> {
  found?: string;
  cause?: string;
  /** What helps: a command that can be typed as it is, or else a hint. */
  command?: string;
  hint?: string;
}

export function describeFinding({ id, title, ...outcome }: Finding): FindingReport {
  if (outcome.status === 'pass') return { id, title, ...outcome };
  const { status, problem } = outcome;
  const [command, hint] = [commandOf(problem.next), hintOf(problem.next)];
  const help = command !== undefined && command === hint ? { command } : hint === undefined ? {} : { hint };
  return { id, title, status, cause: problem.message, ...help };
}

interface GroupReport extends FindingReport {
  /** What is wrong, as a name; absent where the check passes or was skipped. */
  code?: string;
  /** `hosting/NAME`, `its/NAME`, `wds/NAME`, `wec/NAME`. */
  subjects: string[];
  /** Of WECs: the context of their ITS. */
  its?: string;
  /** What it is seen by, of the first subject. */
  evidence?: readonly Evidence[];
  /** The last lines of a log, where there is one. */
  details?: readonly string[];
}

/** What several subjects have in common, as scripts get it: sentence and command are about the first of them. */
export function describeGroup({ subjects, finding }: Group): GroupReport {
  const [{ its }] = subjects;
  const problem = finding.status === 'warn' || finding.status === 'fail' ? finding.problem : undefined;
  return {
    ...describeFinding(finding),
    ...(problem && { code: problem.code }),
    subjects: subjects.map(({ kind, name }) => `${kind}/${name}`),
    ...(its === undefined ? {} : { its }),
    ...(problem?.evidence?.length ? { evidence: problem.evidence } : {}),
    ...(problem?.details?.length ? { details: problem.details } : {}),
  };
}
