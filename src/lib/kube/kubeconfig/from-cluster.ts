import { invalidKubeconfig } from './errors.ts';
import { parseKubeconfig, type SelectedContext, selectContext, withoutCredentials } from './kubeconfig.ts';

const clusterFields = ['certificate-authority-data', 'tls-server-name'] as const;
const userFields = ['token', 'client-certificate-data', 'client-key-data'] as const;

/**
 * Reads a kubeconfig from a cluster, such as one in a Secret: its current context, or its first one. Its author is not the user of
 * this machine. It therefore takes only an address and data from it: nothing that runs a program, reads a file, uses a proxy,
 * impersonates a user or skips the verification of the server.
 * @param source names it in errors
 * @throws StellarError `kubeconfig-invalid`
 */
export async function contextFromCluster(text: string, source: string): Promise<SelectedContext> {
  const config = await parseKubeconfig(text, source);
  const [first] = config.contexts.keys();
  const { name, server, cluster, user } = selectContext(config, config.currentContext ?? first ?? '');
  const address = withoutCredentials(server);
  if (new URL(server).protocol !== 'https:') throw invalidKubeconfig(source, `its server ${address} is not https`);
  const kept = { server: address, ...strings(cluster, clusterFields) };
  return { name, server: address, cluster: kept, user: strings(user, userFields) };
}

function strings(entry: Record<string, unknown>, fields: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    fields.flatMap((field) => {
      const value = entry[field];
      return typeof value === 'string' && value !== '' ? [[field, value]] : [];
    }),
  );
}
