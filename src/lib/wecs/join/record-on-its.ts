import { type Changes, changesFor, effectiveChanges } from '../../core/changes.ts';
import type { Run } from '../../core/run.ts';
import type { Kube } from '../../kube/client/client.ts';
import { ApiError } from '../../kube/client/errors.ts';
import { resources, typeMeta } from '../../kube/client/objects.ts';
import { retryConflicts } from '../../kube/writes.ts';
import { isAgentOf, presentCertificate } from '../../ocm/agent/agent-certificate.ts';
import type { WecEvidence } from '../../ocm/agent/wec-evidence.ts';
import { clusterUidAnnotation, recordedUid, recordUid } from '../../ocm/hub/cluster-uid.ts';
import type { HubAccess } from '../../ocm/hub/hub-access.ts';
import { bootstrapRequests, emptyEvidence, type HubEvidence } from '../../ocm/hub/hub-evidence.ts';
import type { ManagedCluster } from '../../ocm/model/ocm-objects.ts';
import { acceptCluster } from '../registration/acceptance.ts';
import type { JoinOptions } from './join-options.ts';
import type { JoinPlan } from './join-plan.ts';
import { refuseLabelConflicts } from './join-requirements.ts';

/** Writes the records of a join to a ManagedCluster as soon as it exists: its labels and the identity of its cluster. */
export interface HubRecords {
  /**
   * @param agent the id of the WEC's agent, if its mode makes it known
   * @returns what was written, in words
   */
  write(hub: HubEvidence, wec: WecEvidence, agent: string | undefined): Promise<string[]>;
}

export function hubRecords(hub: Kube, plan: JoinPlan, given: GivenLabels, run: Run): HubRecords {
  /** The UID of the ManagedCluster that the others describe. */
  let written: string | undefined;
  let isLabelled = false;
  let isIdentified = false;

  /** Sets the given labels. @returns what was written, in words */
  const label = async (cluster: ManagedCluster, evidence: HubEvidence) => {
    refuseLabelConflicts({ its: hub.cluster.context }, evidence, given);
    const { name, uid } = cluster.metadata;
    const changes = labelsToSet(name, cluster, given);
    const words = [
      isNone(changes.labels) ? [] : 'labelled',
      isNone(changes.annotations) ? [] : 'annotated',
    ].flat();
    if (words.length > 0)
      await hub.merge(resources.managedClusters, name, { metadata: { uid, ...changes } });
    return words;
  };

  /** Only for the proven cluster: by an earlier proof, by its certificate now, or as the only one whose agent requests the name. */
  const identify = async (
    cluster: ManagedCluster,
    evidence: HubEvidence,
    wec: WecEvidence,
    agent?: string,
  ) => {
    const { uid, identity, name } = plan;
    isIdentified = recordedUid(cluster) !== undefined;
    if (isIdentified || uid === undefined) return false;
    const isOwn =
      identity.state === 'proven' ||
      isOnlyAgent(evidence, agent) ||
      (await holdsCertificate(hub, name, wec.hubSecret));
    if (!isOwn) return false;
    try {
      // The hub's controllers write to a new ManagedCluster as well.
      const isWritten = await retryConflicts(hub, async (isFirst) => {
        const current = isFirst
          ? cluster
          : await hub.get<ManagedCluster>(resources.managedClusters, name);
        return (
          current !== undefined &&
          current.metadata.uid === cluster.metadata.uid &&
          recordUid(hub, current, uid)
        );
      });
      isIdentified = true;
      return isWritten;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // The registration does not depend on it: any other failure is retried.
      isIdentified = error.status === 403;
      if (isIdentified)
        run.progress.note(
          `The identity of ${name} was not recorded: this user may not change ManagedClusters.`,
        );
      return false;
    }
  };

  return {
    async write(evidence, wec, agent) {
      const { managedCluster } = evidence;
      // Writes to a cluster that is being deleted are lost: the cluster that is announced next gets them.
      if (managedCluster === undefined || managedCluster.metadata.deletionTimestamp !== undefined)
        return [];
      if (written !== managedCluster.metadata.uid) {
        written = managedCluster.metadata.uid;
        isLabelled = false;
        isIdentified = plan.uid === undefined;
      }
      const words = isLabelled ? [] : await label(managedCluster, evidence);
      isLabelled = true;
      if (!isIdentified && (await identify(managedCluster, evidence, wec, agent)))
        words.push('identity recorded');
      return words;
    },
  };
}

type GivenLabels = Pick<JoinOptions, 'labels' | 'annotations'>;

const isNone = (changes: Changes): boolean => Object.keys(changes).length === 0;

/** What a join changes on a ManagedCluster. */
function labelsToSet(
  name: string,
  cluster: ManagedCluster | undefined,
  { labels, annotations = {} }: GivenLabels,
) {
  const present = cluster?.metadata;
  return {
    labels: effectiveChanges(present?.labels ?? {}, changesFor(name, labels)),
    annotations: effectiveChanges(present?.annotations ?? {}, annotations),
  };
}

async function holdsCertificate(
  hub: Kube,
  name: string,
  secret: WecEvidence['hubSecret'],
): Promise<boolean> {
  if (secret === undefined) return false;
  const answer = await presentCertificate(hub, secret);
  return answer.state === 'accepted' && isAgentOf(name, answer.username);
}

function isOnlyAgent(hub: HubEvidence, agent: string | undefined): boolean {
  const agents = new Set(bootstrapRequests(hub).map((request) => request.agent));
  return agent !== undefined && agents.size === 1 && agents.has(agent);
}

/** Records in a dry run what a join would write to the ITS, most of which does not exist yet. */
export async function recordHubWrites(
  { kube: hub }: HubAccess,
  plan: JoinPlan,
  options: JoinOptions,
): Promise<void> {
  if (hub === undefined) return;
  const { name, hubBefore, uid } = plan;
  const { managedCluster } = hubBefore ?? emptyEvidence(name);
  if (options.accept) {
    const pending = bootstrapRequests(hubBefore ?? emptyEvidence(name)).filter(
      ({ state }) => state === 'pending',
    );
    // The ITS names a request: the WEC's name and some letters.
    const names = pending.length === 0 ? [`${name}-*`] : pending.map((request) => request.name);
    const csrs = resources.certificateSigningRequests;
    for (const each of names)
      await hub.replace(csrs, { ...typeMeta(csrs), metadata: { name: each } }, 'approval');
    if (managedCluster?.spec?.hubAcceptsClient !== true) await acceptCluster(hub, name);
  }
  const changes = labelsToSet(name, managedCluster, options);
  const isRecorded = recordedUid(managedCluster) !== undefined;
  const identity = isRecorded || uid === undefined ? {} : { [clusterUidAnnotation]: uid };
  const annotations = { ...changes.annotations, ...identity };
  if (!isNone({ ...annotations, ...changes.labels }))
    await hub.merge(resources.managedClusters, name, {
      metadata: { labels: changes.labels, annotations },
    });
}
