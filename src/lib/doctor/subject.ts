import type { Finding } from '../engine/checks.ts';
import type { Kube } from '../kube/client/client.ts';
import type { SelectedContext } from '../kube/kubeconfig/kubeconfig.ts';

/** A client for an ITS, and the context that it was made of. */
export interface Its {
  kube: Kube;
  context: SelectedContext;
}

/** What checks are about. */
export interface Subject {
  kind: 'machine' | 'hosting' | 'its' | 'wds' | 'wec';
  /** Empty of this machine, and of a cluster that is not known. */
  name: string;
  /** Of a WEC: the context of its ITS. */
  its?: string;
}

/** A subject with all that was checked of it. */
export interface Examined {
  subject: Subject;
  findings: readonly Finding[];
  /** Of a WEC whose context was given: what it was looked at by. */
  reached?: { its: Its; wec: Kube } | undefined;
}

/** A check with one outcome, and all subjects that it came to. */
export interface Group {
  subjects: readonly [Subject, ...Subject[]];
  /** That of the first subject. */
  finding: Finding;
}

/** Puts together what several subjects of a kind have in common: the same check with the same outcome, for the same cause. */
export function groupFindings(examined: readonly Examined[]): Group[] {
  const groups = new Map<string, { subjects: [Subject, ...Subject[]]; finding: Finding }>();
  for (const { subject, findings } of examined)
    for (const finding of findings) {
      const cause =
        finding.status === 'pass' ? '' : finding.status === 'skipped' ? finding.problem.message : finding.problem.code;
      const own = subject.kind === 'wec' ? '' : subject.name;
      const key = JSON.stringify([subject.kind, subject.its, own, finding.id, finding.status, cause]);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { subjects: [subject], finding });
      else group.subjects.push(subject);
    }
  return [...groups.values()];
}
