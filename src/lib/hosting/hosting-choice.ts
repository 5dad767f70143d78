import { StellarError } from '../engine/errors.ts';
import { inWords } from '../engine/next-step.ts';
import { type Kubeconfig, type SelectedContext, selectContext } from '../kube/kubeconfig/kubeconfig.ts';
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
  const known = [...kubeconfig.contexts.keys()];
  throw new StellarError('usage', 'No hosting cluster was given, and there is no current context.', {
    next:
      known.length === 0
        ? [inWords('Give a kubeconfig: --kubeconfig FILE, or the variable KUBECONFIG')]
        : [inWords('Give one: --hosting-context CONTEXT'), inWords(`Contexts: ${known.join(', ')}`)],
  });
}
