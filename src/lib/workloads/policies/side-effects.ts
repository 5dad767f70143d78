import { concurrentRequests, mapConcurrently } from '../../engine/concurrency.ts';
import type { WecProperties } from '../../hub/customization.ts';
import { ifSeen, seen, tryRead } from '../../kube/access.ts';
import { resources } from '../../kube/resources.ts';
import { objectsOf, type PoliciesOfIts, type Policy, type Unread } from '../../model/policies.ts';
import { readGuard } from '../../spaces/guard/guard.ts';
import { heldBindings } from '../delivery/evidence.ts';
import { clausesFor, readContents } from '../wds/contents.ts';
import { resourceOfBound } from '../wds/full-objects.ts';
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
  /** Policies that would release WECs, and whose Bindings the guard of their WDS keeps as they are. */
  held: Policy[];
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
  const released = policies.filter((policy) =>
    changes.some(
      ({ name, before, after }) =>
        effectOfRemoval([policy], name, labelsOf(before), labelsOf(after)).released.length > 0,
    ),
  );
  const held = (await mapConcurrently(released, concurrentRequests, isHeld)).flatMap((is, index) =>
    is ? (released[index] ?? []) : [],
  );
  return { broken: templates.broken, starting, held, unread: [...unread, ...templates.unread] };
}

/** What cannot be read is not known to be held. */
async function isHeld({ name, reader, binding, downsync }: Policy): Promise<boolean> {
  const held = await tryRead(async () => {
    if (binding === undefined || !(await readGuard(reader)).isOn) return false;
    const bound = objectsOf(binding);
    const kinds = [resources.namespaces, ...bound.map(resourceOfBound)].map((kind) => ({
      ...kind,
      versions: [],
      aliases: [],
    }));
    const own = new Map(kinds.map((kind) => [`${kind.apiVersion} ${kind.plural}`, kind]));
    const contents = await readContents(reader, clausesFor(bound), [...own.values()]);
    const policies = [{ metadata: { name }, spec: { downsync: [...downsync] } }];
    return heldBindings({ isGuarded: seen(true), policies, bindings: new Map([[name, binding]]) }, contents).has(name);
  });
  return ifSeen(held) === true;
}
