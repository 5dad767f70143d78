import { readSettings, writeSettings } from '../files/settings.ts';
import type { KubeconfigTarget } from '../kube/kubeconfig/edit.ts';
import { type Kubeconfig, loadKubeconfig, selectContext } from '../kube/kubeconfig/kubeconfig.ts';

/** Chooses an ITS for later commands. @throws StellarError `context-unknown` for a context that is not in the kubeconfig */
export async function useIts(kubeconfig: Kubeconfig, context: string): Promise<void> {
  selectContext(kubeconfig, context);
  await writeSettings({ ...(await readSettings()), its: context });
}

/** Chooses a new ITS, where none is chosen or the chosen one's context is gone. @returns whether later commands mean it */
export async function useItsIfNone(
  context: string,
  target: KubeconfigTarget,
  env: NodeJS.ProcessEnv,
): Promise<boolean> {
  const kubeconfig = await loadKubeconfig(target.file, target.env);
  const { its } = await readSettings();
  if (env.STELLARCTL_ITS) return env.STELLARCTL_ITS === context;
  if (its === undefined || !kubeconfig.contexts.has(its)) await useIts(kubeconfig, context);
  return (await readSettings()).its === context;
}

/** Forgets the choice. @param only nothing but the choice of this context */
export async function forgetIts(only?: string): Promise<void> {
  const { its, ...rest } = await readSettings();
  if (only === undefined || its === only) await writeSettings(rest);
}
