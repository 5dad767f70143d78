import { type Changes, changesFor, effectiveChanges } from '../../core/changes.ts';
import type { Kube } from '../../kube/client/client.ts';
import { ApiError } from '../../kube/client/errors.ts';
import { foreseen } from '../../kube/client/foreseen.ts';
import { resources, typeMeta } from '../../kube/client/objects.ts';
import { retryConflicts } from '../../kube/writes.ts';
import { isAgentOf, presentCertificate } from '../../ocm/agent/agent-certificate.ts';
import type { WecEvidence } from '../../ocm/agent/wec-evidence.ts';
import { clusterUidAnnotation, recordedUid, recordUid } from '../../ocm/hub/cluster-uid.ts';
import { bootstrapRequests, emptyEvidence, type HubEvidence } from '../../ocm/hub/hub-evidence.ts';
import type { ManagedCluster } from '../../ocm/model/ocm-objects.ts';
import { acceptCluster } from '../registration/acceptance.ts';
import type { ForeseenJoin, JoinOptions } from './join-options.ts';
import { refuseLabelConflicts } from './join-requirements.ts';
import type { Moment, PlannedJoin } from './joining.ts';

/** What a join records on a ManagedCluster. */
type Recording = Pick<PlannedJoin, 'plan' | 'options' | 'run' | 'recorded'>;

/**
 * Writes the records of a join to a ManagedCluster as soon as it exists: its labels and the identity of its cluster.
 * @returns what was written, in words
 */
export async function recordOnIts(
  recording: Recording,
  { hub, evidence, wec, agent }: Moment,
): Promise<string[]> {
  const { managedCluster } = evidence;
  const { plan, recorded } = recording;
  // Writes to a cluster that is being deleted are lost: the cluster that is announced next gets them.
  if (managedCluster === undefined || managedCluster.metadata.deletionTimestamp !== undefined)
    return [];
  const { uid } = managedCluster.metadata;
  const words = recorded.labels.has(uid)
    ? []
    : await label(hub, managedCluster, evidence, recording.options);
  recorded.labels.add(uid);
  const isRecorded = recorded.identity.has(uid) || recordedUid(managedCluster) !== undefined;
  if (isRecorded || plan.uid === undefined) return words;
  const isOwn =
    plan.identity.state === 'proven' ||
    isOnlyAgent(evidence, agent) ||
    (await holdsCertificate(hub, plan.name, wec.hubSecret));
  const isIdentified = isOwn && (await identify(hub, managedCluster, recording));
  return isIdentified ? [...words, 'identity recorded'] : words;
}

/** Sets the given labels. @returns what was written, in words */
async function label(
  hub: Kube,
  cluster: ManagedCluster,
  evidence: HubEvidence,
  options: ForeseenJoin,
) {
  refuseLabelConflicts({ its: hub.cluster.context }, evidence, options);
  const { name, uid } = cluster.metadata;
  const changes = labelsToSet(name, cluster, options);
  const words = [
    isNone(changes.labels) ? [] : 'labelled',
    isNone(changes.annotations) ? [] : 'annotated',
  ].flat();
  if (words.length > 0)
    await foreseen(hub, options.effects).merge(resources.managedClusters, name, {
      metadata: { uid, ...changes },
    });
  return words;
}

/** Records the UID of the proven cluster: by an earlier proof, by its certificate now, or as the only one whose agent requests the name. */
async function identify(
  hub: Kube,
  cluster: ManagedCluster,
  { plan: { uid, name }, run, recorded }: Recording,
) {
  if (uid === undefined) return false;
  try {
    // The hub's controllers write to a new ManagedCluster as well.
    return await retryConflicts(hub, async (isFirst) => {
      const current = isFirst
        ? cluster
        : await hub.get<ManagedCluster>(resources.managedClusters, name);
      return (
        current !== undefined &&
        current.metadata.uid === cluster.metadata.uid &&
        recordUid(hub, current, uid)
      );
    });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // The registration does not depend on it: any other failure is retried.
    if (error.status !== 403) return false;
    recorded.identity.add(cluster.metadata.uid);
    run.progress.note(
      `The identity of ${name} was not recorded: this user may not change ManagedClusters.`,
    );
    return false;
  }
}

const isNone = (changes: Changes) => Object.keys(changes).length === 0;

/** What a join changes on a ManagedCluster. */
function labelsToSet(
  name: string,
  cluster: ManagedCluster | undefined,
  { labels, annotations = {} }: JoinOptions,
) {
  const present = cluster?.metadata;
  return {
    labels: effectiveChanges(present?.labels ?? {}, changesFor(name, labels)),
    annotations: effectiveChanges(present?.annotations ?? {}, annotations),
  };
}

async function holdsCertificate(hub: Kube, name: string, secret: WecEvidence['hubSecret']) {
  if (secret === undefined) return false;
  const answer = await presentCertificate(hub, secret);
  return answer.state === 'accepted' && isAgentOf(name, answer.username);
}

function isOnlyAgent(hub: HubEvidence, agent: string | undefined) {
  const agents = new Set(bootstrapRequests(hub).map((request) => request.agent));
  return agent !== undefined && agents.size === 1 && agents.has(agent);
}

/** Records in a dry run the approval and the acceptance, of requests most of which do not exist yet. */
export async function foreseeAcceptance(
  hub: Kube,
  { plan: { name, hubBefore = emptyEvidence(name) }, options }: Pick<Recording, 'plan' | 'options'>,
): Promise<void> {
  const pending = bootstrapRequests(hubBefore).filter(({ state }) => state === 'pending');
  // The ITS names a request: the WEC's name and some letters.
  const names = pending.length === 0 ? [`${name}-*`] : pending.map((request) => request.name);
  const csrs = resources.certificateSigningRequests;
  for (const each of names)
    await hub.replace(csrs, { ...typeMeta(csrs), metadata: { name: each } }, 'approval');
  if (hubBefore.managedCluster?.spec?.hubAcceptsClient !== true)
    await acceptCluster(foreseen(hub, options.effects), name);
}

/** Records in a dry run what a join would write to a ManagedCluster that may not exist yet. */
export async function foreseeRecords(
  hub: Kube,
  { plan: { name, hubBefore, uid }, options }: Pick<Recording, 'plan' | 'options'>,
): Promise<void> {
  const managedCluster = hubBefore?.managedCluster;
  const changes = labelsToSet(name, managedCluster, options);
  const isRecorded = recordedUid(managedCluster) !== undefined;
  const identity = isRecorded || uid === undefined ? {} : { [clusterUidAnnotation]: uid };
  const annotations = { ...changes.annotations, ...identity };
  if (!isNone({ ...annotations, ...changes.labels }))
    await foreseen(hub, options.effects).merge(resources.managedClusters, name, {
      metadata: { labels: changes.labels, annotations },
    });
}
