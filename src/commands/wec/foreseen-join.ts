import type { Forecast } from '../../lib/forecast/forecast.ts';
import type { Kube } from '../../lib/kube/client/client.ts';
import type { HubAccess } from '../../lib/ocm/hub/hub-access.ts';
import type { JoinOptions } from '../../lib/wecs/join/join-options.ts';
import { openRehearsal, type RehearsalOptions } from '../common/rehearsal.ts';
import type { Session } from '../common/session.ts';

/**
 * Refuses a join that takes workloads away from WECs, or may do so, before anything is written: by its labels, or because policies select
 * the WEC without any as soon as it is registered, also before it is accepted (kubestellar 0.30.0, seen). What it allows, KubeStellar
 * tries, with WECs of the same names and labels that are not accepted.
 * @returns what was read, for the join @throws StellarError `loss-unknown`, `forecast-wrong`
 */
export async function requireForeseenJoin(
  session: Session,
  { kube }: HubAccess,
  wecs: readonly { name: string; kube?: Kube }[],
  { labels }: JoinOptions,
  options: RehearsalOptions & { maxRemoved?: number | undefined },
): Promise<Forecast> {
  const { noForecast } = await import('../../lib/forecast/read-forecast.ts');
  // Such a join writes nothing on the ITS.
  if (kube === undefined) return noForecast;
  const { changesFor } = await import('../../lib/core/changes.ts');
  const { findWecs } = await import('../../lib/ocm/hub/find-wecs.ts');
  const { unlessStatus } = await import('../../lib/kube/client/errors.ts');
  const { labelChanges } = await import('../../lib/wecs/values/label-changes.ts');
  const { requireForeseen } = await import('../common/forecast-text.ts');
  const reading = findWecs(kube, { names: wecs.map(({ name }) => name) });
  // A join needs the right to read them too, and says all that it may not do.
  const found = await unlessStatus(reading, 403);
  if (found === undefined) return noForecast;
  const changes = await labelChanges(
    kube,
    found.map(({ name, cluster }) => ({
      name,
      cluster,
      labels: changesFor(name, labels),
      isNew: cluster?.spec?.hubAcceptsClient !== true,
    })),
  );
  const lookOn = async (name: string) => wecs.find((wec) => wec.name === name)?.kube;
  const its = await session.its();
  const { maxRemoved } = options;
  const effects = await requireForeseen(session, its, changes, { maxRemoved, lookOn });
  const { isTried, triedLabels } = await import('../../lib/maintenance/tried.ts');
  const tried = found.flatMap(({ name, cluster }) => {
    const after = changes.find((change) => change.name === name)?.after ?? {};
    return triedLabels(name, cluster && (cluster.metadata.labels ?? {}), after);
  });
  const rehearsal = await openRehearsal(session, options);
  const what = `wec join ${wecs.map(({ name }) => name).join(',')}`;
  const subject = its.context.name;
  await rehearsal.prepare({ what, subject, tried: tried.filter(isTried), effects });
  session.noteLines(rehearsal.lines());
  await rehearsal.tryOut();
  return effects;
}
