import { formatAge } from '../../core/deadline.ts';
import { conditionOf, type Lease } from '../../kube/client/objects.ts';
import { hubConnectionType } from '../hub/hub-connection.ts';
import { type HubEvidence, hasJoined, isAvailable } from '../hub/hub-evidence.ts';
import { skipClockAnnotation } from '../model/ocm-names.ts';
import { type AgentSide, agentStarted, hasRunningPods } from './wec-evidence.ts';

/** What shows of the agent of a WEC. A side that was not read is undefined. */
export interface AgentEvidence {
  hub: Pick<HubEvidence, 'managedCluster' | 'lease'> | undefined;
  wec?: AgentSide | undefined;
  /** By the clock of the ITS, milliseconds since the epoch. */
  now: number;
}

/** Whether the agent of a WEC runs and reports, since when, and by which evidence. */
export interface AgentLife {
  /** Whether an agent has joined under this name, once, by the ManagedCluster. */
  hasJoined: boolean;
  /** Whether the ITS counts the WEC as available, by the ManagedCluster: it learns only after minutes that an agent is gone. */
  isAvailable: boolean;
  /**
   * By its Lease, which it renews every period × (1…1.25): `late` after two periods, when at least one renewal has failed; `no` after five,
   * when the ITS reports it as unavailable (ocm pkg/registration/spoke/lease, hub/lease). `unknown` without a Lease.
   */
  renews: 'in-time' | 'late' | 'no' | 'unknown';
  /** When it renewed its Lease, milliseconds since the epoch of its node; undefined if it has none. */
  renewed: number | undefined;
  /** How long ago, in milliseconds; undefined if there is none, or if its clock is known to differ. */
  silentFor: number | undefined;
  /** Every so many milliseconds a renewal is due. */
  period: number;
  /** Whether the ITS reports it as missing, and it has not renewed its Lease since. */
  isMissed: boolean;
  /** Whether the operator and the agent run, by their pods; true if those may not be seen. */
  runs: boolean;
  /** When it was restarted after its last renewal, milliseconds since the epoch of its node; undefined if it has renewed its Lease since. */
  restarted: number | undefined;
  /** Whether a restarted agent may still wait for the lock of its predecessor: until then its Lease is not overdue. */
  awaitsLock: boolean;
  /** Whether it keeps its WEC available, and so reaches the ITS, whatever its operator has reported before: that checks every few minutes. */
  reaches: boolean;
}

/** How long an agent may wait for the lock of one that was killed: its 137 s, asked for every 26 s (library-go, leaderelection). */
export const takeoverMs = 163_000;

/** How often an agent renews its Lease if its ManagedCluster does not specify it, in seconds (the default of its definition). */
export const leasePeriodSeconds = 60;

/** Whether an agent runs and reports: the one answer of accept, join, doctor, deregister, upgrades and lists. It reads nothing. */
export function agentLife({ hub = noHub, wec, now }: AgentEvidence): AgentLife {
  const { managedCluster, lease } = hub;
  const renewed = renewedAt(lease);
  const period = (managedCluster?.spec?.leaseDurationSeconds ?? leasePeriodSeconds) * 1000;
  const isSkewed = managedCluster?.metadata.annotations?.[skipClockAnnotation] === 'true';
  const age = isSkewed ? Number.NaN : now - renewed;
  const { status, lastTransitionTime = '' } =
    conditionOf(managedCluster, 'ManagedClusterConditionAvailable') ?? {};
  const started = wec && agentStarted(wec);
  // Both times are of its own node, the start in whole seconds.
  const restarted = started !== undefined && renewed < started - 1000 ? started : undefined;
  const isCounted = hasJoined(hub) && isAvailable(hub);
  const reported = conditionOf(wec?.klusterlet, hubConnectionType)?.lastTransitionTime ?? '';
  return {
    hasJoined: hasJoined(hub),
    isAvailable: isAvailable(hub),
    renews: renewalAfter(age / period),
    renewed: Number.isNaN(renewed) ? undefined : renewed,
    silentFor: Number.isNaN(age) ? undefined : age,
    period,
    isMissed: status === 'Unknown' && renewed <= Date.parse(lastTransitionTime),
    runs: wec === undefined || hasRunningPods(wec),
    restarted,
    awaitsLock: restarted !== undefined && now - restarted < takeoverMs,
    // The ITS learns as late that an agent does not reach it: one that was restarted, and of which the operator has reported since, is not known to.
    reaches: isCounted && (restarted === undefined || !(Date.parse(reported) > renewed)),
  };
}

const noHub = { managedCluster: undefined, lease: undefined };

const renewalAfter = (periods: number): AgentLife['renews'] =>
  Number.isNaN(periods) ? 'unknown' : periods > 5 ? 'no' : periods > 2 ? 'late' : 'in-time';

/** When a Lease was renewed, in milliseconds since the epoch; NaN if there is none. */
export const renewedAt = (lease: Lease | undefined) => Date.parse(lease?.spec?.renewTime ?? '');

/** Why an agent that still counts as available is overdue; undefined if it is not, or the WEC does not count as available. */
export const overdueLease = (life: AgentLife): string | undefined =>
  (life.renews === 'late' || life.renews === 'no') && life.hasJoined && life.isAvailable
    ? `lease not renewed for ${formatAge(life.silentFor ?? 0)} (due every ${formatAge(life.period)})`
    : undefined;
