import { parseDocument } from 'yaml';
import { isServerAddress } from '../../core/object-names.ts';
import { yamlOfPrograms } from '../../core/text/formats.ts';
import type { Reader } from '../../kube/client/client.ts';
import { type ConfigMap, resources } from '../../kube/client/objects.ts';
import { contentIn } from '../../kube/kubeconfig/entries.ts';
import { kubeconfigOf } from '../../kube/kubeconfig/kubeconfig.ts';
import type { Endpoint, HubConnection } from './endpoint.ts';

/** The connection to a hub in a kubeconfig. */
export interface KnownHub extends HubConnection {
  /** The server, spelled as in the kubeconfig. */
  spelled: string;
  token: string | undefined;
}

/** Reads a kubeconfig of one cluster and at most one user, YAML. Undefined if it cannot be read, or has no server. */
export function parseHubKubeconfig(text: string): KnownHub | undefined {
  const source = 'of a hub';
  try {
    const { clusters, users } = kubeconfigOf(
      contentIn(source, parseDocument(text, yamlOfPrograms)),
      source,
    );
    const [cluster] = clusters.values();
    const [user] = users.values();
    if (typeof cluster?.server !== 'string') return undefined;
    const authority = stringOrNothing(cluster['certificate-authority-data']);
    return {
      spelled: cluster.server,
      server: cluster.server.replace(/\/+$/, ''),
      certificateAuthority: authority && Buffer.from(authority, 'base64').toString('utf8'),
      proxyUrl: stringOrNothing(cluster['proxy-url']),
      token: stringOrNothing(user?.token),
    };
  } catch {
    return undefined;
  }
}

const stringOrNothing = (value: unknown) => (typeof value === 'string' ? value : undefined);

/** What a hub publishes as its address in kube-public/cluster-info. */
export const readClusterInfo = async (hub: Reader): Promise<Endpoint | undefined> =>
  parseClusterInfo(
    (await hub.get<ConfigMap>(resources.configMaps, 'cluster-info', { namespace: 'kube-public' }))
      ?.data?.kubeconfig,
  );

/**
 * Reads the kubeconfig in kube-public/cluster-info: one cluster with server and certificate authority, as kubeadm and KubeStellar's
 * hooks publish it. Undefined for anything else, which an agent cannot use.
 */
export function parseClusterInfo(text: string | undefined): Endpoint | undefined {
  const hub = text === undefined ? undefined : parseHubKubeconfig(text);
  if (hub === undefined || !isServerAddress(hub.server)) return undefined;
  return { server: hub.server, certificateAuthority: hub.certificateAuthority || undefined };
}
