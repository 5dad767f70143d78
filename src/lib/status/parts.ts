import { reportOf, StellarError } from '../errors.ts';
import type { Kube } from '../kube/client.ts';
import { networkError } from '../kube/errors.ts';
import { type SelectedContext, selectContext } from '../kube/kubeconfig.ts';
import { accessSpace, contextsOf } from '../kubeflex/access.ts';
import { listSpace } from '../kubeflex/list-spaces.ts';
import type { SpaceRole } from '../kubeflex/names.ts';
import type { ControlPlane } from '../kubeflex/objects.ts';
import type { StatusTools } from './tools.ts';
import type { SpaceStatus } from './view.ts';

/** A control plane, and how to reach it. */
export interface Part {
  role: SpaceRole;
  controlPlane: ControlPlane;
  access: Access;
}

type Access = { context: SelectedContext } | { unseen: string } | { error: StellarError };

/** What a look into a part gave. */
export type Look<Inside> = { inside: Inside; kube: Kube } | Exclude<Access, { context: SelectedContext }>;

/** What may go wrong in one part without stopping the others. @throws whatever is no failure of the part */
export function failureOf(error: unknown): StellarError {
  if (!(error instanceof StellarError) || error.code === 'interrupted') throw error;
  return error;
}

export async function reach(role: SpaceRole, controlPlane: ControlPlane, tools: StatusTools): Promise<Part> {
  const { hosting, hostingContext, kubeconfig } = tools;
  const access = await accessSpace(hosting, hostingContext, controlPlane, kubeconfig).then(
    (found) => ('unknown' in found ? { unseen: found.unknown } : found),
    (error: unknown) => withoutSecret(failureOf(error), controlPlane, tools),
  );
  return { role, controlPlane, access };
}

/** Who may not read Secrets of the hosting cluster may have got a context from somebody who may. */
function withoutSecret(error: StellarError, { metadata }: ControlPlane, tools: StatusTools): Access {
  const { kubeconfig, hosting } = tools;
  const [own] = contextsOf(kubeconfig, metadata.name, hosting.cluster.context);
  return error.code === 'forbidden' && own !== undefined ? { context: selectContext(kubeconfig, own) } : { error };
}

/** Looks into a part, in the time that a part has. */
export async function lookInto<Inside>(
  { role, controlPlane, access }: Part,
  { parts }: StatusTools,
  read: (kube: Kube) => Promise<Inside>,
): Promise<Look<Inside>> {
  if (!('context' in access)) return access;
  const kube = parts.open(`${role} ${controlPlane.metadata.name}`, access.context);
  return lookBy(kube, read);
}

export async function lookBy<Inside>(kube: Kube, read: (kube: Kube) => Promise<Inside>): Promise<Look<Inside>> {
  try {
    return { inside: await read(kube), kube };
  } catch (error) {
    const failure = failureOf(error);
    // The time that was too short is a part's, which nobody can give more of.
    return { error: failure.code === 'timeout' ? networkError(kube.cluster, { code: 'ETIMEDOUT' }) : failure };
  }
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
): Promise<SpaceStatus | undefined> {
  const { name } = controlPlane.metadata;
  const [item, look] = await Promise.all([listSpace(name, role, all, tools), looking]);
  if (item === undefined) return undefined;
  const { its: _, ...outside } = item;
  const server = 'context' in access ? access.context.server : null;
  return withLook({ ...outside, server }, look);
}

/** A space that does not answer has a problem, unless it is known why it cannot. What a user may not see is no problem of the space. */
export function withLook(outside: SpaceStatus, look: Look<unknown>): SpaceStatus {
  if ('inside' in look) return outside;
  if ('unseen' in look) return { ...outside, unseen: look.unseen };
  const { error } = look;
  const statement = error.message.replace(/\.$/, '');
  if (error.code === 'forbidden') return { ...outside, unseen: statement };
  if (outside.reason !== '') return outside;
  return { ...outside, ready: false, problem: true, reason: statement, error: reportOf(error) };
}
