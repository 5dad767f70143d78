import { command } from '../core/command-line.ts';
import { type NextStep, run } from '../core/next-step.ts';
import type { Kube } from '../kube/client/client.ts';
import type { Lease, Pod } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import { isRunning } from '../kube/pods.ts';
import { listServed } from '../kube/served.ts';
import { hubNamespace } from '../ocm/ocm-names.ts';

/** The registration controller of a hub, and the Lease that its leader holds (ocm pkg/cmd/hub: component name and `-lock`). */
const [deployment, leaseName] = ['cluster-manager-registration-controller', 'registration-controller-lock'];

interface ControllerState {
  /** Undefined if neither its pods nor its Lease can be read. */
  runs: boolean | undefined;
  /** Whether its leader has renewed its Lease in time. */
  holdsLease: boolean;
}

/** Whether the hub's registration controller is running: from its pods, and from the Lease that one of them must hold. */
export async function controllerState(hub: Kube): Promise<ControllerState> {
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
  return { runs, holdsLease };
}

/** The message for a deletion that waits for the registration controller while it is not running; undefined otherwise. */
export async function missingRegistration(hub: Kube): Promise<{ detail: string; next: NextStep[] } | undefined> {
  if ((await controllerState(hub)).runs !== false) return undefined;
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
