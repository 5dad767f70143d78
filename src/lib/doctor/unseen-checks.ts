import { type CheckInfo, type Finding, fail, isDependent } from '../core/checks.ts';
import type { StellarError } from '../core/errors.ts';
import type { Examined, Subject } from './subject.ts';

type Kind = Subject['kind'];

/** Checks that are reported as failed if other checks cannot run. */
export const reachable = (kind: Kind): CheckInfo => ({ id: `${kind}-reachable`, title: 'its API server answers' });
export const visible = (kind: Kind): CheckInfo => ({ id: `${kind}-seen`, title: 'its objects can be read' });
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
  ...{ id, title, status: 'fail', problem },
});

/** A subject with no visible part must not count as healthy. */
export function reportIfNotVisible(examined: Examined): Examined {
  const { subject, findings } = examined;
  const first = findings[0];
  // Consequences of a failure elsewhere were checked.
  if (first?.status !== 'skipped' || !findings.every((each) => each.status === 'skipped' && !isDependent(each)))
    return examined;
  const { message, next } = first.problem;
  const unseen = fail('not-visible', `${subject.name} could not be read: ${message}.`, ...next);
  return { ...examined, findings: [{ ...visible(subject.kind), ...unseen }, ...findings] };
}
