import { command } from '../core/command-line.ts';
import { StellarError } from '../core/errors.ts';
import { run as nextStep } from '../core/next-step.ts';
import type { Kube } from '../kube/client/client.ts';
import { resources } from '../kube/client/resources.ts';
import { listServed } from '../kube/served.ts';
import { roleWithArticle, type SpaceRole } from '../ocm/kubeflex-names.ts';
import type { ControlPlane } from '../ocm/kubeflex-objects.ts';
import { requireHosting } from './hosting.ts';
import { checkSpaceName } from './space-requirements.ts';
import { roleOf } from './spaces.ts';

type Verb = 'get' | 'repair' | 'context' | 'delete';

/** Reads the control plane of a space, and all others. @throws StellarError `not-found`, `not-a-hosting-cluster` */
export async function requireSpace(
  name: string,
  role: SpaceRole,
  hosting: Kube,
  verb: Verb = 'get',
): Promise<{ all: ControlPlane[]; controlPlane: ControlPlane }> {
  checkSpaceName(name);
  await requireHosting(hosting);
  const all = await listServed<ControlPlane>(hosting, resources.controlPlanes);
  const controlPlane = all.find(({ metadata }) => metadata.name === name);
  if (controlPlane === undefined || roleOf(controlPlane) !== role)
    throw noSuchSpace(name, role, hosting, controlPlane, verb);
  return { all, controlPlane };
}

/** The error for a name without such a space. @param present the control plane of that name, if any */
export function noSuchSpace(
  name: string,
  role: SpaceRole,
  { cluster }: Kube,
  present: ControlPlane | undefined,
  verb: Verb,
): StellarError {
  const other = present && roleOf(present);
  if (other !== undefined) {
    return new StellarError('not-found', `${name} is ${roleWithArticle(other)}.`, {
      next: [nextStep(command`stellarctl ${other} ${verb} ${name} --hosting-context ${cluster.context}`)],
    });
  }
  return new StellarError('not-found', `There is no ${role.toUpperCase()} ${name} on ${cluster.context}.`, {
    next: [nextStep(command`stellarctl ${role} list --hosting-context ${cluster.context}`, 'See what exists')],
  });
}
