import type { Kube } from '../../../kube/client/client.ts';
import type { KubeObject } from '../../../kube/objects.ts';
import { resources } from '../../../kube/resources.ts';
import { controllerState } from './hub-controllers.ts';
import { Recreations } from './recreations.ts';

/** addon.open-cluster-management.io/v1alpha1, as far as it tells who installs an add-on. */
interface ClusterManagementAddOn extends KubeObject {
  spec?: { installStrategy?: { placements?: { name: string; namespace: string }[] } };
}

/** cluster.open-cluster-management.io/v1beta1 */
interface PlacementDecision extends KubeObject {
  status?: { decisions?: { clusterName: string }[] };
}

const placementLabel = 'cluster.open-cluster-management.io/placement';

/** Notices add-ons of a WEC that are recreated while it is being deleted, and finds out why. */
export class AddonReturns {
  readonly #hub: Kube;
  readonly #wec: string;
  readonly #recreations = new Recreations();
  readonly #reasons = new Map<string, string>();

  constructor(hub: Kube, wec: string) {
    this.#hub = hub;
    this.#wec = wec;
  }

  /** @returns what is recreated and why, a sentence; undefined where nothing is */
  async see(addons: readonly KubeObject[]): Promise<string | undefined> {
    for (const { metadata } of this.#recreations.see(addons, 1))
      if (!this.#reasons.has(metadata.name)) this.#reasons.set(metadata.name, await this.#reason(metadata.name));
    const [first] = this.#reasons.values();
    return first;
  }

  async #reason(addon: string): Promise<string> {
    const [definition, decisions, controller] = await Promise.all([
      this.#hub.get<ClusterManagementAddOn>(resources.clusterManagementAddOns, addon),
      this.#hub.list<PlacementDecision>(resources.placementDecisions),
      controllerState(this.#hub, 'placement'),
    ]);
    const placements = definition?.spec?.installStrategy?.placements ?? [];
    const selecting = placements.find(({ name, namespace }) =>
      (decisions ?? []).some(
        ({ metadata, status }) =>
          metadata.namespace === namespace &&
          metadata.labels?.[placementLabel] === name &&
          status?.decisions?.some(({ clusterName }) => clusterName === this.#wec),
      ),
    );
    const start = `The add-on ${addon} is recreated after each deletion`;
    if (selecting === undefined) return `${start}; no Placement selects ${this.#wec} for it.`;
    const placement = `the Placement ${selecting.namespace}/${selecting.name} still selects ${this.#wec}`;
    const stale = controller.runs === false ? `, because ${controller.deployment} is not running` : '';
    return `${start}: ${placement}${stale}.`;
  }
}
