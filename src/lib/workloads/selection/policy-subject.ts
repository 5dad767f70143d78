import { type Access, ifSeen, through } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { resources } from '../../kube/client/objects.ts';
import { type DiscoveredKind, discover } from '../../kube/discovery.ts';
import { type Proven, prove } from '../../kube/served.ts';
import { findWecs } from '../../ocm/hub/find-wecs.ts';
import type { BindingPolicy, PolicySpec } from '../../ocm/model/kubestellar-names.ts';
import type { ManagedCluster } from '../../ocm/model/ocm-objects.ts';
import type { Wds } from '../../spaces/choose/open-wds.ts';
import { selectsLabels } from './label-selectors.ts';
import { type SelectedObject, selectObjects } from './select-objects.ts';
import { readContents, sendableKinds, type WdsContents, type WdsObject } from './wds-contents.ts';

/** An existing or planned BindingPolicy, with what it selects now. */
export interface PolicySubject {
  name: string;
  spec: PolicySpec;
  wds: Wds;
  /** Whether the WDS is a hosting cluster itself. */
  isHosting: boolean;
  /** The kinds that the WDS can send. */
  kinds: readonly DiscoveredKind[];
  contents: WdsContents;
  objects: SelectedObject<WdsObject>[];
  /** All WECs of the ITS. */
  inventory: Access<ManagedCluster[]>;
  /** The selected WECs that could be read. */
  wecs: ManagedCluster[];
}

/** Evaluates a policy against the current state of its WDS and its ITS. */
export async function evaluate(name: string, spec: PolicySpec, wds: Wds): Promise<PolicySubject> {
  const clauses = spec.downsync ?? [];
  const all = await discover(wds.kube, ['list', 'watch']);
  const kinds = sendableKinds(all.kinds, wds.apiGroups);
  // If no hosting cluster shows the type of the WDS, the kinds that it serves do.
  const isControlPlane = ({ kind, apiVersion }: DiscoveredKind) =>
    kind === 'ControlPlane' && apiVersion.startsWith('tenancy.kflex.kubestellar.org/');
  const isHosting =
    wds.type === 'host' || (wds.type === undefined && all.kinds.some(isControlPlane));
  const [contents, inventory] = await Promise.all([
    readContents(wds.kube, clauses, kinds, all),
    through(wds.its, async ({ kube }) =>
      (await findWecs(kube, {})).flatMap(({ cluster }) => cluster ?? []),
    ),
  ]);
  const { clusterSelectors = [] } = spec;
  return {
    name,
    spec,
    wds,
    isHosting,
    kinds,
    contents,
    inventory,
    objects: selectObjects(clauses, contents.objects, contents.namespaces),
    wecs: (ifSeen(inventory) ?? []).filter(({ metadata }) =>
      selectsLabels(clusterSelectors, metadata.labels ?? {}),
    ),
  };
}

/** Reads a policy of a WDS. */
export const getPolicy = (wds: Kube, name: string): Promise<Proven<BindingPolicy>> =>
  prove(wds, resources.bindingPolicies, name);
