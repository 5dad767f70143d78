import { StellarError } from '../../errors.ts';
import type { Kube } from '../../kube/client.ts';
import { accessSpace } from '../access.ts';
import type { ControlPlane } from '../objects.ts';
import type { SpaceTools } from '../tools.ts';

/** A client for a space that is looked into before something is deleted, or why there is none. */
export interface Reached {
  kube: Kube | undefined;
  unseen: string | undefined;
}

export async function reach(
  controlPlane: ControlPlane | undefined,
  { hosting, hostingContext, kubeconfig, connect }: SpaceTools,
): Promise<Reached> {
  if (controlPlane === undefined) return { kube: undefined, unseen: 'its ITS is not known' };
  try {
    const access = await accessSpace(hosting, hostingContext, controlPlane, kubeconfig);
    if ('unknown' in access) return { kube: undefined, unseen: access.unknown };
    return { kube: connect(access.context), unseen: undefined };
  } catch (error) {
    return { kube: undefined, unseen: whyUnseen(error) };
  }
}

/** Reads from a space that was reached; that it cannot be read is no reason to stop. */
export async function seen<T>(
  { kube, unseen }: Reached,
  read: (kube: Kube) => Promise<T[] | undefined>,
): Promise<{ items: T[] | undefined; unseen: string | undefined }> {
  if (kube === undefined) return { items: undefined, unseen };
  try {
    return { items: await read(kube), unseen: undefined };
  } catch (error) {
    return { items: undefined, unseen: whyUnseen(error) };
  }
}

function whyUnseen(error: unknown): string {
  if (!(error instanceof StellarError) || error.code === 'interrupted') throw error;
  return error.message;
}
