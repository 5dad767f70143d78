import { ifSeen } from '../../kube/access.ts';
import { byName } from '../../kube/client/objects.ts';
import { discoverKinds } from '../../kube/discovery.ts';
import { objectsOf } from '../../ocm/model/kubestellar-names.ts';
import { keyOf } from '../../ocm/model/object-ref.ts';
import type { Wds } from '../../spaces/choose/open-wds.ts';
import { readDelivery, unseenIn } from '../delivery/delivery.ts';
import { deliveriesIn, judging, type PolicyObject } from '../delivery/judged-objects.ts';
import { selectObjects } from '../selection/select-objects.ts';
import { type ViewWithErrors, viewOfUnseen } from '../selection/unseen.ts';
import { clausesFor, readContents, sendableKinds } from '../selection/wds-contents.ts';
import { noSuchPolicy } from './explain.ts';
import { type PolicySummary, policySummary } from './policy-list.ts';

/** What a policy sends, and how far its delivery is. The fields are an interface: docs/output.md. */
export interface PolicyView extends Pick<PolicySummary, 'state' | 'why' | 'since'> {
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
export async function getPolicyView(name: string, wds: Wds): Promise<ViewWithErrors<PolicyView>> {
  const kinds = await discoverKinds(wds.kube);
  const evidence = await readDelivery(wds, () => [name]);
  const policy = byName(evidence.policies).get(name);
  const binding = evidence.bindings.get(name);
  if (policy === undefined && binding === undefined) throw noSuchPolicy(name, wds);
  const clauses = policy?.spec?.downsync ?? [];
  const bound = binding === undefined ? [] : objectsOf(binding);
  const sendable = sendableKinds(kinds, wds.apiGroups);
  const contents = await readContents(wds.kube, [...clauses, ...clausesFor(bound)], sendable);
  const selected = selectObjects(clauses, contents.objects, contents.namespaces).map(
    ({ object }) => ({ ...object, ...object.metadata }),
  );
  // The Binding may also name what the policy does not or no longer selects: everything if the policy is deleted.
  const all = new Map([...selected, ...bound].map((each) => [keyOf(each), each]));
  const policies = policy === undefined ? [] : [policy];
  const judge = await judging(wds, contents, kinds, policies, evidence);
  const objects = [...all.values()]
    .map(judge)
    .map((object) => ({
      ...object,
      deliveries: object.deliveries.filter((delivery) => delivery.policy === name),
    }));
  const unseen = [...unseenIn(evidence), ...contents.unread];
  const { metadata = { generation: 0 }, status = {} } = binding ?? {};
  const { wecs, state, why, since } = policySummary(name, policy, evidence, deliveriesIn(objects));
  const view: PolicyView = {
    name,
    wds: wds.name,
    its: ifSeen(wds.its)?.name ?? null,
    wecs,
    state,
    why,
    ...(since === undefined ? {} : { since }),
    binding: binding
      ? { generation: metadata.generation ?? 0, observed: status.observedGeneration ?? 0 }
      : null,
    errors: (policy ?? binding)?.status?.errors ?? [],
    objects,
    notVisible: unseen.map(viewOfUnseen),
  };
  return { view, errors: unseen.map(({ error }) => error) };
}
