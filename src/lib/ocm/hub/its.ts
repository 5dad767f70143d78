import type { Kube } from '../../kube/client/client.ts';
import type { SelectedContext } from '../../kube/kubeconfig/kubeconfig.ts';

/** A client for an ITS, and its context. */
export interface Its {
  kube: Kube;
  context: SelectedContext;
}
