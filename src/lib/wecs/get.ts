import { rfc3339 } from '../core/deadline.ts';
import { diagnosisOf } from '../core/next-step.ts';
import { stageViews, standingOf } from '../core/stages.ts';
import { partialReader } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { conditionOf, createdAt, type Pod } from '../kube/client/objects.ts';
import { type LostNode, lostNodeOf } from '../kube/lost-nodes.ts';
import { agentLife, leasePeriodSeconds, overdueLease } from '../ocm/agent/agent-life.ts';
import { hubOf } from '../ocm/agent/klusterlet-agent.ts';
import { singletonAgentId, type WecEvidence } from '../ocm/agent/wec-evidence.ts';
import type { Endpoint } from '../ocm/hub/endpoint.ts';
import type { HubEvidence } from '../ocm/hub/hub-evidence.ts';
import { effectiveProperties } from '../ocm/model/customization.ts';
import type { Klusterlet } from '../ocm/model/ocm-objects.ts';
import { readBothSides, unread } from './diagnose/read-both-sides.ts';
import { diagnose, wecVersions } from './diagnose/wec-checks.ts';
import { mailboxView } from './registration/mailbox.ts';
import { conditionViews, requestView } from './registration/wec-view.ts';
import { getPropertiesOf } from './values/properties.ts';

/** All evidence of one WEC. The fields are an interface: docs/output.md. */
export type WecView = Awaited<ReturnType<typeof getWec>>;

/**
 * Reads everything that an ITS and, with its client, the WEC itself show of one WEC. The result lists what could not be read.
 * @param endpoints the known addresses of the ITS, read if the WEC's agent may use another one
 * @throws StellarError `not-found` for a name that neither side knows; `forbidden` if the ITS may not be read
 */
export async function getWec(
  hub: Kube,
  name: string,
  wec: Kube | undefined,
  endpoints: () => Promise<readonly Endpoint[]>,
) {
  const reader = partialReader(hub);
  const [{ findings, notVisible, error }, configMap] = await Promise.all([
    readBothSides(hub, { name, kube: wec }, endpoints),
    getPropertiesOf(reader, name),
  ]);
  const { hub: evidence, wec: seen, reports } = findings;
  const { managedCluster } = evidence;
  const versions = wecVersions(
    seen,
    wec === undefined ? 'shows on the WEC itself only' : error?.message,
  );
  const wrong = diagnose(findings, error);
  return {
    name,
    its: hub.cluster.context,
    created: managedCluster === undefined ? null : rfc3339(createdAt(managedCluster)),
    kubernetesVersion: managedCluster?.status?.version?.kubernetes ?? null,
    /** The agent that has its certificate. */
    agent: { id: agentIdOf(evidence, seen?.klusterlet) },
    /** Of the operator and the agents. */
    versions,
    ...standingOf(reports),
    stages: stageViews(reports),
    conditions: conditionViews(managedCluster?.status?.conditions),
    labels: managedCluster?.metadata.labels ?? {},
    properties: effectiveProperties(name, managedCluster, configMap),
    /** Null until the ITS has created one. */
    mailbox: mailboxView(name, findings.contents),
    /** Renewal: from an agent that requests its next certificate. */
    requests: evidence.requests.map((request) => ({
      ...requestView(request),
      renewal: request.renewal,
    })),
    /** Overdue: at least one renewal has failed, but the ITS still reports the WEC as available. */
    lease:
      evidence.lease === undefined
        ? null
        : {
            renewed: evidence.lease.spec?.renewTime ?? null,
            durationSeconds: managedCluster?.spec?.leaseDurationSeconds ?? leasePeriodSeconds,
            overdue: overdueLease(agentLife({ hub: evidence, now: hub.now() })) !== undefined,
          },
    /** Null if it was not read or could not be read. */
    wec: seen === undefined ? null : sideView(seen, findings.lostNodes),
    /** What could not be read, and why. */
    notVisible: [...notVisible, ...unread(reader, hub)],
    /** The problem, or what the WEC waits for, in a sentence with the next commands; null if all is well. */
    diagnosis: wrong === undefined ? null : diagnosisOf(wrong),
  };
}

/** The agent that has the certificate of a WEC. @param klusterlet the Klusterlet of the cluster that was read */
function agentIdOf(
  { name, requests }: HubEvidence,
  klusterlet: Klusterlet | undefined,
): string | null {
  const certified = requests.findLast(
    ({ state, agent }) => agent !== undefined && state === 'issued',
  );
  return (
    (klusterlet?.spec?.clusterName === name && singletonAgentId(klusterlet)) ||
    (certified?.agent ?? null)
  );
}

function sideView(evidence: WecEvidence, lost: readonly LostNode[] = []) {
  const { context, klusterlet, pods = [] } = evidence;
  const { spec, status } = klusterlet ?? {};
  return {
    context,
    klusterlet: klusterlet
      ? {
          clusterName: spec?.clusterName ?? null,
          mode: spec?.deployOption?.mode ?? null,
          hub: hubOf(evidence)?.server ?? null,
          conditions: conditionViews(status?.conditions),
        }
      : null,
    pods: pods.map((pod) => toPod(pod, lost)),
  };
}

function toPod(pod: Pod, lost: readonly LostNode[]) {
  const { metadata, spec, status } = pod;
  const containers = status?.containerStatuses ?? [];
  const waiting = containers.find(({ state }) => state?.waiting?.reason !== undefined)?.state
    ?.waiting;
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    phase: status?.phase ?? 'Unknown',
    ready:
      containers.length > 0 &&
      containers.every(({ ready }) => ready === true) &&
      // The statuses of containers are those of before its node was lost.
      conditionOf(pod, 'Ready')?.status !== 'False',
    restarts: containers.reduce((sum, { restartCount = 0 }) => sum + restartCount, 0),
    /** Why a container does not start, with the container's own message; why the pod does not run, if its node is lost or has evicted it. */
    waitingReason:
      lostNodeOf(pod, lost)?.why ??
      ([waiting?.reason ?? status?.reason, waiting?.message ?? status?.message]
        .filter(Boolean)
        .join(': ') ||
        null),
    images: (spec?.containers ?? []).flatMap(({ image }) => image ?? []),
  };
}
