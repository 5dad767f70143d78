import { type Kubeconfig, selectContext } from './kube/kubeconfig.ts';
import { readSettings, writeSettings } from './settings.ts';

/** Chooses an ITS for later commands. @throws StellarError `context-unknown` for a context that is not in the kubeconfig */
export async function useIts(kubeconfig: Kubeconfig, context: string): Promise<void> {
  selectContext(kubeconfig, context);
  await writeSettings({ ...(await readSettings()), its: context });
}

/** Forgets the choice. */
export async function forgetIts(): Promise<void> {
  const { its: _, ...rest } = await readSettings();
  await writeSettings(rest);
}
