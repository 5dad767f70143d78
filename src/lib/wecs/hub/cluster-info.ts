import type { Endpoint } from './endpoint.ts';
import { parseHubKubeconfig } from './hub-kubeconfig.ts';

/**
 * Reads the kubeconfig in kube-public/cluster-info: one cluster with server and certificate authority, as kubeadm and
 * KubeStellar's hooks publish it. Undefined for anything else: to an agent that is as good as nothing.
 */
export function parseClusterInfo(text: string | undefined): Endpoint | undefined {
  const hub = text === undefined ? undefined : parseHubKubeconfig(text);
  if (hub === undefined || !URL.canParse(hub.server) || !hub.server.startsWith('https:')) return undefined;
  return { server: hub.server, certificateAuthority: hub.certificateAuthority || undefined };
}
