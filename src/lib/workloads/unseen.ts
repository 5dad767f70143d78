import { StellarError } from '../engine/errors.ts';
import type { Access } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import type { OpenWds } from '../spaces/open-wds.ts';

/** Something that could not be read. */
export interface Unseen {
  /** As `works`. */
  what: string;
  /** Without a full stop. */
  why: string;
  error: StellarError;
}

/** What is shown, with what keeps that from being all: what could not be read, or is not there. It makes the exit code. */
export interface Sighted<View> {
  view: View;
  errors: readonly StellarError[];
}

/** @param what as `works` @returns nothing where it is seen */
export function unseenOf(what: string, access: Access<unknown>): Unseen[] {
  if (access.state === 'seen') return [];
  return [{ what, why: access.why, error: errorOf(access) }];
}

/** What was not even tried is not known to be reached: that is the ITS alone. */
const errorOf = (access: Exclude<Access<unknown>, { state: 'seen' }>): StellarError =>
  (access.state === 'hidden' ? access.error : undefined) ??
  new StellarError('unreachable', `The ITS is not seen: ${access.why}.`);

/** The ITS that a WDS sends through. @throws StellarError where it is not known, or cannot be reached */
export function requireIts({ its }: OpenWds): Kube {
  if (its.state === 'seen') return its.value.kube;
  throw errorOf(its);
}

/** As documents have it: docs/output.md. */
export const viewOfUnseen = ({ what, why }: Unseen): { what: string; why: string } => ({ what, why });
