import { formatAge } from '../core/duration.ts';
import type { Kube } from '../kube/client/client.ts';
import { unlessStatus } from '../kube/client/errors.ts';
import type { Pod } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import { isRunning } from '../kube/pods.ts';
import { listServed } from '../kube/served.ts';
import { agentReports, hasJoined, leaseAgeOf } from '../ocm/hub-evidence.ts';
import { agentNamespace } from '../ocm/ocm-names.ts';
import type { HubState } from './hub-state.ts';

/** The pods that apply works: the one agent of mode Singleton, and the work agent of mode Default (ocm pkg/operator). */
const workAgentApps = ['klusterlet-agent', 'klusterlet-manifestwork-agent'];

/** The pods of the agent on a WEC. @returns undefined if they may not be read */
export async function workAgentPods(wec: Kube): Promise<Pod[] | undefined> {
  const pods = await unlessStatus(listServed<Pod>(wec, resources.pods, { namespace: agentNamespace }), 403);
  return pods?.filter(({ metadata }) => workAgentApps.includes(metadata.labels?.app ?? ''));
}

/**
 * Why a WEC's agent does not work; undefined if there is no evidence for that. Pods show it at once; the Lease shows it if pods
 * cannot be read, and for an agent that runs and does not reach the ITS.
 * @param now the ITS's clock, milliseconds since the epoch
 */
export function whyNotRunning(hub: HubState, pods: readonly Pod[] | undefined, now: number): string | undefined {
  if (!hasJoined(hub)) return 'it has never joined';
  if (pods !== undefined && !pods.some(isRunning)) return describePods(pods);
  if (hub.lease?.spec?.renewTime === undefined) return 'it has no lease';
  return agentReports(hub, now) === 'no'
    ? `its lease was last renewed ${formatAge(leaseAgeOf(hub, now) ?? 0)} ago`
    : undefined;
}

function describePods(pods: readonly Pod[]): string {
  const [pod] = pods;
  if (pod === undefined) return 'it has no pod';
  const waiting = pod.status?.containerStatuses?.find(({ state }) => state?.waiting)?.state?.waiting?.reason;
  return `its pod ${pod.metadata.name} is ${waiting ?? (pod.status?.phase === 'Running' ? 'not ready' : pod.status?.phase)}`;
}
