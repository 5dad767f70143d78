import type { ChangeResult } from '../core/each-name.ts';
import type { Standing } from '../core/stages.ts';
import type { Connect, Kube } from '../kube/client/client.ts';
import type { KubeconfigTarget } from '../kube/kubeconfig/edit.ts';
import type { Kubeconfig, SelectedContext } from '../kube/kubeconfig/kubeconfig.ts';
import type { HostingSource } from './hosting.ts';

/** The dependencies of commands for spaces: the hosting cluster, access to the spaces, and the kubeconfig of their contexts. */
export interface SpaceTools {
  hosting: Kube;
  hostingContext: SelectedContext;
  /** What selected the hosting cluster. */
  hostingSource: HostingSource;
  kubeconfig: Kubeconfig;
  target: KubeconfigTarget;
  /** Opens a client for a space. */
  connect: Connect;
}

/** The result for one space, as scripts receive it. The fields are a public interface: docs/output.md. */
export interface SpaceResult extends Standing, ChangeResult {
  type: string;
  /** Its context, if any. */
  context: string | null;
  /** With --guard: whether it is guarded. */
  guarded?: boolean;
}
