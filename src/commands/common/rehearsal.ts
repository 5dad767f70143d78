import type { ChangeResult } from '../../lib/core/each-name.ts';
import type { Forecast } from '../../lib/forecast/forecast.ts';
import type { RowEffect } from '../../lib/forecast/row.ts';
import type { WecChange } from '../../lib/forecast/wec-change.ts';
import { ifSelected, tryRead } from '../../lib/kube/access.ts';
import type { Its } from '../../lib/ocm/hub/its.ts';
import type { Session } from './session.ts';

/** Takes back what rehearsals have left that were killed, as far as a hosting cluster shows them. */
export async function endKilledRehearsals(session: Session): Promise<void> {
  if (session.run.dryRun) return;
  const tools = await ifSelected(() => session.spaceTools());
  if (tools?.state !== 'seen') return;
  const { endRehearsals } = await import('../../lib/maintenance/rehearse.ts');
  await endRehearsals(tools.value, session.run);
}

/** What is worth stopping the transports for. */
const rehearsedEffects: readonly RowEffect[] = [
  'removed',
  'recreated',
  'blocked',
  'crashes',
  'unknown',
];

/**
 * Writes a change of WECs. If it takes workloads away, KubeStellar makes its Bindings first while nothing is sent, and the change is taken back
 * unless they are as foreseen. What keeps that from being done is said, and the forecast alone decides.
 */
export async function rehearsed<Result extends ChangeResult>(
  session: Session,
  its: Its,
  seen: Forecast,
  wecs: readonly WecChange[],
  write: () => Promise<Result[]>,
): Promise<Result[]> {
  if (session.run.dryRun || !seen.rows.some(({ effect }) => rehearsedEffects.includes(effect)))
    return write();
  const { planRehearsal, rehearse } = await import('../../lib/maintenance/rehearse.ts');
  const plans = await tryRead(async () => planRehearsal(seen.bindings, await session.spaceTools()));
  if (plans.state !== 'seen') session.progress.note(`Not rehearsed: ${plans.why}.`);
  if (plans.state !== 'seen' || plans.value.length === 0) return write();
  session.progress.note(
    'Nothing is sent to any WEC until KubeStellar has made its Bindings for the change.',
  );
  const what = `label ${wecs.map(({ name }) => name).join(',')}`;
  const writing = async () => {
    const results = await write();
    for (const { error } of results) if (error !== undefined) throw error;
    return results;
  };
  return rehearse(
    plans.value,
    { what, subject: its.context.name, wecs, bindings: seen.bindings, write: writing },
    session.run,
  );
}
