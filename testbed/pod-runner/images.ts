import { addonManager } from '../images/addon-manager.ts';
import { clusteradm } from '../images/clusteradm.ts';
import { controllerManager } from '../images/controller-manager.ts';
import { helm } from '../images/helm.ts';
import { idle } from '../images/idle.ts';
import { kflexGetKubeconfig } from '../images/kflex-get-kubeconfig.ts';
import { kubectl } from '../images/kubectl.ts';
import { ocmStatusAddon } from '../images/ocm-status-addon.ts';
import { ocmTransportController } from '../images/ocm-transport-controller.ts';
import { placement } from '../images/placement.ts';
import { registration } from '../images/registration.ts';
import { registrationOperator } from '../images/registration-operator.ts';
import { work } from '../images/work.ts';
import { ingressController, traefik } from '../ingress/controller.ts';
import { cmupdate } from '../kubeflex/cmupdate.ts';
import { k3s } from '../kubeflex/k3s.ts';
import { kubeApiserver } from '../kubeflex/kube-apiserver.ts';
import { kubeControllerManager } from '../kubeflex/kube-controller-manager.ts';
import { kubeflexManager } from '../kubeflex/manager.ts';
import { syncer } from '../kubeflex/syncer.ts';
import type { Program } from './program.ts';

/** The supported images, by the last part of their repository's name; registry and tag do not matter. */
const programs: Record<string, Program> = {
  'addon-manager': addonManager,
  clusteradm,
  cmupdate,
  controller: ingressController,
  'controller-manager': controllerManager,
  helm,
  k3s,
  'kflex-get-kubeconfig': kflexGetKubeconfig,
  // The database of a control plane of type k8s; here, its API server uses etcd.
  kine: idle,
  'kube-apiserver': kubeApiserver,
  'kube-controller-manager': kubeControllerManager,
  'kube-rbac-proxy': idle,
  kubectl,
  manager: kubeflexManager,
  'ocm-status-addon': ocmStatusAddon,
  'ocm-transport-controller': ocmTransportController,
  placement,
  postgresql: idle,
  // Workloads that people try out.
  'multicluster-controlplane': idle,
  nginx: idle,
  pause: idle,
  registration,
  'registration-operator': registrationOperator,
  traefik,
  vcluster: syncer,
  work,
};

/**
 * The stand-in for an image, or undefined if the image cannot be pulled: an image that is not supported, or one with
 * `unknown` or `missing` in its name. An image in a folder `workloads` is a workload, which does nothing.
 */
export function programFor(image: string): Program | undefined {
  if (/unknown|missing/.test(image)) return undefined;
  if (/(^|\/)workloads\//.test(image)) return idle;
  const repository = image.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
  return programs[repository.split('/').at(-1) ?? ''];
}
