import { isDeepStrictEqual } from 'node:util';
import type { Kube } from '../../kube/client/client.ts';
import type { Deployment } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';
import { retryConflicts } from '../../kube/writes.ts';
import { apiServerOf, namespaceOf } from '../../model/kubeflex-names.ts';

/**
 * What kube-apiserver 1.28 and 1.29 need to serve ValidatingAdmissionPolicies. KubeFlex runs 1.29.9 for control planes of type k8s;
 * it creates their Deployment once and never changes it (kubeflex 0.9.3, pkg/reconcilers/k8s).
 */
const flags: readonly [flag: string, value: string][] = [
  ['--feature-gates', 'ValidatingAdmissionPolicy=true'],
  ['--runtime-config', 'admissionregistration.k8s.io/v1beta1=true'],
];

/** Adds these values to the flags of a command line, beside the values that they have. */
export function withFlags(words: readonly string[]): string[] {
  const added = flags.map(([flag, value]) => {
    const [present = ''] = words.filter((word) => word.startsWith(`${flag}=`));
    const values = present.split('=').slice(1).join('=').split(',');
    return `${flag}=${[...new Set([...values, value])].filter((each) => each !== '').join(',')}`;
  });
  const others = words.filter((word) => !flags.some(([flag]) => word.startsWith(`${flag}=`)));
  return [...others, ...added];
}

/**
 * Has the API server of a control plane of type k8s serve ValidatingAdmissionPolicies, which replaces its pod.
 * @returns what brings the earlier flags back; undefined if it had these flags
 */
export async function servePolicies(
  hosting: Kube,
  controlPlane: string,
): Promise<((last: Kube) => Promise<unknown>) | undefined> {
  const at = { namespace: namespaceOf(controlPlane) };
  const name = apiServerOf.k8s?.name ?? '';
  const write = (kube: Kube, containers: object[], metadata: object) =>
    kube.merge<Deployment>(resources.deployments, name, { metadata, spec: { template: { spec: { containers } } } }, at);
  return retryConflicts(hosting, async () => {
    const present = await hosting.get<Deployment>(resources.deployments, name, at);
    const before = present?.spec?.template?.spec?.containers ?? [];
    const containers = before.map((container) => {
      if (container.name !== name) return container;
      const { command = [], args } = container;
      return args === undefined
        ? { ...container, command: withFlags(command) }
        : { ...container, args: withFlags(args) };
    });
    const { uid, resourceVersion } = present?.metadata ?? {};
    if (isDeepStrictEqual(containers, before)) return undefined;
    await write(hosting, containers, { uid, resourceVersion });
    return (last) => write(last, before, { uid });
  });
}
