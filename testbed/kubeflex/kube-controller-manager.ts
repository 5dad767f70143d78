import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { readCurrentContext } from '../kube/kubeconfig.ts';
import type { PodContext } from '../pod-runner/program.ts';

/** Waits for its API server; its controllers run beside that one (see kube-apiserver.ts). */
export async function kubeControllerManager(context: PodContext): Promise<void> {
  const { signal } = context;
  const api = context.connect(readCurrentContext(context.readFile('/etc/kubernetes/kubeconfig') ?? '').connection);
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      await api.send('GET', '/healthz');
      break;
    } catch (error) {
      if (signal.aborted) return;
      if (Date.now() > deadline) throw error;
      await sleep(500);
    }
  }
  context.setReady(true);
  if (!signal.aborted) await once(signal, 'abort');
}
