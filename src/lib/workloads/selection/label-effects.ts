import { type Changes, withChanges } from '../../core/changes.ts';
import { few } from '../../core/text/words.ts';
import { effectiveProperties, type WecProperties } from '../../ocm/model/customization.ts';
import {
  describePolicy,
  destinationsOf,
  type PoliciesOfIts,
  type Policy,
} from '../../ocm/model/kubestellar-names.ts';
import { type Labels, selectsLabels } from './label-selectors.ts';

/** What changes of a WEC. */
export type WecChange = ReturnType<typeof wecChange>;

/** What becomes of a WEC by changes of its labels, annotations and properties. */
export function wecChange(
  { cluster, configMap }: WecProperties,
  {
    labels = {},
    annotations = {},
    data = {},
  }: Partial<Record<'labels' | 'annotations' | 'data', Changes>>,
) {
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
    before,
    after,
    /** Properties that it loses: a policy whose templates ask for one is sent to no WEC any more (kubestellar 0.30.0). */
    lacks: keysOf(had.filter(({ key }) => !kept.has(key))),
    /** Properties that get another value: a work that was made with one keeps the earlier value until it is rewritten. */
    stale: keysOf(had.filter(({ key, value }) => kept.has(key) && kept.get(key) !== value)),
  };
}

export type LabelEffect = 'starting' | 'released' | 'staying';

/**
 * Whether a policy starts to select a WEC, stops, or still selects it: by labels that it keeps, by an empty selector, or through an orphaned
 * Binding. Compares the labels only, regardless of what KubeStellar has processed so far.
 */
export function effectOn(
  { orphaned, binding, clusterSelectors }: Policy,
  { name, before, after }: Omit<WecChange, 'lacks' | 'stale'>,
): LabelEffect | undefined {
  const selects = (labels: Labels) =>
    orphaned ? destinationsOf(binding).includes(name) : selectsLabels(clusterSelectors, labels);
  if (selects(before)) return selects(after) ? 'staying' : 'released';
  return selects(after) ? 'starting' : undefined;
}

/** What changes of labels do to workloads. */
export type SideEffects = ReturnType<typeof sideEffectsOf>;

interface PolicyEffect {
  policy: Policy;
  wecs: string[];
  /** Why the policy is sent to none of them any more, if it still selects them: what its templates lack, as `region of cluster1`. */
  lacking?: string;
}

/** Reads policies that may send workloads to WECs, as far as they can be read; if told so, with the properties that they ask for. */
export type ReadPolicies = (
  wecs: readonly string[],
  withTemplates: boolean,
) => Promise<PoliciesOfIts>;

export const noPolicies: PoliciesOfIts = { policies: [], unread: [] };

/** What changes do, by the policies that they may concern. */
export async function readSideEffects(
  changes: readonly WecChange[],
  readPolicies: ReadPolicies,
): Promise<SideEffects> {
  const changing = changes.map(({ name }) => name);
  const withTemplates = changes.some(({ lacks, stale }) => lacks.length + stale.length > 0);
  const policies = changes.length === 0 ? noPolicies : await readPolicies(changing, withTemplates);
  return sideEffectsOf(policies, changes);
}

/** Judges changes of labels by the policies that could be read. */
export function sideEffectsOf({ policies, unread }: PoliciesOfIts, changes: readonly WecChange[]) {
  const selections = (effect: LabelEffect) =>
    policies.flatMap((policy): PolicyEffect[] => {
      const wecs = changes.flatMap((change) =>
        effectOn(policy, change) === effect ? change.name : [],
      );
      return wecs.length === 0 ? [] : [{ policy, wecs }];
    });
  const stopped = policies.flatMap((policy): PolicyEffect[] => {
    const wecs = destinationsOf(policy.binding);
    const lacking = changes.flatMap(({ name, lacks }) =>
      wecs.includes(name)
        ? lacks.filter((key) => policy.asked?.has(key)).map((key) => `${key} of ${name}`)
        : [],
    );
    return lacking.length === 0 ? [] : [{ policy, wecs, lacking: few(lacking).join(', ') }];
  });
  const sentTo = new Set(policies.flatMap(({ binding }) => destinationsOf(binding))).size;
  const released = [...selections('released'), ...stopped];
  const lost = released.flatMap(({ policy, wecs }) =>
    wecs.map((wec) => ({ object: `what ${describePolicy(policy)} sends`, wec })),
  );
  return {
    /** Policies that start selecting WECs. */
    starting: selections('starting'),
    /** Policies whose workloads are deleted from WECs, unless a guard keeps the last objects of a policy. */
    released,
    /** What those take away. */
    lost,
    /** Policies whose templates use a property that gets another value: their works must be rewritten. */
    outdated: policies.filter(({ binding, asked }) =>
      changes.some(
        ({ name, stale }) =>
          destinationsOf(binding).includes(name) && stale.some((key) => asked?.has(key)),
      ),
    ),
    unread,
    /** How many WECs the policies send something to. */
    sentTo,
  };
}
