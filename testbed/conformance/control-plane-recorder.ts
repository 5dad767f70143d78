import type { ControlPlaneRecord } from '../expected/control-planes.ts';
import type { State } from '../expected/sequences.ts';
import { type Api, keyOf } from '../kube/api.ts';
import { Informer } from '../kube/informer.ts';
import type { KubeObject, Secret } from '../kube/objects.ts';
import { controlPlanes, deployments, ingresses, jobs, secrets, services, statefulSets } from '../kube/resources.ts';
import type { ControlPlane } from '../kubeflex/objects.ts';
import { compareStates } from './compare.ts';

/** Watches a control plane from before its creation, to miss no state, however short. */
export class ControlPlaneRecorder {
  readonly #synced: State[] = [];
  readonly #ready: State[] = [];
  readonly #api: Api;
  readonly #name: string;
  readonly #stopping = new AbortController();

  private constructor(api: Api, name: string) {
    this.#api = api;
    this.#name = name;
  }

  static async start(api: Api, name: string): Promise<ControlPlaneRecorder> {
    const recorder = new ControlPlaneRecorder(api, name);
    const options = {
      fieldSelector: `metadata.name=${name}`,
      onChange: (object: ControlPlane) => recorder.#add(object),
    };
    await new Informer<ControlPlane>(api, controlPlanes, options, recorder.#stopping.signal).synced;
    return recorder;
  }

  stop(): void {
    this.#stopping.abort();
  }

  /** The current differences from the record. */
  async differences(expected: ControlPlaneRecord): Promise<string[]> {
    const namespace = `${this.#name}-system`;
    const { metadata, status } = await this.#api.get<ControlPlane>(controlPlanes, this.#name);
    const { secretRef } = status ?? {};
    const found = {
      labels: metadata.labels,
      hooks: status?.postCreateHooks,
      secretRef: secretRef && { name: secretRef.name, key: secretRef.key, inClusterKey: secretRef.inClusterKey },
      secrets: await this.#secretKeys(namespace),
      objects: await this.#objects(namespace),
    };
    const { synced, ready, ...inTheEnd } = expected;
    return [
      ...compareStates('Synced', this.#synced, synced),
      ...compareStates('Ready', this.#ready, ready),
      ...Object.entries(found).flatMap(([what, value]) => {
        const wanted = inTheEnd[what as keyof typeof inTheEnd];
        const [text, wantedText] = [JSON.stringify(value), JSON.stringify(wanted)];
        return text === wantedText ? [] : [`${what}: ${text}, expected ${wantedText}`];
      }),
    ];
  }

  #add({ status }: ControlPlane): void {
    for (const { type, status: value, reason, message } of status?.conditions ?? []) {
      const states = type === 'Synced' ? this.#synced : this.#ready;
      const state = { status: value, reason, message };
      if (JSON.stringify(states.at(-1)) !== JSON.stringify(state)) states.push(state);
    }
  }

  async #secretKeys(namespace: string): Promise<Record<string, string[]>> {
    const { items } = await this.#api.list<Secret>(secrets, { namespace });
    return Object.fromEntries(items.map(({ metadata, data }) => [metadata.name, Object.keys(data ?? {}).sort()]));
  }

  async #objects(namespace: string): Promise<string[]> {
    const kinds = [deployments, ingresses, jobs, services, statefulSets];
    const lists = await Promise.all(
      kinds.map(async (resource) => {
        const { items } = await this.#api.list<KubeObject>(resource, { namespace });
        return items.map((object) => `${resource.kind}/${keyOf(object).split('/')[1]}`);
      }),
    );
    return lists.flat().sort();
  }
}
