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
  const given = (flag: string) => context.args.find((arg) => arg.startsWith(`${flag}=`))?.slice(flag.length + 1) ?? '';
  await context.startPlane({
    name: controlPlaneOf(pod.metadata.namespace ?? '') ?? '',
    port: securePort,
    keys: { authority: pair('ca'), serving: pair('apiserver'), tokenKeyPem: file('sa.key') },
    controllers,
    flags: flagsOf129(given('--feature-gates'), given('--runtime-config')),
    hasNode: false,
  });
  context.log('Serving securely on [::]:9444');
  context.setReady(true);
  if (!signal.aborted) await once(signal, 'abort');
}

/**
 * What makes the bed's Kubernetes serve ValidatingAdmissionPolicies as 1.29 does: as v1beta1 if both flags say so, else not at all.
 * Kubernetes since 1.34 has v1beta1 only if it emulates an earlier version.
 */
function flagsOf129(gates: string, config: string): Record<string, string> {
  const isOn = gates.split(',').includes('ValidatingAdmissionPolicy=true');
  const isServed = config.split(',').includes('admissionregistration.k8s.io/v1beta1=true');
  return {
    'hidden-path': '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic',
    ...(isServed ? { 'emulated-version': '1.33', 'runtime-config': 'admissionregistration.k8s.io/v1beta1=true' } : {}),
    ...(isOn ? {} : { 'disable-admission-plugins': 'ValidatingAdmissionPolicy' }),
  };
}
