import { ifSeen } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { resources } from '../../kube/client/objects.ts';
import { type DiscoveredKind, discover } from '../../kube/discovery.ts';
import { type Proven, prove } from '../../kube/served.ts';
import type {
  BindingPolicy,
  DownsyncClause,
  PolicySpec,
} from '../../ocm/model/kubestellar-names.ts';
import type { Wds } from '../../spaces/choose/open-wds.ts';
import { selectsLabels } from './label-selectors.ts';
import { selectObjects } from './select-objects.ts';
import { readInventory } from './unseen.ts';
import { readContents, sendableKinds, unservedBy } from './wds-contents.ts';

/** An existing or planned BindingPolicy, with what it selects now. */
export type PolicySubject = Awaited<ReturnType<typeof evaluate>>;

/**
 * Reads what clauses select in a WDS, with all that shows whether something is hidden.
 * @param more clauses whose kinds are read as well
 */
export async function readSelected(
  { kube, apiGroups }: Wds,
  clauses: readonly DownsyncClause[],
  more: readonly DownsyncClause[] = [],
) {
  const all = await discover(kube, ['list', 'watch']);
  const kinds = sendableKinds(all.kinds, apiGroups);
  const wanted = [...clauses, ...more];
  const [contents, unserved] = await Promise.all([
    readContents(kube, wanted, kinds),
    unservedBy(kube, wanted, all),
  ]);
  contents.unread.push(...unserved);
  const objects = selectObjects(clauses, contents.objects, contents.namespaces);
  return { served: all.kinds, kinds, contents, objects };
}

/** Evaluates a policy against the current state of its WDS and its ITS. */
export async function evaluate(name: string, spec: PolicySpec, wds: Wds) {
  const { downsync = [], clusterSelectors = [] } = spec;
  const [{ served, ...selected }, inventory] = await Promise.all([
    readSelected(wds, downsync),
    readInventory(wds),
  ]);
  // If no hosting cluster shows the type of the WDS, the kinds that it serves do.
  const isControlPlane = ({ kind, apiVersion }: DiscoveredKind) =>
    kind === 'ControlPlane' && apiVersion.startsWith('tenancy.kflex.kubestellar.org/');
  const isHosting = wds.type === 'host' || (wds.type === undefined && served.some(isControlPlane));
  return {
    name,
    spec,
    wds,
    /** Whether the WDS is a hosting cluster itself. */
    isHosting,
    ...selected,
    /** All WECs of the ITS. */
    inventory,
    /** The selected WECs that could be read. */
    wecs: (ifSeen(inventory) ?? []).filter(({ metadata }) =>
      selectsLabels(clusterSelectors, metadata.labels ?? {}),
    ),
  };
}

/** Reads a policy of a WDS. */
export const getPolicy = (wds: Kube, name: string): Promise<Proven<BindingPolicy>> =>
  prove(wds, resources.bindingPolicies, name);
