import { effectiveChanges } from '../../engine/changes.ts';
import type { Run } from '../../engine/run.ts';
import { isAgentOf, presentCertificate } from '../../hub/agent-certificate.ts';
import { clusterUidAnnotation, recordedUid, recordUid } from '../../hub/cluster-uid.ts';
import type { HubAccess } from '../../hub/hub-access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { ApiError } from '../../kube/client/errors.ts';
import { resources } from '../../kube/resources.ts';
import { retryConflicts } from '../../kube/writes.ts';
import { klusterletName } from '../../model/ocm-names.ts';
import type { ManagedCluster } from '../../model/ocm-objects.ts';
import { setLabels } from '../label.ts';
import { acceptCluster } from '../registration/approval.ts';
import { bootstrapRequests, emptyEvidence, type HubEvidence } from '../registration/hub-evidence.ts';
import type { WecEvidence } from '../registration/wec-evidence.ts';
import { keepLabels, type Labels, labelsOf } from './kept-labels.ts';
import type { JoinOptions } from './options.ts';
import type { JoinPlan } from './plan.ts';

/** Writes the records of a join to a ManagedCluster as soon as it exists: its labels and the identity of its cluster. */
export class HubRecords {
  readonly #hub: Kube;
  readonly #plan: JoinPlan;
  readonly #given: Labels;
  readonly #run: Run;
  /** The UID of the ManagedCluster that the other fields describe. */
  #written: string | undefined;
  #labelled = false;
  #identified = false;

  constructor(
    hub: Kube,
    plan: JoinPlan,
    { labels, annotations = {} }: Pick<JoinOptions, 'labels' | 'annotations'>,
    run: Run,
  ) {
    this.#hub = hub;
    this.#plan = plan;
    this.#given = { labels, annotations };
    this.#run = run;
  }

  /**
   * @param agent the id of the WEC's agent, if its mode makes it known
   * @returns what was written, in words
   */
  async write(hub: HubEvidence, wec: WecEvidence, agent: string | undefined): Promise<string[]> {
    const { managedCluster } = hub;
    // Writes to a cluster that is being deleted are lost: the cluster that is announced next gets them.
    if (managedCluster === undefined || managedCluster.metadata.deletionTimestamp !== undefined) return [];
    if (this.#written !== managedCluster.metadata.uid) {
      this.#written = managedCluster.metadata.uid;
      this.#labelled = false;
      this.#identified = this.#plan.uid === undefined;
    }
    const written: string[] = [];
    if (!this.#labelled) written.push(...(await this.#label(managedCluster, wec)));
    this.#labelled = true;
    if (!this.#identified && (await this.#identify(managedCluster, hub, wec, agent))) written.push('identity recorded');
    return written;
  }

  /** Sets the given labels, and keeps a copy of those that users have set so far. @returns what was written, in words */
  async #label(cluster: ManagedCluster, { klusterlet }: WecEvidence): Promise<string[]> {
    const { labels, annotations } = this.#given;
    const isLabelled = Object.keys(labels).length > 0 && (await setLabels(this.#hub, cluster, labels));
    const changes = effectiveChanges(cluster.metadata.annotations ?? {}, annotations);
    const isAnnotated = Object.keys(changes).length > 0;
    if (isAnnotated) {
      const { name, uid } = cluster.metadata;
      await this.#hub.merge(resources.managedClusters, name, { metadata: { uid, annotations: changes } });
    }
    const present = labelsOf(cluster);
    const isKept = await keepLabels(this.#plan.kube, klusterlet, {
      labels: { ...present.labels, ...labels },
      annotations: { ...present.annotations, ...annotations },
    });
    if (isLabelled || isAnnotated) return [isLabelled ? 'labelled' : [], isAnnotated ? 'annotated' : []].flat();
    return isKept ? ['labels noted on the cluster'] : [];
  }

  /** Only for the proven cluster: by an earlier proof, by its certificate now, or as the only one whose agent requests the name. */
  async #identify(
    cluster: ManagedCluster,
    hub: HubEvidence,
    { hubSecret }: WecEvidence,
    agent: string | undefined,
  ): Promise<boolean> {
    const { uid, identity, name } = this.#plan;
    this.#identified = recordedUid(cluster) !== undefined;
    if (this.#identified || uid === undefined) return false;
    const isOwn = identity.state === 'proven' || isOnlyAgent(hub, agent) || (await this.#holds(name, hubSecret));
    if (!isOwn) return false;
    try {
      const written = await this.#record(cluster, uid);
      this.#identified = true;
      return written;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 403)
        this.#run.progress.note(`The identity of ${name} was not recorded: this user may not change ManagedClusters.`);
      // The registration does not depend on it: any other failure is retried.
      this.#identified = error.status === 403;
      return false;
    }
  }

  /** The hub's controllers write to a new ManagedCluster as well. */
  #record(cluster: ManagedCluster, uid: string): Promise<boolean> {
    const { name, uid: own } = cluster.metadata;
    return retryConflicts(this.#hub, async (isFirst) => {
      const current = isFirst ? cluster : await this.#hub.get<ManagedCluster>(resources.managedClusters, name);
      return current !== undefined && current.metadata.uid === own && recordUid(this.#hub, current, uid);
    });
  }

  async #holds(name: string, secret: WecEvidence['hubSecret']): Promise<boolean> {
    if (secret === undefined) return false;
    const answer = await presentCertificate(this.#hub, secret);
    return answer.state === 'accepted' && isAgentOf(name, answer.username);
  }
}

function isOnlyAgent(hub: HubEvidence, agent: string | undefined): boolean {
  const agents = new Set(bootstrapRequests(hub).map((request) => request.agent));
  return agent !== undefined && agents.size === 1 && agents.has(agent);
}

/** Records in a dry run what a join would write to the ITS, most of which does not exist yet. */
export async function recordHubWrites({ kube: hub }: HubAccess, plan: JoinPlan, options: JoinOptions): Promise<void> {
  if (hub === undefined) return;
  const { name, kube, hubBefore, wecBefore, uid } = plan;
  const { managedCluster } = hubBefore ?? emptyEvidence(name);
  if (options.accept) {
    const pending = bootstrapRequests(hubBefore ?? emptyEvidence(name)).filter(({ state }) => state === 'pending');
    // The ITS names a request: the WEC's name and some letters.
    const names = pending.length === 0 ? [`${name}-*`] : pending.map((request) => request.name);
    const { apiVersion, kind } = resources.certificateSigningRequests;
    for (const each of names)
      await hub.replace(
        resources.certificateSigningRequests,
        { apiVersion, kind, metadata: { name: each } },
        'approval',
      );
    if (managedCluster?.spec?.hubAcceptsClient !== true) await acceptCluster(hub, name);
  }
  const isRecorded = recordedUid(managedCluster) !== undefined;
  const given = effectiveChanges(managedCluster?.metadata.annotations ?? {}, options.annotations ?? {});
  const annotations = { ...given, ...(isRecorded || uid === undefined ? {} : { [clusterUidAnnotation]: uid }) };
  const labels = effectiveChanges(managedCluster?.metadata.labels ?? {}, options.labels);
  if (Object.keys(annotations).length + Object.keys(labels).length > 0)
    await hub.merge(resources.managedClusters, name, { metadata: { labels, annotations } });
  const present = managedCluster === undefined ? { labels: {}, annotations: {} } : labelsOf(managedCluster);
  await keepLabels(kube, wecBefore.klusterlet ?? { metadata: { name: klusterletName } }, {
    labels: { ...present.labels, ...options.labels },
    annotations: { ...present.annotations, ...options.annotations },
  });
}
