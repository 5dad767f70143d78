import { type Changes, withChanges } from '../../core/changes.ts';
import type { Effect } from '../../core/read-confirmed.ts';
import { few } from '../../core/text/words.ts';
import { effectiveProperties, type WecProperties } from '../../ocm/model/customization.ts';
import {
  describePolicy,
  destinationsOf,
  type PoliciesOfIts,
  type Policy,
  type Unread,
} from '../../ocm/model/kubestellar-names.ts';
import { type Labels, selectsLabels } from './label-selectors.ts';
import { type LookOn, unforeseen } from './unforeseen.ts';

/** What changes of a WEC. */
export interface WecChange {
  name: string;
  /** Its labels; null if nothing is sent to it yet, as before it is accepted. */
  before: Labels | null;
  after: Labels;
  /** The keys of the properties that it has afterwards. */
  has: readonly string[];
  /** Properties that it loses: a policy whose templates ask for one is sent to no WEC any more (kubestellar 0.30.0). */
  lacks: readonly string[];
  /** Properties that get another value: a work that was made with one keeps the earlier value until it is rewritten. */
  stale: readonly string[];
}

/** What becomes of a WEC by changes of its labels, annotations and properties. @param isNew whether nothing is sent to it yet */
export function wecChange(
  { cluster, configMap }: WecProperties,
  {
    labels = {},
    annotations = {},
    data = {},
  }: Partial<Record<'labels' | 'annotations' | 'data', Changes>>,
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
    has: [...kept.keys()],
    lacks: keysOf(had.filter(({ key }) => !kept.has(key))),
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
  { name, before, after }: Pick<WecChange, 'name' | 'before' | 'after'>,
): LabelEffect | undefined {
  const selects = (labels: Labels) =>
    orphaned ? destinationsOf(binding).includes(name) : selectsLabels(clusterSelectors, labels);
  if (before !== null && selects(before)) return selects(after) ? 'staying' : 'released';
  return selects(after) ? 'starting' : undefined;
}

/** What changes of labels and properties do to workloads. */
export interface SideEffects {
  /** Policies that start selecting WECs. */
  starting: PolicyEffect[];
  /** Policies whose workloads are deleted from WECs, unless a guard keeps the last objects of a policy. */
  released: PolicyEffect[];
  /** What those take away. */
  lost: Effect[];
  /** Policies whose templates use a property that gets another value: their works must be rewritten. */
  outdated: Policy[];
  /** Policies that may take more away, and could not be read. */
  unread: Unread[];
  /** Why more may be lost besides, each a clause. */
  unforeseen: string[];
  /** How many WECs the policies send something to. */
  sentTo: number;
}

/** What a change does to a policy. */
interface PolicyEffect {
  policy: Policy;
  wecs: string[];
  /** Why the policy is sent to none of them any more, if it still selects them: what its templates lack, as `region of cluster1`. */
  lacking?: string;
}

/** Reads the policies that may send workloads to WECs, as far as they can be read; if told so, with the properties that they ask for. */
export type ReadPolicies = (withTemplates: boolean) => Promise<PoliciesOfIts>;

/** What changes do, by the policies that they may concern. @param lookOn opens WECs, on which others may have created objects */
export async function readSideEffects(
  changes: readonly WecChange[],
  readPolicies: ReadPolicies,
  lookOn?: LookOn,
): Promise<SideEffects> {
  if (changes.length === 0) return noEffects;
  const changesValues = changes.some(({ lacks, stale }) => lacks.length + stale.length > 0);
  let found = await readPolicies(changesValues);
  let effects = judgeChanges(found, changes);
  if (effects.starting.length > 0 && !changesValues) {
    found = await readPolicies(true);
    effects = judgeChanges(found, changes);
  }
  return { ...effects, unforeseen: await unforeseen(found.policies, effects.starting, lookOn) };
}

/** Judges changes of labels and properties by the policies that could be read. */
export function judgeChanges(
  { policies, unread }: PoliciesOfIts,
  changes: readonly WecChange[],
): SideEffects {
  const selections = (effect: LabelEffect) =>
    policies.flatMap((policy): PolicyEffect[] => {
      const wecs = changes.flatMap((change) =>
        effectOn(policy, change) === effect ? change.name : [],
      );
      return wecs.length === 0 ? [] : [{ policy, wecs }];
    });
  const stopped = policies.flatMap((policy): PolicyEffect[] => {
    const wecs = wecsOf(policy);
    const asked = [...(policy.asked ?? [])];
    const lacking = changes.flatMap((change) => {
      const { name, lacks, has } = change;
      if (effectOn(policy, change) === 'starting')
        return keysFor(name, asked, (key) => !has.includes(key));
      return wecs.includes(name) ? keysFor(name, asked, (key) => lacks.includes(key)) : [];
    });
    return lacking.length === 0 || wecs.length === 0
      ? []
      : [{ policy, wecs, lacking: few(lacking).join(', ') }];
  });
  const released = [...selections('released'), ...stopped];
  return {
    starting: selections('starting'),
    released,
    lost: released.flatMap(({ policy, wecs }) =>
      wecs.map((wec) => ({ object: `what ${describePolicy(policy)} sends`, wec })),
    ),
    outdated: policies.filter((policy) =>
      changes.some(
        ({ name, stale }) =>
          wecsOf(policy).includes(name) && stale.some((key) => policy.asked?.has(key)),
      ),
    ),
    unread,
    unforeseen: [],
    sentTo: new Set(policies.flatMap(wecsOf)).size,
  };
}

const keysFor = (name: string, asked: readonly string[], isMissing: (key: string) => boolean) =>
  asked.filter(isMissing).map((key) => `${key} of ${name}`);

/** The WECs that a policy sends to, by its Binding, which may be empty for a while, and by its works. */
const wecsOf = ({ binding, worksOn }: Policy) => [
  ...new Set([...destinationsOf(binding), ...worksOn]),
];

/** Those of no change. */
export const noEffects: SideEffects = judgeChanges({ policies: [], unread: [] }, []);
