import { few } from '../core/text/words.ts';
import { tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { byName, groupOf, namesOf, type ObjectMeta, resources } from '../kube/client/objects.ts';
import { listServed } from '../kube/served.ts';
import {
  type Binding,
  type BindingPolicy,
  describePolicy,
  isEmptyBinding,
  objectsOf,
  originWdsLabel,
  type PoliciesOfIts,
} from '../ocm/model/kubestellar-names.ts';
import { type ManifestWork, wecNamesOf } from '../ocm/model/manifest-works.ts';
import type { ObjectOnWec, ObjectView } from '../ocm/model/object-ref.ts';
import { senderOf } from '../ocm/sender.ts';
import { worksOfPolicy } from '../spaces/choose/works-of-policy.ts';
import { hasMailbox } from '../workloads/delivery/delivery.ts';
import type { PolicySubject } from '../workloads/selection/policy-subject.ts';
import { unseenOf } from '../workloads/selection/unseen.ts';
import { anyGroup, type PolicyChange, type Sends, type UnreadKind } from './change.ts';
import { type Forecast, forecast } from './forecast.ts';
import { readMailboxes } from './read-forecast.ts';
import { boundView, type PolicyState, type SentWork } from './world.ts';

/** A policy as it is asked for, with what was read of it. */
export interface AskedPolicy {
  /** What it selects. */
  subject: PolicySubject;
  /** The policy of its name that exists. */
  present: BindingPolicy | undefined;
  /** Why nothing of it is sent to any WEC, a clause. */
  stops: string | undefined;
  /** Objects on its WECs that no work has applied. */
  overwritten: readonly ObjectOnWec[];
  /** Reads the policies that other WDSes send through the same ITS: they may combine the statuses of namesakes. */
  readPolicies(): Promise<PoliciesOfIts>;
}

/**
 * Reads what the WECs have of a policy and of others beside it, and says what its change does. What WECs lose is what their works have,
 * whatever the Binding lists at the moment.
 */
export async function readPolicyForecast(asked: AskedPolicy): Promise<Forecast> {
  const { subject, present, overwritten } = asked;
  const { name, wds } = subject;
  const bindings = await listServed<Binding>(wds.kube, resources.bindings);
  const binding = byName(bindings).get(name);
  const read =
    wds.its.state === 'seen'
      ? await readBeside(wds.its.value, asked, binding)
      : { ...nothingBeside(wds.name), why: `its works could not be read: ${wds.its.why}` };
  const { sender, works, others, why } = read;
  const isSent = works.size > 0 || !isEmptyBinding(binding);
  const unseen = unseenOf('WECs', subject.inventory).map(couldNotBeRead);
  const hides = present !== undefined || binding !== undefined;
  const unread = [...(isSent ? unseen : []), ...(why !== undefined && hides ? [why] : [])];
  const own = bindings.map((each) => stateOf(sender, each.metadata.name, each));
  const states = binding === undefined ? [...own, stateOf(sender, name, undefined)] : own;
  const change: PolicyChange = {
    wds: sender,
    name,
    after: sendsOf(
      asked,
      unread.map((each) => ({ kind: null, group: null, why: each })),
    ),
  };
  const world = { policies: [...states, ...others], works, foreign: overwritten, unread: [] };
  return forecast(world, { policies: [change] });
}

const couldNotBeRead = ({ what, why }: { what: string; why: string }) =>
  `${what} could not be read: ${why}`;

/** A policy without what only a change of WECs needs. */
export const stateOf = (wds: string, name: string, binding: Binding | undefined): PolicyState => ({
  ...{ wds, name, binding },
  ...{ context: undefined, clusterSelectors: [], orphaned: false, isFresh: false },
});

/** Policies whose works go, or stay without an owner. */
type SentChange = Pick<PolicyChange, 'name' | 'after' | 'keepsWorkloads'>;

/**
 * Reads what the mailboxes have beside the works of policies, and says what becomes of these.
 * @param works those of the policies @param bindings those that they come from: without them, works count by the names that they carry
 */
export async function readSentForecast(
  its: Kube,
  changes: readonly SentChange[],
  works: readonly ManifestWork[],
  { sender, bindings = [] }: { sender: string; bindings?: readonly Binding[] },
): Promise<Forecast> {
  const bindingOf = byName(bindings);
  const world = {
    policies: changes.map(({ name }) => stateOf(sender, name, bindingOf.get(name))),
    works: await readMailboxes(its, wecNamesOf(works).sort()),
    foreign: [],
    unread: [],
  };
  return forecast(world, { policies: changes.map((change) => ({ wds: sender, ...change })) });
}

/** What a policy sends as it is asked for. */
function sendsOf(
  { subject: { wecs, objects, contents, kinds }, stops }: AskedPolicy,
  unread: readonly UnreadKind[],
): Sends {
  return {
    wecs: wecs.map((wec) => ({ name: wec.metadata.name, isAccepted: hasMailbox(wec) })),
    objects: objects.map(({ object: { metadata, group, version, resource, kind }, modulation }) =>
      boundView(
        { group, version, resource, name: metadata.name, ...namespaceIn(metadata), ...modulation },
        kind,
      ),
    ),
    stops,
    unread: [
      ...unread,
      ...contents.unread.flatMap((unseen): UnreadKind[] => {
        const why = couldNotBeRead(unseen);
        const known = kinds.filter(({ plural }) => plural === unseen.what);
        if (known.length > 0)
          return known.map(({ kind, apiVersion }) => ({ kind, group: groupOf(apiVersion), why }));
        return [
          { kind: null, group: unseen.what.includes('/') ? groupOf(unseen.what) : anyGroup, why },
        ];
      }),
    ],
  };
}

const namespaceIn = ({ namespace }: ObjectMeta) => (namespace === undefined ? {} : { namespace });

/** What an ITS has of a policy and beside it. */
interface Beside {
  /** The name that the works of its WDS carry. */
  sender: string;
  works: ReadonlyMap<string, readonly SentWork[]>;
  /** The policies of other WDSes, as far as their works are in the same mailboxes. */
  others: readonly PolicyState[];
  /** Why more may be lost, a clause. */
  why: string | undefined;
}

const nothingBeside = (sender: string): Beside => ({
  sender,
  works: new Map(),
  others: [],
  why: undefined,
});

async function readBeside(
  its: { name: string; kube: Kube },
  { subject, readPolicies }: AskedPolicy,
  binding: Binding | undefined,
): Promise<Beside> {
  const { name, wds, wecs, kinds } = subject;
  const sender = await senderOf(wds, its.kube);
  const named = await worksOfPolicy(its.kube, name, wds, { metadataOnly: true });
  const places = new Set([...wecNamesOf(named), ...namesOf(wecs)]);
  // Of a policy that has sent nothing, nothing can stay or go: only namesakes of other WDSes count.
  const foreignOnly = `${originWdsLabel},${originWdsLabel} notin (${sender})`;
  const works = await readMailboxes(
    its.kube,
    [...places],
    named.length === 0 ? { labelSelector: foreignOnly } : {},
  );
  const uid = binding?.metadata.uid;
  const foreign = [...works.values()]
    .flat()
    .filter(
      ({ origin, isLeaving }) =>
        origin?.wds === sender &&
        origin.binding === name &&
        !isLeaving &&
        uid !== undefined &&
        origin.bindingUid !== undefined &&
        origin.bindingUid !== uid,
    );
  const on = few([...new Set(foreign.map(({ wec }) => wec))]).join(', ');
  const others = othersIn(works, sender, kinds);
  const risky = namesakesOf(subject, others);
  return {
    sender,
    works,
    others: risky.length === 0 ? others : await withCollectors(others, readPolicies),
    why:
      foreign.length === 0
        ? undefined
        : `${its.name} has works of a ${name} of another ${wds.name}, on ${on}`,
  };
}

/** The policies of other WDSes, by their works. Whether they combine statuses is unknown. */
export function othersIn(
  works: Beside['works'],
  sender: string,
  kinds: PolicySubject['kinds'],
): PolicyState[] {
  const pluralOf = new Map(
    kinds.map(({ apiVersion, kind, plural }) => [`${groupOf(apiVersion)}/${kind}`, plural]),
  );
  const foreign = [...works.values()]
    .flat()
    .filter(({ origin }) => origin && origin.wds !== sender);
  const byPolicy = Map.groupBy(
    foreign,
    ({ origin }) => origin && describePolicy({ ...origin, name: origin.binding }),
  );
  return [...byPolicy.values()].flatMap((of) => {
    const [{ origin } = {}] = of;
    if (origin === undefined) return [];
    const bound = of.flatMap(({ objects }) =>
      objects.map(({ isApplied, ...object }) => {
        const { group, kind, namespace, name } = object;
        const resource = pluralOf.get(`${group}/${kind}`) ?? kind;
        const ref = { group, resource, name, ...(namespace !== null && { namespace }) };
        return { ...boundView(ref, kind), isCombined: null };
      }),
    );
    return { ...stateOf(origin.wds, origin.binding, undefined), bound };
  });
}

const isNamesake = (one: ObjectView, other: ObjectView) =>
  one.kind === other.kind &&
  one.group === other.group &&
  one.name === other.name &&
  one.namespace !== other.namespace;

/** Objects of others that have the kind and the name of one of a policy, in another namespace. */
const namesakesOf = ({ objects }: PolicySubject, others: readonly PolicyState[]) => {
  const own = objects.map(({ object: { metadata, kind, group } }) => {
    const { name, namespace = null } = metadata;
    return { kind, group, name, namespace };
  });
  return others.flatMap(({ bound = [] }) =>
    bound.filter(({ object }) => own.some((each) => isNamesake(each, object))),
  );
};

/** Fills in whether the Bindings of other policies combine statuses, as far as those can be read. */
async function withCollectors(
  others: readonly PolicyState[],
  readPolicies: AskedPolicy['readPolicies'],
): Promise<PolicyState[]> {
  const read = await tryRead(readPolicies);
  const policies = read.state === 'seen' ? read.value.policies : [];
  return others.map((other) => {
    const policy = policies.find(({ wds, name }) => wds === other.wds && name === other.name);
    const sent = policy?.binding ? objectsOf(policy.binding) : [];
    const isCombined = ({ name, namespace }: ObjectView) => {
      const found = sent.find(
        (each) => each.name === name && (each.namespace ?? null) === namespace,
      );
      return found === undefined ? null : (found.statusCollectors ?? []).length > 0;
    };
    return {
      ...other,
      bound: other.bound?.map((each) => ({ ...each, isCombined: isCombined(each.object) })),
    };
  });
}
