import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { idle } from '../images/idle.ts';
import { ocmStatusAddon } from '../images/ocm-status-addon.ts';
import { ingressController, traefik } from '../ingress/controller.ts';
import { k3s } from '../kubeflex/k3s.ts';
import { syncer } from '../kubeflex/syncer.ts';
import type { PodContext } from '../pod-runner/program.ts';
import { postgresql } from './postgresql.ts';

/**
 * An image of a real program is its entrypoint (none if its users always name the program), the folder of its version of the program
 * if there are several, and what an older version does not know changes its words; of a stand-in, a function.
 */
export type Image =
  | { entrypoint?: string; folder?: string; adapt?: (words: string[]) => string[] }
  | { run: (context: PodContext) => Promise<void> };

/** The programs of OCM. */
const ocm = new Set([
  'addon-manager',
  'placement',
  'registration',
  'registration-operator',
  'work',
]);

/** The other images, by the last part of their repository's name; registry and tag do not matter. */
const images: Record<string, Image> = {
  // Its users name its shell, which is this machine's.
  busybox: {},
  clusteradm: { entrypoint: 'clusteradm' },
  cmupdate: { entrypoint: 'cmupdate' },
  controller: { run: ingressController },
  'controller-manager': { entrypoint: 'controller-manager' },
  helm: { entrypoint: 'helm' },
  // With `vcluster`, its syncer: a control plane with a kubelet of its own.
  k3s: { run: k3s },
  'kflex-get-kubeconfig': { entrypoint: 'kflex-get-kubeconfig' },
  kine: { entrypoint: 'kine' },
  'kube-apiserver': { adapt: asKubernetes129 },
  'kube-controller-manager': { entrypoint: 'kube-controller-manager' },
  'kube-rbac-proxy': { run: idle },
  kubectl: { entrypoint: 'kubectl' },
  manager: { entrypoint: 'manager' },
  nginx: { run: idle },
  'ocm-status-addon': { run: ocmStatusAddon },
  'ocm-transport-controller': { entrypoint: 'ocm-transport-controller' },
  pause: { run: idle },
  postgresql: { run: postgresql },
  traefik: { run: traefik },
  vcluster: { run: syncer },
};

/**
 * An image, or undefined if it cannot be pulled: one that is not supported, of a version of OCM that the bed has no programs of, or that
 * has `unknown` or `missing` in its name. An image in a folder `workloads` is a workload, which does nothing; one that is called `done`
 * has done it, and ends.
 * @param bin the folder of the programs
 */
export function imageOf(reference: string, bin: string): Image | undefined {
  if (/unknown|missing/.test(reference)) return undefined;
  if (/(^|\/)workloads\/done\b/.test(reference)) return { run: async () => {} };
  if (/(^|\/)workloads\//.test(reference)) return { run: idle };
  const [, repository = '', tag] = /^(.+?)(?::([^/:]+))?(?:@.+)?$/.exec(reference) ?? [];
  const name = repository.split('/').at(-1) ?? '';
  if (ocm.has(name))
    return tag !== undefined && existsSync(join(bin, tag)) ? { folder: tag } : undefined;
  return images[name];
}

/**
 * Serves ValidatingAdmissionPolicies as Kubernetes 1.29 does: as v1beta1 if both flags say so, else not at all. KubeFlex 0.9.3 runs
 * control planes of type k8s in that version, which cannot be built with the other programs.
 */
function asKubernetes129([program = '', ...flags]: string[]): string[] {
  const gate = /^(--feature-gates=(?:.*,)?)ValidatingAdmissionPolicy=true(?:,|$)/;
  const hidden = '--hidden-path=/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic';
  // Kubernetes 1.32 has the policies always, and does not know their gate any more.
  const known = flags.map((flag) => flag.replace(gate, '$1'));
  const isOn = flags.some((flag) => gate.test(flag));
  return [
    program,
    hidden,
    ...known,
    ...(isOn ? [] : ['--disable-admission-plugins=ValidatingAdmissionPolicy']),
  ];
}
