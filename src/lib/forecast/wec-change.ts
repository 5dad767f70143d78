import { type Changes, withChanges } from '../core/changes.ts';
import { effectiveProperties, type WecProperties } from '../ocm/model/customization.ts';
import { destinationsOf, type Policy } from '../ocm/model/kubestellar-names.ts';
import { type Labels, selectsLabels } from '../workloads/selection/label-selectors.ts';

/** What changes of a WEC. */
export interface WecChange {
  name: string;
  /** Its labels; null if nothing is sent to it yet, as before it is accepted. */
  before: Labels | null;
  after: Labels;
  /** Whether works can be sent to it: its mailbox exists once it is accepted. */
  wasAccepted: boolean;
  isAccepted: boolean;
  /** The keys of the properties that it has afterwards. */
  has: readonly string[];
  /** Properties that it loses: a policy whose templates ask for one is sent to no WEC any more (kubestellar 0.30.0). */
  lacks: readonly string[];
  /** Properties that get another value: a work that was made with one keeps the earlier value until it is rewritten. */
  stale: readonly string[];
}

/** The values of a WEC that change; null removes one. */
export interface ValueChanges {
  labels?: Changes;
  annotations?: Changes;
  /** Of the ConfigMap with its customization properties. */
  data?: Changes;
}

/** What becomes of a WEC by changes of its labels, annotations and properties. @param isNew whether it is accepted only now */
export function wecChange(
  { cluster, configMap }: WecProperties,
  { labels = {}, annotations = {}, data = {} }: ValueChanges,
  isNew = false,
): WecChange {
  const { name, labels: before = {}, annotations: notes = {} } = cluster.metadata;
  const after = withChanges(before, labels);
  const metadata = {
    ...cluster.metadata,
    labels: after,
    annotations: withChanges(notes, annotations),
  };
  const changed = { metadata: { name }, data: withChanges(configMap?.data ?? {}, data) };
  const kept = new Map(
    effectiveProperties(name, { metadata }, changed).map(({ key, value }) => [key, value]),
  );
  const had = effectiveProperties(name, cluster, configMap);
  const keysOf = (properties: typeof had) => properties.map(({ key }) => key);
  return {
    name,
    before: isNew ? null : before,
    after,
    wasAccepted: !isNew && cluster.spec?.hubAcceptsClient === true,
    isAccepted: isNew || cluster.spec?.hubAcceptsClient === true,
    has: [...kept.keys()],
    lacks: keysOf(had.filter(({ key }) => !kept.has(key))),
    stale: keysOf(had.filter(({ key, value }) => kept.has(key) && kept.get(key) !== value)),
  };
}

export type SelectionChange = 'starting' | 'released' | 'staying';

/**
 * Whether a policy starts to select a WEC, stops, or still selects it: by labels that it keeps, by an empty selector, or through an orphaned
 * Binding. Compares the labels only, regardless of what KubeStellar has processed so far.
 */
export function selectionChange(
  { orphaned, binding, clusterSelectors }: Policy,
  { name, before, after }: Pick<WecChange, 'name' | 'before' | 'after'>,
): SelectionChange | undefined {
  const selects = (labels: Labels) =>
    orphaned ? destinationsOf(binding).includes(name) : selectsLabels(clusterSelectors, labels);
  if (before !== null && selects(before)) return selects(after) ? 'staying' : 'released';
  return selects(after) ? 'starting' : undefined;
}
