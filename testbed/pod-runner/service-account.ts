import type { Api } from '../kube/api.ts';
import type { Pod } from '../kube/objects.ts';
import { serviceAccounts } from '../kube/resources.ts';
import { untilAnswered } from '../kube/retry.ts';

const lifetimeSeconds = 3607;

/**
 * A token of a pod's service account, bound to the pod. Like the kubelet, requests a new one after four fifths of its
 * lifetime.
 */
export class PodToken {
  #token = '';
  readonly #kubelet: Api;
  readonly #pod: Pod;

  private constructor(kubelet: Api, pod: Pod) {
    this.#kubelet = kubelet;
    this.#pod = pod;
  }

  static async request(kubelet: Api, pod: Pod, signal: AbortSignal): Promise<PodToken> {
    const token = new PodToken(kubelet, pod);
    await untilAnswered(() => token.#renew(), signal);
    const timer = setInterval(
      () => void untilAnswered(() => token.#renew(), signal).catch(() => {}),
      lifetimeSeconds * 800,
    );
    signal.addEventListener('abort', () => clearInterval(timer));
    return token;
  }

  get value(): string {
    return this.#token;
  }

  async #renew(): Promise<void> {
    const { namespace, name, uid } = this.#pod.metadata;
    const key = `${namespace}/${this.#pod.spec.serviceAccountName ?? 'default'}`;
    const { status } = await this.#kubelet.post<{ status: { token: string } }>(serviceAccounts, key, 'token', {
      spec: { expirationSeconds: lifetimeSeconds, boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name, uid } },
    });
    this.#token = status.token;
  }
}
