import { concurrentRequests, mapConcurrently } from '../core/concurrency.ts';
import { ifSeen, tryRead } from '../kube/access.ts';
import { resources } from '../kube/client/resources.ts';
import { objectsOf, type PoliciesOfIts, type Policy, type Unread } from '../ocm/policies.ts';
import { heldBindings } from './delivery-evidence.ts';
import { resourceOfBound } from './full-objects.ts';
import { effectOfRemoval } from './policy-selectors.ts';
import { clausesFor, readContents } from './wds-contents.ts';

/** The labels of a WEC before and after a change. */
export interface WecChange {
  name: string;
  before: Readonly<Record<string, string>>;
  after: Readonly<Record<string, string>>;
}

/** What a change does to workloads. */
export interface SideEffects {
  /** Policies that start selecting WECs. */
  starting: Selection[];
  /** Policies that stop selecting WECs: their workloads are deleted there, unless the guard holds them. */
  released: Selection[];
  /** Policies that would release WECs, and whose Bindings the guard of their WDS keeps as they are. */
  held: Policy[];
  unread: Unread[];
}

interface Selection {
  policy: Policy;
  wecs: string[];
}

/** Judges changes of labels by the policies that could be read. */
export async function sideEffectsOf(
  { policies, unread }: PoliciesOfIts,
  changes: readonly WecChange[],
): Promise<SideEffects> {
  const selections = (effect: 'starting' | 'released') =>
    policies.flatMap((policy): Selection[] => {
      const isAffected = ({ name, before, after }: WecChange) =>
        effectOfRemoval([policy], name, before, after)[effect].length > 0;
      const wecs = changes.filter(isAffected).map(({ name }) => name);
      return wecs.length === 0 ? [] : [{ policy, wecs }];
    });
  const released = selections('released');
  const ifHeld = async ({ policy }: Selection) => ((await isHeld(policy)) ? [policy] : []);
  const held = (await mapConcurrently(released, concurrentRequests, ifHeld)).flat();
  return { starting: selections('starting'), released, held, unread };
}

/** What cannot be read is not known to be held. */
async function isHeld({ name, reader, binding, downsync }: Policy): Promise<boolean> {
  const held = await tryRead(async () => {
    if (binding === undefined) return false;
    const bound = objectsOf(binding);
    const kinds = [resources.namespaces, ...bound.map(resourceOfBound)].map((kind) => ({
      ...kind,
      versions: [],
      aliases: [],
    }));
    const own = new Map(kinds.map((kind) => [`${kind.apiVersion} ${kind.plural}`, kind]));
    const contents = await readContents(reader, clausesFor(bound), [...own.values()]);
    const policies = [{ metadata: { name }, spec: { downsync: [...downsync] } }];
    return (await heldBindings(reader, { policies, bindings: new Map([[name, binding]]) }, contents)).has(name);
  });
  return ifSeen(held) === true;
}
