import type { Kube } from '../kube/client/client.ts';
import { resources } from '../kube/client/resources.ts';
import { listServed } from '../kube/served.ts';
import type { SpaceRole } from '../ocm/kubeflex-names.ts';
import type { ControlPlane } from '../ocm/kubeflex-objects.ts';
import { requireHosting } from './hosting.ts';
import { noSuchSpace } from './no-such-space.ts';
import { checkSpaceName } from './space-requirements.ts';
import { roleOf } from './spaces.ts';

/** Reads the control plane of a space, and all others. @throws StellarError `not-found`, `not-a-hosting-cluster` */
export async function requireSpace(
  name: string,
  role: SpaceRole,
  hosting: Kube,
): Promise<{ all: ControlPlane[]; controlPlane: ControlPlane }> {
  checkSpaceName(name);
  await requireHosting(hosting);
  const all = await listServed<ControlPlane>(hosting, resources.controlPlanes);
  const controlPlane = all.find(({ metadata }) => metadata.name === name);
  if (controlPlane === undefined || roleOf(controlPlane) !== role)
    throw noSuchSpace(name, role, hosting, controlPlane, 'get');
  return { all, controlPlane };
}
