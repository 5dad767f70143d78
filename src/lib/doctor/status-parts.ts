import { reportOf } from '../core/errors.ts';
import { diagnosisOf, type Problem } from '../core/next-step.ts';
import { type Access, ifSeen, through } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import type { SelectedContext } from '../kube/kubeconfig/kubeconfig.ts';
import type { SpaceRole } from '../ocm/kubeflex-names.ts';
import type { ControlPlane } from '../ocm/kubeflex-objects.ts';
import type { ItsChoice } from '../spaces/its-choice.ts';
import { describeSpace } from '../spaces/list-spaces.ts';
import { brokenContext } from '../spaces/own-contexts.ts';
import { readSpace, type SpaceEvidence } from '../spaces/space-evidence.ts';
import type { SpaceTools } from '../spaces/space-tools.ts';
import type { SpaceStatus } from './status-view.ts';

/** A control plane, and how to reach it. */
export interface SpaceReading {
  role: SpaceRole;
  controlPlane: ControlPlane;
  access: Access<SelectedContext>;
}

/** The reading of the inside of a part. */
export type PartReading<Inside> = Access<{ inside: Inside; kube: Kube }>;

/** Reads the inside of a part. */
export const readPart = <Inside>(
  access: Access<SelectedContext>,
  { connect }: Pick<StatusTools, 'connect'>,
  read: (kube: Kube) => Promise<Inside>,
): Promise<PartReading<Inside>> =>
  through(access, async (context) => {
    const kube = connect(context);
    return { inside: await read(kube), kube };
  });

/** What the hosting cluster shows of a space, and the reading of its inside. @returns undefined if it was just deleted */
export async function describePart(
  { role, controlPlane, access }: SpaceReading,
  pending: Promise<PartReading<unknown>>,
  tools: StatusTools,
): Promise<{ status: SpaceStatus; evidence: SpaceEvidence } | undefined> {
  const { name } = controlPlane.metadata;
  const [evidence, reading] = await Promise.all([readSpace(tools.hosting, name, role), pending]);
  if (evidence === undefined) return undefined;
  const status = withReading(
    { ...describeSpace(evidence, tools.kubeconfig), server: ifSeen(access)?.server ?? null },
    reading,
  );
  if (reading.state !== 'seen') return { status, evidence };
  const inside = { space: evidence, kube: reading.value.kube, tools };
  return { status: withContext(status, await brokenContext(inside)), evidence };
}

/** Commands use the context of a space; the reading did not. */
export function withContext(status: SpaceStatus, broken: Problem | undefined): SpaceStatus {
  if (broken === undefined) return status;
  return { ...status, problem: true, reason: status.reason || broken.message, contextProblem: diagnosisOf(broken) };
}

/**
 * A space that does not answer has a problem, unless the reason is known. Missing rights of the user are not a problem of the
 * space.
 */
export function withReading(outside: SpaceStatus, reading: PartReading<unknown>): SpaceStatus {
  if (reading.state === 'seen') return outside;
  const error = reading.state === 'hidden' ? reading.error : undefined;
  if (error === undefined || error.code === 'forbidden') return { ...outside, notVisible: reading.why };
  if (outside.reason !== '') return outside;
  return { ...outside, ready: false, problem: true, reason: reading.why, error: reportOf(error) };
}

/** The tools for reading an installation. */
export interface StatusTools extends Omit<SpaceTools, 'target'> {
  /** The ITS that commands use; undefined if none is selected. */
  chosen: ItsChoice | undefined;
}
