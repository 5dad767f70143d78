import { StellarError } from '../core/errors.ts';
import type { NextStep } from '../core/next-step.ts';
import type { OpenWds } from '../spaces/open-wds.ts';

/** The error for an object of another content than the one to create. */
export const nameTaken = (what: string, { name: wds }: OpenWds, ...next: NextStep[]): StellarError =>
  new StellarError('name-taken', `${wds} already has a different ${what}. Nothing was written.`, { next });
