import { StellarError } from '../../errors.ts';
import type { Run } from '../../run.ts';
import { checkKlusterlet, cleanUpWec } from './clean-up.ts';
import type { DeregisterResult, LeavingWec } from './deregister.ts';

/** Removes the klusterlet from a cluster, without access to its ITS. An error is in the result. */
export async function cleanUpLocally({ name, kube }: Required<LeavingWec>, run: Run): Promise<DeregisterResult> {
  const result: DeregisterResult = { name, changed: false };
  if (kube === undefined) throw new Error('cleaning up a WEC needs a client for it');
  run.progress.waiting(name, 'removing the klusterlet');
  try {
    await checkKlusterlet(kube, name, undefined);
    const changed = await cleanUpWec(kube, name, true, run);
    result.changed = changed && !kube.dryRun;
    if (!kube.dryRun) run.progress.done(name, changed ? 'klusterlet removed' : 'has no klusterlet; nothing to do');
  } catch (error) {
    if (!(error instanceof StellarError)) throw error;
    result.error = error;
    run.progress.failed(name, error.message);
  }
  return result;
}
