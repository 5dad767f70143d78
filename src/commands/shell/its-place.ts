import { ifSeen, reading } from '../../lib/kube/access.ts';
import type { ItsPlace } from '../../lib/local-clusters/network.ts';
import type { Session } from './session.ts';

/**
 * Where the ITS runs, as far as that can be found out. Clusters can also be made before there is one, or while it is out of reach:
 * then it is taken to be where the hosting cluster is.
 */
export async function findItsPlace(session: Session): Promise<ItsPlace | undefined> {
  return ifSeen(await reading(() => placeOfIts(session))) ?? ifSeen(await reading(() => placeOfHosting(session)));
}

async function placeOfIts(session: Session): Promise<ItsPlace | undefined> {
  const { placeOf } = await import('../../lib/local-clusters/network.ts');
  const { hubEndpoints } = await import('../../lib/wecs/hub/hub-access.ts');
  const { context, kube } = await session.its();
  const { contexts } = await session.kubeconfig();
  return placeOf(context.name, await hubEndpoints(kube, context), contexts.get(context.name)?.cluster);
}

async function placeOfHosting(session: Session): Promise<ItsPlace | undefined> {
  const { placeOf } = await import('../../lib/local-clusters/network.ts');
  const { hostingContext } = await import('../../lib/spaces/kubeconfig-extension.ts');
  const kubeconfig = await session.kubeconfig();
  const hosting = hostingContext(kubeconfig);
  return hosting === undefined ? undefined : placeOf(hosting, [], kubeconfig.contexts.get(hosting)?.cluster);
}
