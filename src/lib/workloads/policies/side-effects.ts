import type { WecProperties } from '../../hub/customization.ts';
import type { PoliciesOfIts, Policy, Unread } from '../../model/policies.ts';
import { type BrokenTemplate, brokenByRemoval, lostProperties } from './broken-templates.ts';
import { effectOfRemoval } from './selectors.ts';

/** A WEC's labels and properties before and after a change. */
export interface WecChange {
  name: string;
  before: WecProperties;
  after: WecProperties;
}

/** What a change does to workloads besides releasing WECs from policies. */
export interface SideEffects {
  broken: BrokenTemplate[];
  /** Policies that start selecting WECs. */
  starting: { policy: Policy; wecs: string[] }[];
  unread: Unread[];
}

/**
 * Judges changes of labels and properties by the policies that could be read. Reads the objects of the policies that send to these
 * WECs.
 */
export async function sideEffectsOf(
  { policies, unread }: PoliciesOfIts,
  changes: readonly WecChange[],
): Promise<SideEffects> {
  const labelsOf = ({ cluster }: WecProperties) => cluster.metadata.labels ?? {};
  const affected = changes.map(({ name, before, after }) => ({
    name,
    lost: lostProperties(name, before, after),
    labels: labelsOf(after),
  }));
  const templates = await brokenByRemoval(policies, affected);
  const starting = policies.flatMap((policy) => {
    const starts = ({ name, before, after }: WecChange) =>
      effectOfRemoval([policy], name, labelsOf(before), labelsOf(after)).starting.length > 0;
    const wecs = changes.filter(starts).map(({ name }) => name);
    return wecs.length === 0 ? [] : { policy, wecs };
  });
  return { broken: templates.broken, starting, unread: [...unread, ...templates.unread] };
}
