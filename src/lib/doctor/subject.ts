import { type CheckInfo, type Finding, fail, isDependent } from '../core/checks.ts';
import type { StellarError } from '../core/errors.ts';
import type { Kube } from '../kube/client/client.ts';
import type { Its } from '../ocm/hub/its.ts';
import type { JoinPlan } from '../wecs/join/join-plan.ts';

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
export interface FindingGroup {
  subjects: readonly [Subject, ...Subject[]];
  /** The finding of the first subject. */
  finding: Finding;
}

/** Groups the findings that several subjects of a kind share: the same check with the same outcome, for the same cause. */
export function groupFindings(examined: readonly Examined[]): FindingGroup[] {
  const groups = new Map<string, { subjects: [Subject, ...Subject[]]; finding: Finding }>();
  for (const { subject, findings } of examined)
    for (const finding of findings) {
      const cause =
        finding.status === 'pass'
          ? ''
          : finding.status === 'skipped'
            ? finding.problem.message
            : finding.problem.code;
      const part = subject.kind === 'wec' ? '' : subject.name;
      const key = JSON.stringify([
        subject.kind,
        subject.its,
        part,
        finding.id,
        finding.status,
        cause,
      ]);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { subjects: [subject], finding });
      else group.subjects.push(subject);
    }
  return [...groups.values()];
}

type Kind = Subject['kind'];

/** Checks that are reported as failed if other checks cannot run. */
export const reachable = (kind: Kind): CheckInfo => ({
  id: `${kind}-reachable`,
  title: 'its API server answers',
});
export const visible = (kind: Kind): CheckInfo => ({
  id: `${kind}-seen`,
  title: 'its objects can be read',
});
export const wecKnown: CheckInfo = { id: 'wec-known', title: 'it is known' };
export const wecsListed: CheckInfo = { id: 'its-wecs', title: 'its WECs can be read' };

/** All such checks of a kind of subject. */
export const unseenChecks = (kind: Kind): readonly CheckInfo[] => [
  reachable(kind),
  visible(kind),
  ...(kind === 'its' ? [wecsListed] : []),
  ...(kind === 'wec' ? [wecKnown] : []),
];

/** The finding for an error that makes a subject invisible. */
export const failedBy = ({ id, title }: CheckInfo, problem: StellarError): Finding => ({
  id,
  title,
  status: 'fail',
  problem,
});

/** A subject with no visible part must not count as healthy. */
export function reportIfNotVisible(examined: Examined): Examined {
  const { subject, findings } = examined;
  const first = findings[0];
  // Consequences of a failure elsewhere were checked.
  if (
    first?.status !== 'skipped' ||
    !findings.every((each) => each.status === 'skipped' && !isDependent(each))
  )
    return examined;
  const { message, next } = first.problem;
  const unseen = fail('not-visible', `${subject.name} could not be read: ${message}.`, ...next);
  return { ...examined, findings: [{ ...visible(subject.kind), ...unseen }, ...findings] };
}
