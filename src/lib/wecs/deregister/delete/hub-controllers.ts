import { command } from '../../../engine/command-line.ts';
import { type NextStep, run } from '../../../engine/next-step.ts';
import type { Kube } from '../../../kube/client/client.ts';
import { createdAt, type KubeObject, type Lease, type Pod } from '../../../kube/objects.ts';
import { resources } from '../../../kube/resources.ts';
import { listServed } from '../../../kube/served.ts';
import { hubNamespace } from '../../../model/ocm-names.ts';
import type { ManagedCluster } from '../../../model/ocm-objects.ts';
import { isRunning } from '../inspect/running.ts';

/** Controllers of a hub, each with the Lease that its leader holds (ocm pkg/cmd/hub: component name and `-lock`). */
const controllers = {
  registration: { deployment: 'cluster-manager-registration-controller', lease: 'registration-controller-lock' },
  placement: { deployment: 'cluster-manager-placement-controller', lease: 'placement-lock' },
} as const;

export type HubController = keyof typeof controllers;

export interface ControllerState {
  deployment: string;
  /** Undefined if neither its pods nor its Lease can be read. */
  runs: boolean | undefined;
  /** Whether its leader has renewed its Lease in time. */
  holdsLease: boolean;
}

/** Whether one of the hub's controllers is running: from its pods, and from the Lease that one of them must hold. */
export async function controllerState(hub: Kube, which: HubController): Promise<ControllerState> {
  const { deployment, lease: leaseName } = controllers[which];
  const namespace = hubNamespace;
  const [object, pods, lease] = await Promise.all([
    hub.get(resources.deployments, deployment, { namespace }),
    listServed<Pod>(hub, resources.pods, { namespace }),
    hub.get<Lease>(resources.leases, leaseName, { namespace }),
  ]);
  const holdsLease = lease !== undefined && isHeld(lease, hub.now());
  const own = pods.filter(({ metadata }) => metadata.name.startsWith(`${deployment}-`));
  const leads = lease === undefined ? undefined : holdsLease;
  const runs = object === undefined ? leads : own.some(isRunning) && leads !== false;
  return { deployment, runs, holdsLease };
}

/** The message for a deletion that waits for the registration controller while it is not running; undefined otherwise. */
export async function missingRegistration(hub: Kube): Promise<{ detail: string; next: NextStep[] } | undefined> {
  if ((await controllerState(hub, 'registration')).runs !== false) return undefined;
  const { context } = hub.cluster;
  return {
    detail: `The registration controller of ${context} is not running.`,
    next: [run(command`kubectl --context ${context} -n ${hubNamespace} get deployments,pods`, 'Start it')],
  };
}

/** A Lease without a holder was released. */
function isHeld({ spec }: Lease, now: number): boolean {
  const renewed = Date.parse(spec?.renewTime ?? '');
  return Boolean(spec?.holderIdentity) && now - renewed < (spec?.leaseDurationSeconds ?? 0) * 1000;
}

/** addon.open-cluster-management.io/v1alpha1, with the fields that show what installs an add-on. */
interface ClusterManagementAddOn extends KubeObject {
  spec?: { installStrategy?: { placements?: { name: string; namespace: string }[] } };
}

/** cluster.open-cluster-management.io/v1beta1 */
interface PlacementDecision extends KubeObject {
  status?: { decisions?: { clusterName: string }[] };
}

const placementLabel = 'cluster.open-cluster-management.io/placement';

/** What an ITS installs an add-on by: the Placements, and the first that selects a WEC. */
async function installerOf(hub: Kube, wec: string, addon: string) {
  const [definition, decisions, controller] = await Promise.all([
    hub.get<ClusterManagementAddOn>(resources.clusterManagementAddOns, addon),
    hub.list<PlacementDecision>(resources.placementDecisions),
    controllerState(hub, 'placement'),
  ]);
  const placements = definition?.spec?.installStrategy?.placements ?? [];
  const selecting = placements.find(({ name, namespace }) =>
    (decisions ?? []).some(
      ({ metadata, status }) =>
        metadata.namespace === namespace &&
        metadata.labels?.[placementLabel] === name &&
        status?.decisions?.some(({ clusterName }) => clusterName === wec),
    ),
  );
  return { placements, selecting, controller };
}

/** Why an add-on is not installed for a WEC, a clause; undefined if the ITS installs it by no Placement. */
export async function whyMissing(hub: Kube, wec: string, addon: string): Promise<string | undefined> {
  const { placements, selecting, controller } = await installerOf(hub, wec, addon);
  if (selecting !== undefined)
    return `the Placement ${namespacedName(selecting)} selects it, and ${hub.cluster.context} has not installed it`;
  const stale = controller.runs === false ? `; ${controller.deployment} is not running` : '';
  return placements[0] && `the Placement ${placements.map(namespacedName).join(' or ')} does not select it${stale}`;
}

const namespacedName = ({ namespace, name }: Record<'namespace' | 'name', string>): string => `${namespace}/${name}`;

/** Objects that were created after a deletion began. */
export const createdSince = <Made extends KubeObject>(made: readonly Made[], cluster: ManagedCluster): Made[] =>
  made.filter((object) => createdAt(object) > Date.parse(cluster.metadata.deletionTimestamp ?? ''));

/** What recreates an add-on of a WEC that is being deleted, a sentence. */
export async function whyAddonReturns(
  hub: Kube,
  cluster: ManagedCluster | undefined,
  addons: readonly KubeObject[],
): Promise<string | undefined> {
  const [addon] = cluster === undefined ? [] : createdSince(addons, cluster);
  if (cluster === undefined || addon === undefined) return undefined;
  const { name } = cluster.metadata;
  const { selecting, controller } = await installerOf(hub, name, addon.metadata.name);
  const start = `The add-on ${addon.metadata.name} is recreated after each deletion`;
  if (selecting === undefined) return `${start}; no Placement selects ${name} for it.`;
  const placement = `the Placement ${namespacedName(selecting)} still selects ${name}`;
  const stale = controller.runs === false ? `, because ${controller.deployment} is not running` : '';
  return `${start}: ${placement}${stale}.`;
}
