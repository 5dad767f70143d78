import type { HostingSource } from '../hosting/hosting.ts';
import type { Connect, Kube } from '../kube/client/client.ts';
import type { KubeconfigTarget } from '../kube/kubeconfig/edit.ts';
import type { Kubeconfig, SelectedContext } from '../kube/kubeconfig/kubeconfig.ts';

/** What work on spaces takes: the hosting cluster, a way to the spaces themselves, and the kubeconfig that their contexts are kept in. */
export interface SpaceTools {
  hosting: Kube;
  hostingContext: SelectedContext;
  /** How it came to be meant. */
  hostingSource: HostingSource;
  kubeconfig: Kubeconfig;
  target: KubeconfigTarget;
  /** Opens a client for a space that has been found. */
  connect: Connect;
}
