import { ifSeen } from '../../kube/access.ts';
import { type DiscoveredKind, discoverKinds } from '../../kube/discovery.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { groupOf } from '../../kube/resources.ts';
import { keyOf, keyOfCandidate, type ObjectView } from '../../model/object-ref.ts';
import { type Binding, type BoundObject, objectsOf } from '../../model/policies.ts';
import type { OpenWds } from '../../spaces/open-wds.ts';
import { noSuchPolicy } from '../explain/explain.ts';
import { selectObjects } from '../selection/objects.ts';
import { type ViewWithErrors, viewOfUnseen } from '../unseen.ts';
import { readContents, sendableKinds, type WdsObject } from '../wds/contents.ts';
import { digestObjects } from '../wds/full-objects.ts';
import { deliveriesOf, type FollowedObject } from './delivery.ts';
import { readDelivery, unseenIn } from './evidence.ts';
import { judgedOf } from './judged-objects.ts';
import { type PolicySummary, summaryOf } from './policy-list.ts';
import { type DeliveryView, viewOfDelivery } from './view.ts';
import { followed } from './workload.ts';

/** An object of a policy, and its delivery to each WEC. The fields are an interface: docs/output.md. */
interface PolicyObject extends ObjectView {
  ways: DeliveryView[];
}

/** What a policy sends, and how far its delivery is. The fields are an interface: docs/output.md. */
export interface PolicyView extends Pick<PolicySummary, 'state' | 'why'> {
  name: string;
  wds: string;
  its: string | null;
  wecs: string[];
  /** The generation of its Binding, and the one that the transport has observed; null if there is no Binding. */
  binding: { generation: number; observed: number } | null;
  errors: string[];
  objects: PolicyObject[];
  notVisible: { what: string; why: string }[];
}

/** @throws StellarError `not-found` */
export async function getPolicyView(name: string, wds: OpenWds): Promise<ViewWithErrors<PolicyView>> {
  const kinds = await discoverKinds(wds.kube);
  const evidence = await readDelivery(wds, kinds, () => [name]);
  const policy = evidence.policies.find(({ metadata }) => metadata.name === name);
  const binding = evidence.bindings.get(name);
  if (policy === undefined && binding === undefined) throw noSuchPolicy(name, wds);
  const clauses = policy?.spec?.downsync ?? [];
  const contents = await readContents(wds.kube, clauses, sendableKinds(kinds, wds.apiGroups));
  const selected = selectObjects(clauses, contents.objects, contents.namespaces).map(({ object }) => object);
  const refs = [...selected.map(refOf), ...(await boundBeside(selected, binding, kinds, wds))];
  const own = policy === undefined ? [] : [policy];
  const unseen = [...unseenIn(evidence), ...contents.unread];
  const objects = refs.map((ref): PolicyObject => {
    const deliveries = deliveriesOf(followed(ref, own, contents.namespaces), evidence);
    const { kind, group, namespace = null } = ref;
    const isOwn = ({ policyName }: { policyName: string | undefined }) => policyName === name;
    return { kind, group, namespace, name: ref.name, ways: deliveries.filter(isOwn).map(viewOfDelivery) };
  });
  const deliveries = objects.flatMap((object) => object.ways.map((delivery) => judgedOf(object, delivery)));
  const { metadata = { generation: 0 }, status = {} } = binding ?? {};
  const { state, why, wecs } = summaryOf(name, policy, evidence, deliveries);
  const view: PolicyView = {
    ...{ name, wds: wds.name, its: ifSeen(wds.its)?.name ?? null, wecs, state, why },
    binding: binding ? { generation: metadata.generation ?? 0, observed: status.observedGeneration ?? 0 } : null,
    errors: (policy ?? binding)?.status?.errors ?? [],
    objects,
    notVisible: unseen.map(viewOfUnseen),
  };
  return { view, errors: unseen.map(({ error }) => error) };
}

type Ref = Omit<FollowedObject, 'selectedBy' | 'notSelected' | 'namespaces'>;

const refOf = ({ group, version, resource, kind, metadata }: WdsObject): Ref => ({
  ...{ group, version, resource, kind, namespace: metadata.namespace, name: metadata.name },
  object: { metadata },
});

/**
 * Returns the objects that the Binding names and the policy does not or no longer selects: all of them if the policy is deleted.
 */
async function boundBeside(
  selected: readonly WdsObject[],
  binding: Binding | undefined,
  kinds: readonly DiscoveredKind[],
  wds: OpenWds,
): Promise<Ref[]> {
  const keys = new Set(selected.map(keyOfCandidate));
  const beside = (binding === undefined ? [] : objectsOf(binding)).filter((bound) => !keys.has(keyOf(bound)));
  const entry = (bound: BoundObject, object: KubeObject) => [keyOf(bound), object] as const;
  const there = new Map(await digestObjects(wds.kube, beside, entry));
  return beside.map((bound) => {
    const { group = '', version = '', resource, namespace, name } = bound;
    const kind = kinds.find(({ apiVersion, plural }) => plural === resource && groupOf(apiVersion) === group)?.kind;
    const ref = { group, version, resource, kind: kind ?? resource, namespace, name };
    return { ...ref, object: there.get(keyOf(bound)) };
  });
}
