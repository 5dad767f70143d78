import type { AppliedManifestWork } from '../../kube/objects.ts';
import { appliedManifestWorks } from '../../kube/resources.ts';
import type { WorkContext } from './work-context.ts';

/** With this grace period or a longer one, nothing is evicted (ocm pkg/work/spoke, EvictionGracePeriodBound). */
const never = 100 * 365 * 24 * 3_600_000;

/** `--appliedmanifestwork-eviction-grace-period` of an agent, in milliseconds; OCM's default is an hour. */
export function gracePeriod(args: readonly string[]): number {
  const flag = '--appliedmanifestwork-eviction-grace-period=';
  const given = args.find((arg) => arg.startsWith(flag))?.slice(flag.length) ?? '60m';
  const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000 };
  return [...given.matchAll(/(\d+)([hms])/g)].reduce(
    (sum, [, number, unit = '']) => sum + Number(number) * (units[unit] ?? 0),
    0,
  );
}

/**
 * Deletes an AppliedManifestWork of this agent once its work has been missing on the hub for the grace period; one of another hub
 * always counts as missing (ocm pkg/work/spoke/controllers/finalizercontroller, unmanaged_appliedmanifestwork_controller.go).
 * @returns the milliseconds until the grace period is over; undefined if nothing is to be done then
 */
export async function evict(
  { own, agentId, hubHash, graceMs }: WorkContext,
  item: AppliedManifestWork,
  isOnHub: boolean,
): Promise<number | undefined> {
  const { name, deletionTimestamp } = item.metadata;
  if (item.spec.agentID !== agentId || deletionTimestamp) return undefined;
  const started = item.status?.evictionStartTime;
  const patch = (evictionStartTime: string | null) =>
    own.patch(appliedManifestWorks, name, { status: { evictionStartTime } }, { subresource: 'status' });
  if (graceMs >= never || (isOnHub && name.startsWith(hubHash))) {
    if (started) await patch(null);
    return undefined;
  }
  if (!started) await patch(`${new Date().toISOString().slice(0, 19)}Z`);
  const left = (started ? Date.parse(started) : Date.now()) + graceMs - Date.now();
  if (left > 0) return left;
  await own.delete(appliedManifestWorks, name);
  return undefined;
}
