import { parseKubeconfig, type SelectedContext, selectContext } from '../kube/kubeconfig/kubeconfig.ts';
import { programFailed } from '../programs/program.ts';
import { localNames } from './names.ts';
import type { LocalProvider } from './provider.ts';

/** How to connect to a cluster, as its provider tells. @throws StellarError `program-failed` for one that is half made or stopped */
export async function readEntries(provider: LocalProvider, name: string): Promise<SelectedContext> {
  const attempt = await provider.kubeconfig(name);
  if (attempt.exitCode !== 0) throw programFailed(provider.program, attempt.args, attempt);
  const config = parseKubeconfig(attempt.stdout, `of the ${provider.name} cluster ${name}`);
  return selectContext(config, config.currentContext ?? localNames(provider.name, name).context);
}
