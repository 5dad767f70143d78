import { isDeepStrictEqual } from 'node:util';
import { changeWords } from '../../engine/changes.ts';
import { command } from '../../engine/command-line.ts';
import { isObject, jsonObject } from '../../engine/is-object.ts';
import type { Run } from '../../engine/run.ts';
import type { HubAccess } from '../../hub/hub-access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { resources } from '../../kube/resources.ts';
import { klusterletName } from '../../model/ocm-names.ts';
import type { Klusterlet, ManagedCluster } from '../../model/ocm-objects.ts';
import { hasJoined } from '../registration/hub-evidence.ts';
import type { JoinOptions } from './options.ts';
import type { JoinPlan } from './plan.ts';

/** What users have written on a ManagedCluster, which is lost with it. */
export interface Labels {
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

/**
 * The annotation in which a join keeps a copy: on the Klusterlet, which outlives the ITS. Later changes of the ManagedCluster do
 * not reach it.
 */
const keptAnnotation = 'stellarctl.kubestellar.io/labels';

const clusterSetLabel = 'cluster.open-cluster-management.io/clusterset';

/** What users have written, without what OCM, kubectl and stellarctl write themselves. */
export function labelsOf({ metadata }: ManagedCluster): Labels {
  return {
    labels: pick(metadata.labels, (key, value) => (key === clusterSetLabel ? value !== 'default' : !isMachine(key))),
    annotations: pick(metadata.annotations, (key) => !isMachine(key)),
  };
}

/** Whether a program writes the key: OCM, kubectl or stellarctl, by its prefix. */
const isMachine = (key: string): boolean =>
  /^([^/]*\.)?open-cluster-management\.io\/|^(kubectl|stellarctl)\.[^/]*\//.test(key);

function pick(all: Record<string, string> | undefined, isKept: (key: string, value: string) => boolean) {
  return Object.fromEntries(
    Object.entries(all ?? {})
      .filter(([key, value]) => isKept(key, value))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

const isEmpty = ({ labels, annotations }: Labels): boolean =>
  Object.keys(labels).length + Object.keys(annotations).length === 0;

/** What was kept at the last join; empty if nothing was. */
export function keptLabels(klusterlet: Klusterlet | undefined): Labels {
  const { labels, annotations } = jsonObject(klusterlet?.metadata.annotations?.[keptAnnotation] ?? '') ?? {};
  return { labels: stringsOf(labels), annotations: stringsOf(annotations) };
}

const stringsOf = (values: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(isObject(values) ? values : {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );

/**
 * Keeps a copy on the WEC if it is not there yet; an empty copy never replaces what was kept.
 * @returns whether anything was written
 */
export async function keepLabels(wec: Kube, klusterlet: Klusterlet | undefined, current: Labels): Promise<boolean> {
  if (klusterlet === undefined || isEmpty(current) || isDeepStrictEqual(current, keptLabels(klusterlet))) return false;
  await wec.merge(resources.klusterlets, klusterletName, {
    metadata: { uid: klusterlet.metadata.uid, annotations: { [keptAnnotation]: JSON.stringify(current) } },
  });
  return true;
}

/** Options of a join that set these again. */
export const optionsFor = ({ labels, annotations }: Labels): string[] => [
  ...changeWords(labels).flatMap((label) => ['--label', label]),
  ...changeWords(annotations).flatMap((annotation) => ['--annotation', annotation]),
];

/**
 * Labels and annotations are lost with a ManagedCluster: the user gives them, is asked for them on a terminal, or sees their names.
 * @returns what to set instead of what was given; undefined if no one was asked
 */
export async function chooseLabels(
  { its }: HubAccess,
  { name, wecBefore, hubBefore, reregister }: JoinPlan,
  { labels, annotations = {}, askLabels }: JoinOptions,
  { progress }: Run,
): Promise<Record<string, string> | undefined> {
  if (hubBefore === undefined || hasJoined(hubBefore)) return undefined;
  const { managedCluster } = hubBefore;
  const noted = keptLabels(wecBefore.klusterlet);
  const there = managedCluster === undefined ? undefined : labelsOf(managedCluster);
  const kept = { labels: less(noted.labels, there?.labels), annotations: less(noted.annotations, there?.annotations) };
  // After an interruption only the kept copy shows the registration before.
  if (isEmpty(kept) && (reregister?.by !== 'certificate' || managedCluster !== undefined)) return undefined;
  const isGiven = !isEmpty({ labels, annotations });
  const asked = isGiven ? undefined : await askLabels?.(name, kept.labels);
  const open = changeWords(less(kept.labels, { ...labels, ...asked }));
  const openAnnotations = changeWords(less(kept.annotations, annotations));
  if (asked === undefined && open.length > 0)
    progress.note(
      `${name}: labels that it had when it was last joined are no longer on ${its}: ${open.join(', ')}. To set them: ${command`stellarctl label ${name} ${open} --its ${its}`}`,
    );
  if (openAnnotations.length > 0)
    progress.note(`${name}: annotations that it had are no longer on ${its}: ${openAnnotations.join(', ')}`);
  if (asked === undefined && isEmpty(kept) && !isGiven)
    progress.note(
      `${name}: labels and annotations that its ManagedCluster had are lost with it, and none were noted on the cluster when it was last joined. To set labels: ${command`stellarctl label ${name} KEY=VALUE --its ${its}`}`,
    );
  return asked;
}

const less = (values: Record<string, string>, others: Record<string, string> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(values).filter(([key, value]) => others[key] !== value));
