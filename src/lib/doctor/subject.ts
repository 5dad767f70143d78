import type { Finding } from '../core/checks.ts';
import type { Kube } from '../kube/client/client.ts';
import type { SelectedContext } from '../kube/kubeconfig/kubeconfig.ts';
import type { JoinPlan } from '../wecs/join-plan.ts';

/** A client for an ITS, and its context. */
export interface Its {
  kube: Kube;
  context: SelectedContext;
}

/** The subject of checks. */
export interface Subject {
  kind: 'machine' | 'hosting' | 'its' | 'wds' | 'wec';
  /** Empty for this machine, and for an unknown cluster. */
  name: string;
  /** For a WEC: the context of its ITS. */
  its?: string;
}

/** A subject with all its findings. */
export interface Examined {
  subject: Subject;
  findings: readonly Finding[];
  /** For a WEC whose context was given: the clients that read it. */
  reached?: { its: Its; wec: Kube } | undefined;
  /** For a cluster that can be registered with the ITS: how. */
  plan?: JoinPlan | undefined;
}

/** A check with one outcome, and all subjects with that outcome. */
export interface Group {
  subjects: readonly [Subject, ...Subject[]];
  /** The finding of the first subject. */
  finding: Finding;
}

/** Groups the findings that several subjects of a kind share: the same check with the same outcome, for the same cause. */
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
