import { once } from 'node:events';
import type { PodContext } from '../pod-runner/program.ts';
import { controllers } from './k8s.ts';
import { controlPlaneOf, securePort } from './names.ts';

const pki = '/etc/kubernetes/pki';

/**
 * The API server of a control plane of type k8s: a real one, with its own etcd instead of kine and PostgreSQL, and with the
 * controllers that its kube-controller-manager would run.
 */
export async function kubeApiserver(context: PodContext): Promise<void> {
  const { pod, signal } = context;
  const file = (name: string) => {
    const text = context.readFile(`${pki}/${name}`);
    if (text === undefined) throw new Error(`open ${pki}/${name}: no such file or directory`);
    return text;
  };
  const pair = (name: string) => ({ certPem: file(`${name}.crt`), keyPem: file(`${name}.key`) });
  await context.startPlane({
    name: controlPlaneOf(pod.metadata.namespace ?? '') ?? '',
    port: securePort,
    keys: { authority: pair('ca'), serving: pair('apiserver'), tokenKeyPem: file('sa.key') },
    controllers,
    hasNode: false,
  });
  context.log('Serving securely on [::]:9444');
  context.setReady(true);
  if (!signal.aborted) await once(signal, 'abort');
}
