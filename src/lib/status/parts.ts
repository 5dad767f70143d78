import { isDeepStrictEqual } from 'node:util';
import { Deadline } from '../engine/deadline.ts';
import { reportOf } from '../engine/errors.ts';
import { type Access, hiddenBy, ifSeen, reading, seen } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { networkError } from '../kube/client/errors.ts';
import { type SelectedContext, selectContext } from '../kube/kubeconfig/kubeconfig.ts';
import { accessSpace, contextsOf } from '../spaces/access.ts';
import type { ItsChoice } from '../spaces/its-choice.ts';
import { describeSpace } from '../spaces/list-spaces.ts';
import type { SpaceRole } from '../spaces/names.ts';
import type { ControlPlane } from '../spaces/objects.ts';
import { readSpace, type SpaceEvidence } from '../spaces/stages/evidence.ts';
import type { SpaceTools } from '../spaces/tools.ts';
import type { SpaceStatus } from './view.ts';

/** A control plane, and how to reach it. */
export interface Part {
  role: SpaceRole;
  controlPlane: ControlPlane;
  access: Access<SelectedContext>;
}

/** What a look into a part gave. */
export type Look<Inside> = Access<{ inside: Inside; kube: Kube }>;

export async function reach(role: SpaceRole, controlPlane: ControlPlane, tools: StatusTools): Promise<Part> {
  const access = await accessSpace(controlPlane, tools);
  const isForbidden = access.state === 'hidden' && access.error?.code === 'forbidden';
  return { role, controlPlane, access: (isForbidden && withoutSecret(controlPlane, tools)) || access };
}

/** Who may not read Secrets of the hosting cluster may have got a context from somebody who may. */
function withoutSecret({ metadata }: ControlPlane, { kubeconfig, hosting }: StatusTools) {
  const [own] = contextsOf(kubeconfig, metadata.name, hosting.cluster.context);
  return own === undefined ? undefined : seen(selectContext(kubeconfig, own));
}

/** Looks into a part, in the time that a part has. */
export async function lookInto<Inside>(
  { role, controlPlane, access }: Part,
  { parts }: StatusTools,
  read: (kube: Kube) => Promise<Inside>,
): Promise<Look<Inside>> {
  if (access.state !== 'seen') return access;
  const kube = parts.open(`${role} ${controlPlane.metadata.name}`, access.value);
  return lookBy(kube, read);
}

export async function lookBy<Inside>(kube: Kube, read: (kube: Kube) => Promise<Inside>): Promise<Look<Inside>> {
  const look = await reading(async () => ({ inside: await read(kube), kube }));
  // The time that was too short is a part's, which nobody can give more of.
  const isLate = look.state === 'hidden' && look.error?.code === 'timeout';
  return isLate ? hiddenBy(networkError(kube.cluster, { code: 'ETIMEDOUT' })) : look;
}

/**
 * What the hosting cluster shows of a space, and what came of looking into it.
 * @returns undefined where it has just been deleted
 */
export async function describePart(
  { role, controlPlane, access }: Part,
  looking: Promise<Look<unknown>>,
  all: readonly ControlPlane[],
  tools: StatusTools,
): Promise<{ status: SpaceStatus; evidence: SpaceEvidence } | undefined> {
  const { name } = controlPlane.metadata;
  const [evidence, look] = await Promise.all([readSpace(tools.hosting, name, role), looking]);
  if (evidence === undefined) return undefined;
  const { its: _, ...outside } = describeSpace(evidence, all, tools.kubeconfig);
  const server = ifSeen(access)?.server ?? null;
  return { status: withLook({ ...outside, server }, look), evidence };
}

/** A space that does not answer has a problem, unless it is known why it cannot. What a user may not see is no problem of the space. */
export function withLook(outside: SpaceStatus, look: Look<unknown>): SpaceStatus {
  if (look.state === 'seen') return outside;
  const error = look.state === 'hidden' ? look.error : undefined;
  if (error === undefined || error.code === 'forbidden') return { ...outside, notVisible: look.why };
  if (outside.reason !== '') return outside;
  return { ...outside, ready: false, problem: true, reason: look.why, error: reportOf(error) };
}

/** How long a look into one part may take: one that does not answer is not to use up the time of the whole. */
const partMs = 5000;

interface OpenPart {
  context: SelectedContext;
  kube: Kube;
  deadline: Deadline;
}

/** Clients for the parts of an installation, each with a deadline of its own, kept from one look to the next. */
export class PartClients {
  readonly #connect: (context: SelectedContext, deadline: Deadline) => Kube;
  readonly #whole: Deadline;
  readonly #parts = new Map<string, OpenPart>();

  /** @param whole the deadline of all parts together */
  constructor(connect: (context: SelectedContext, deadline: Deadline) => Kube, whole: Deadline) {
    this.#connect = connect;
    this.#whole = whole;
  }

  /** A client whose time begins now. @param part tells the parts apart */
  open(part: string, context: SelectedContext): Kube {
    const limit = this.#whole.requestTimeout(partMs);
    const known = this.#parts.get(part);
    // A space that was made anew has other credentials at the same address.
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

/** What looking at an installation takes. */
export interface StatusTools extends Omit<SpaceTools, 'connect' | 'target'> {
  /** Which ITS commands mean; undefined where none is meant. */
  chosen: ItsChoice | undefined;
  parts: PartClients;
}
