import { type Kubeconfig, type SelectedContext, selectContext } from '../kube/kubeconfig/kubeconfig.ts';
import { noneGiven } from '../spaces/its-choice.ts';
import { hostingContext } from '../spaces/kubeconfig-extension.ts';

export type HostingSource = '--hosting-context' | 'STELLARCTL_HOSTING_CONTEXT' | 'kubeconfig' | 'current context';

/**
 * The hosting cluster: what was given, else the variable STELLARCTL_HOSTING_CONTEXT, else what the kubeconfig says to be it (`init`
 * and kflex note it there), else the current context. No context is ever probed to find one.
 * @throws StellarError `usage` when there is none of these, `context-unknown`
 */
export function chooseHosting(
  given: string | undefined,
  env: NodeJS.ProcessEnv,
  kubeconfig: Kubeconfig,
): { context: SelectedContext; source: HostingSource } {
  const candidates: [string | undefined, HostingSource][] = [
    [given, '--hosting-context'],
    [env.STELLARCTL_HOSTING_CONTEXT || undefined, 'STELLARCTL_HOSTING_CONTEXT'],
    [hostingContext(kubeconfig), 'kubeconfig'],
    [kubeconfig.currentContext, 'current context'],
  ];
  for (const [name, source] of candidates)
    if (name !== undefined) return { context: selectContext(kubeconfig, name), source };
  throw noneGiven('No hosting cluster', '--hosting-context', kubeconfig);
}
