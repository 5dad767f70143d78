import { forName, type NamedResult } from '../../core/each-name.ts';
import { StellarError } from '../../core/errors.ts';
import { command, partial, run } from '../../core/next-step.ts';
import { type Confirm, readConfirmed } from '../../core/read-confirmed.ts';
import type { Run } from '../../core/run.ts';
import type { Kube } from '../../kube/client/client.ts';
import { describeCluster } from '../../kube/client/errors.ts';
import { proving } from '../../kube/writes.ts';
import { readWec } from '../../ocm/agent/wec-evidence.ts';
import { otherRole } from '../registration/identity.ts';
import { type CleanupRecord, cleanUpWec, readCleanupRecord } from './clean-up.ts';
import { refuseForeignObjects } from './foreign-objects.ts';
import { hasNoRegistration, hubHashOf } from './inspect-wec.ts';

/** A cluster from which the klusterlet is removed. */
export interface InspectedLocalWec {
  name: string;
  kube: Kube;
  /** Undefined if the cluster has nothing of a registration. */
  record: CleanupRecord | undefined;
}

/**
 * Removes klusterlets without access to their ITS; the workloads stay.
 * @throws StellarError if one of them cannot be removed or the user declines; nothing has been written then
 */
export async function deregisterLocally(
  wecs: readonly Omit<InspectedLocalWec, 'record'>[],
  confirm: Confirm<InspectedLocalWec[]>,
  run: Run,
): Promise<NamedResult[]> {
  const inspected = await readConfirmed({
    read: () =>
      Promise.all(wecs.map(async (wec) => ({ ...wec, record: await inspectLocally(wec) }))),
    effects: (seen) =>
      seen.flatMap(({ name, record }) => (record ? { object: 'klusterlet', wec: name } : [])),
    confirm,
  });
  return Promise.all(
    inspected.map(({ name, kube, record }) => {
      const result: NamedResult = { name, changed: false };
      run.progress.waiting(name, 'removing the klusterlet');
      return forName(result, run, async () => {
        const isCleaned =
          record !== undefined && (await cleanUpWec(proving(kube), record, true, run));
        run.progress.done(name, isCleaned ? 'cleaned up' : 'has no klusterlet; nothing to do');
      });
    }),
  );
}

/**
 * Reads what a klusterlet's own cluster shows of a registration, without its ITS: only the Klusterlet's name can be compared.
 * @returns undefined if the cluster has nothing of a registration
 * @throws StellarError `registered-elsewhere`, `identity-unproven`, `forbidden`
 */
async function inspectLocally(
  wec: Omit<InspectedLocalWec, 'record'>,
): Promise<CleanupRecord | undefined> {
  const { name } = wec;
  const kube = proving(wec.kube);
  const [evidence, before] = await Promise.all([readWec(kube), readCleanupRecord(kube)]);
  const registered = evidence.klusterlet?.spec?.clusterName;
  const cluster = describeCluster(kube.cluster);
  if (registered === name) {
    const hubHash = hubHashOf(evidence);
    await refuseForeignObjects(kube, hubHash);
    return { name, hub: null, hubHash };
  }
  const give = partial(
    command`stellarctl deregister --local ${`${name}=CONTEXT`}`,
    `Give the context of ${name}`,
  );
  const elsewhere = (what: string) =>
    new StellarError('registered-elsewhere', `${cluster} is ${what}. Nothing was written.`, give);
  if (registered !== undefined) throw elsewhere(`registered as ${registered}, not as ${name}`);
  if (before?.name === name) return before;
  const role = await otherRole(kube);
  if (role !== undefined) throw elsewhere(`not the WEC ${name}: ${role.found}`);
  if (hasNoRegistration(evidence)) return undefined;
  throw new StellarError(
    'identity-unproven',
    `${cluster} has parts of a klusterlet, and no Klusterlet that names ${name}. Nothing was written.`,
    run(
      command`kubectl --context ${kube.cluster.context} get klusterlets,namespaces,deployments -A`,
      'Look at it',
    ),
  );
}
