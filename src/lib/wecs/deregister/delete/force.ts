import { monotonic } from '../../../engine/clock.ts';
import type { Kube } from '../../../kube/client/client.ts';
import type { KubeObject, Lease } from '../../../kube/objects.ts';
import { type Resource, resources } from '../../../kube/resources.ts';
import { withoutFinalizers } from '../../../kube/writes.ts';
import { leaseName } from '../../../model/ocm-names.ts';
import type { HubState } from '../inspect/hub-state.ts';

/** A finalizer that force has removed, with the object that it guarded. */
export interface TakenFinalizer {
  object: string;
  finalizers: string[];
}

/** The finalizers of add-ons that programs on the WEC remove (open-cluster-management.io/api addon/v1alpha1 and v1beta1). */
export const addonFinalizers = [
  'addon.open-cluster-management.io/addon-pre-delete',
  'addon.open-cluster-management.io/hosting-addon-pre-delete',
  'addon.open-cluster-management.io/hosting-manifests-cleanup',
  'cluster.open-cluster-management.io/addon-pre-delete',
  'cluster.open-cluster-management.io/hosting-addon-pre-delete',
  'cluster.open-cluster-management.io/hosting-manifests-cleanup',
];

/** Anything that still works makes progress within this time. */
const graceMs = 15_000;

/**
 * The user's confirmation in place of the proof that a WEC's agent is gone. It counts only while nothing makes progress; if the
 * agent renews its Lease after the deletion has begun, the user is asked again.
 */
export class Force {
  readonly taken: TakenFinalizer[] = [];
  readonly #hub: Kube;
  readonly #name: string;
  readonly #askAgain: (why: string) => Promise<void>;
  #lease: Lease | undefined;
  #state = '';
  #since = monotonic();
  #asked = false;

  /** @param askAgain returns if the user confirms again, and throws otherwise */
  constructor(hub: Kube, { name, lease }: HubState, askAgain: (why: string) => Promise<void>) {
    this.#hub = hub;
    this.#name = name;
    this.#lease = lease;
    this.#askAgain = askAgain;
  }

  /** Whether finalizers may be removed now: nothing has changed for some time, and the agent has not renewed its Lease. */
  async isDue(hubState: HubState): Promise<boolean> {
    // The agent acts only once an object is being deleted: its time counts from then.
    const state = JSON.stringify(
      guarded(hubState).map(({ metadata }) => [metadata.uid, metadata.deletionTimestamp, metadata.finalizers]),
    );
    if (state !== this.#state) {
      this.#state = state;
      this.#since = monotonic();
    }
    if (monotonic() - this.#since < graceMs) return false;
    const lease = await this.#hub.get<Lease>(resources.leases, leaseName, { namespace: this.#name });
    if (!this.#asked && lease?.spec?.renewTime !== this.#lease?.spec?.renewTime) {
      await this.#askAgain(`The agent of ${this.#name} is running: it has renewed its lease since the deletion began.`);
      this.#asked = true;
    }
    return true;
  }

  /** Removes finalizers of objects that are being deleted. */
  async take(resource: Resource, objects: readonly KubeObject[], removable: readonly string[]): Promise<void> {
    for (const { metadata } of objects.filter((object) => object.metadata.deletionTimestamp !== undefined)) {
      const finalizers = await withoutFinalizers(this.#hub, resource, metadata, removable);
      if (finalizers.length > 0) this.taken.push({ object: `${resource.kind} ${metadata.name}`, finalizers });
    }
  }
}

const guarded = ({ works, addonWorks, addons }: HubState): KubeObject[] => [...works, ...addonWorks, ...addons];
