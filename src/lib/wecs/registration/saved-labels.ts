import { isObject, jsonObject } from '../../core/text/formats.ts';
import type { ForeseenKube } from '../../kube/client/foreseen.ts';
import { resources } from '../../kube/client/objects.ts';
import { patchCurrent } from '../../kube/writes.ts';
import { selectableLabels } from '../../ocm/model/ocm-names.ts';
import type { ManagedCluster } from '../../ocm/model/ocm-objects.ts';

/** Holds what a deregistration has changed, until that is undone or the cluster is gone: an interrupted run loses nothing. */
const savedAnnotation = 'stellarctl.kubestellar.io/labels-before-deregistration';

interface Saved {
  labels: Record<string, string>;
  /** Keys of annotations that replace the labels. */
  annotations: string[];
}

/** The labels that a deregistration has removed so far; undefined if none has begun. */
export function savedLabels(
  cluster: ManagedCluster | undefined,
): Record<string, string> | undefined {
  return readSaved(cluster)?.labels;
}

/** Whether a deregistration has begun and is neither finished nor undone: it runs, or was interrupted. */
export function isDeregistering({ metadata }: ManagedCluster): boolean {
  return metadata.annotations?.[savedAnnotation] !== undefined;
}

function readSaved(cluster: ManagedCluster | undefined): Saved | undefined {
  const { labels, annotations } =
    jsonObject(cluster?.metadata.annotations?.[savedAnnotation] ?? '') ?? {};
  const isSound =
    isObject(labels) && Object.values(labels).every((value) => typeof value === 'string');
  return isSound && Array.isArray(annotations) ? ({ labels, annotations } as Saved) : undefined;
}

/**
 * Removes the labels that policies may select by. The same patch replaces them with annotations of the same keys, if there are
 * none: KubeStellar expands templates with labels and annotations alike, and a property missing on one WEC removes the works of
 * every other WEC of the policy (seen with KubeStellar 0.30: facts of its transport controller).
 */
export async function removeLabels(hub: ForeseenKube, cluster: ManagedCluster): Promise<void> {
  await patchCurrent(hub, resources.managedClusters, cluster, (current) => {
    const labels = selectableLabels(current);
    const keys = Object.keys(labels);
    if (keys.length === 0) return undefined;
    const present = current.metadata.annotations ?? {};
    const added = keys.filter((key) => present[key] === undefined);
    const before = readSaved(current);
    const saved: Saved = {
      labels: { ...before?.labels, ...labels },
      annotations: [...new Set([...(before?.annotations ?? []), ...added])],
    };
    return {
      labels: Object.fromEntries(keys.map((key) => [key, null])),
      annotations: {
        ...Object.fromEntries(added.map((key) => [key, labels[key]])),
        [savedAnnotation]: JSON.stringify(saved),
      },
    };
  });
}

/**
 * Restores the labels, because the WEC stays; labels that were set since keep their new values.
 * @returns the labels; undefined if there was nothing to undo
 */
export async function restoreLabels(
  hub: ForeseenKube,
  name: string,
): Promise<Record<string, string> | undefined> {
  const cluster = await hub.get<ManagedCluster>(resources.managedClusters, name);
  const labels = savedLabels(cluster);
  // A cluster that is being deleted stays deleted.
  if (
    cluster === undefined ||
    labels === undefined ||
    cluster.metadata.deletionTimestamp !== undefined
  )
    return undefined;
  await patchCurrent(hub, resources.managedClusters, cluster, (current) => {
    const saved = readSaved(current);
    if (saved === undefined) return undefined;
    return {
      labels: { ...saved.labels, ...current.metadata.labels },
      annotations: {
        ...Object.fromEntries(saved.annotations.map((key) => [key, null])),
        [savedAnnotation]: null,
      },
    };
  });
  return labels;
}
