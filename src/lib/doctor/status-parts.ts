import { isDeepStrictEqual } from 'node:util';
import { Deadline } from '../core/deadline.ts';
import { reportOf } from '../core/errors.ts';
import { diagnosisOf, type Problem } from '../core/next-step.ts';
import { type Access, hiddenBy, ifSeen, seen, tryRead } from '../kube/access.ts';
import type { Connect, Kube } from '../kube/client/client.ts';
import { networkError } from '../kube/client/errors.ts';
import { type SelectedContext, selectContext } from '../kube/kubeconfig/kubeconfig.ts';
import type { SpaceRole } from '../ocm/kubeflex-names.ts';
import type { ControlPlane } from '../ocm/kubeflex-objects.ts';
import type { ItsChoice } from '../spaces/its-choice.ts';
import { describeSpace } from '../spaces/list-spaces.ts';
import { brokenContext } from '../spaces/own-contexts.ts';
import { accessSpace, contextsOf } from '../spaces/space-access.ts';
import { readSpace, type SpaceEvidence } from '../spaces/space-evidence.ts';
import type { SpaceTools } from '../spaces/space-tools.ts';
import type { SpaceStatus } from './status-view.ts';

/** A control plane, and how to reach it. */
export interface Part {
  role: SpaceRole;
  controlPlane: ControlPlane;
  access: Access<SelectedContext>;
}

/** The reading of the inside of a part. */
export type PartReading<Inside> = Access<{ inside: Inside; kube: Kube }>;

export async function reach(role: SpaceRole, controlPlane: ControlPlane, tools: StatusTools): Promise<Part> {
  const access = await accessSpace(controlPlane, tools);
  const isForbidden = access.state === 'hidden' && access.error?.code === 'forbidden';
  return { role, controlPlane, access: (isForbidden && withoutSecret(controlPlane, tools)) || access };
}

/** A user without the right to read Secrets of the hosting cluster may have a context from another user. */
function withoutSecret({ metadata }: ControlPlane, { kubeconfig, hosting }: StatusTools) {
  const [own] = contextsOf(kubeconfig, metadata.name, hosting.cluster.context);
  return own === undefined ? undefined : seen(selectContext(kubeconfig, own));
}

/** Reads the inside of a part, within the time limit of a part. */
export async function readPart<Inside>(
  { role, controlPlane, access }: Part,
  { parts }: StatusTools,
  read: (kube: Kube) => Promise<Inside>,
): Promise<PartReading<Inside>> {
  if (access.state !== 'seen') return access;
  const kube = parts.open(`${role} ${controlPlane.metadata.name}`, access.value);
  return readInTime(kube, read);
}

export async function readInTime<Inside>(
  kube: Kube,
  read: (kube: Kube) => Promise<Inside>,
): Promise<PartReading<Inside>> {
  const reading = await tryRead(async () => ({ inside: await read(kube), kube }));
  // The time limit belongs to the part, and the user cannot extend it.
  const isLate = reading.state === 'hidden' && reading.error?.code === 'timeout';
  return isLate ? hiddenBy(networkError(kube.cluster, { code: 'ETIMEDOUT' })) : reading;
}

/** What the hosting cluster shows of a space, and the reading of its inside. @returns undefined if it was just deleted */
export async function describePart(
  { role, controlPlane, access }: Part,
  pending: Promise<PartReading<unknown>>,
  all: readonly ControlPlane[],
  tools: StatusTools,
): Promise<{ status: SpaceStatus; evidence: SpaceEvidence } | undefined> {
  const { name } = controlPlane.metadata;
  const [evidence, reading] = await Promise.all([readSpace(tools.hosting, name, role), pending]);
  if (evidence === undefined) return undefined;
  const { its: _, ...outside } = describeSpace(evidence, all, tools.kubeconfig);
  const status = withReading({ ...outside, server: ifSeen(access)?.server ?? null }, reading);
  if (reading.state !== 'seen') return { status, evidence };
  const connect: Connect = (context) => tools.parts.open(`context ${context.name}`, context);
  const own = { space: evidence, kube: reading.value.kube, tools: { ...tools, connect } };
  return { status: withContext(status, await brokenContext(own)), evidence };
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

/** The time limit for one part: an unresponsive part must not use up the time of the whole. */
const partMs = 5000;

interface OpenPart {
  context: SelectedContext;
  kube: Kube;
  deadline: Deadline;
}

/** Clients for the parts of an installation, each with its own deadline, kept between readings. */
export class PartClients {
  readonly #connect: (context: SelectedContext, deadline: Deadline) => Kube;
  readonly #whole: Deadline;
  readonly #parts = new Map<string, OpenPart>();

  /** @param whole the deadline of all parts together */
  constructor(connect: (context: SelectedContext, deadline: Deadline) => Kube, whole: Deadline) {
    this.#connect = connect;
    this.#whole = whole;
  }

  /** A client whose time starts now. @param part identifies the part */
  open(part: string, context: SelectedContext): Kube {
    const limit = this.#whole.requestTimeout(partMs);
    const known = this.#parts.get(part);
    // A recreated space has other credentials at the same address.
    if (known !== undefined && isDeepStrictEqual(known.context, context)) {
      known.deadline.restart(limit);
      return known.kube;
    }
    known?.kube.close();
    const deadline = new Deadline(limit);
    const kube = this.#connect(context, deadline);
    this.#parts.set(part, { context, kube, deadline });
    return kube;
  }
}

/** The tools for reading an installation. */
export interface StatusTools extends Omit<SpaceTools, 'connect' | 'target'> {
  /** The ITS that commands use; undefined if none is selected. */
  chosen: ItsChoice | undefined;
  parts: PartClients;
}
