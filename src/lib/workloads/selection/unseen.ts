import { StellarError } from '../../core/errors.ts';
import { type Access, errorOf, through } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { findWecs, provenWec } from '../../ocm/hub/find-wecs.ts';
import type { ManagedCluster } from '../../ocm/model/ocm-objects.ts';
import type { Wds } from '../../spaces/choose/open-wds.ts';

/** Something that could not be read. */
export interface Unseen {
  /** For example `works`. */
  what: string;
  /** Without a full stop. */
  why: string;
  error: StellarError;
}

/** A view, with what makes it incomplete: what could not be read or was not found. It determines the exit code. */
export interface ViewWithErrors<View> {
  view: View;
  errors: readonly StellarError[];
}

/** @param what for example `works` @returns an empty list if it could be read */
export function unseenOf(what: string, access: Access<unknown>): Unseen[] {
  if (access.state === 'seen') return [];
  return [{ what, why: access.why, error: errorOfUnseen(access) }];
}

/** Access that was not tried has no error: only the ITS can be in this state, and counts as unreachable. */
const errorOfUnseen = (access: Exclude<Access<unknown>, { state: 'seen' }>) =>
  errorOf(access) ?? new StellarError('unreachable', `The ITS is not visible: ${access.why}.`);

/** Returns the ITS that a WDS sends through. @throws StellarError if it is unknown or not reachable */
export function requireIts({ its }: Wds): Kube {
  if (its.state === 'seen') return its.value.kube;
  throw errorOfUnseen(its);
}

/**
 * A client of a WEC that a WDS sends to, once it is proven that it leads there.
 * @param given the client of the context that the user names; without it, those that may lead there by their name
 * @param known its ManagedCluster, if it has been read
 * @throws StellarError what hides the ITS, and those of `provenWec`
 */
export async function openWec(
  wds: Wds,
  wec: string,
  { given, known }: { given?: Kube | undefined; known?: ManagedCluster | undefined } = {},
): Promise<Kube> {
  const kubes = given ? [given] : await wds.contextsNamed?.(wec);
  return provenWec(wec, requireIts(wds), kubes, known);
}

/** The WECs of the ITS that a WDS sends through. */
export const readInventory = ({ its }: Wds): Promise<Access<ManagedCluster[]>> =>
  through(its, async ({ kube }) =>
    (await findWecs(kube, {})).flatMap(({ cluster }) => cluster ?? []),
  );

/** Converts to the format of documents: docs/output.md. */
export const viewOfUnseen = ({ what, why }: Unseen) => ({ what, why });
