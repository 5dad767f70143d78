import { parse } from 'yaml';

export interface ClusterInfo {
  server: string;
  /** PEM */
  certificateAuthority: string | undefined;
}

/**
 * Reads the kubeconfig in kube-public/cluster-info: one cluster with server and certificate authority, as kubeadm and
 * KubeStellar's hooks publish it. Undefined for anything else: to an agent that is as good as nothing.
 */
export function parseClusterInfo(text: string | undefined): ClusterInfo | undefined {
  if (text === undefined) return undefined;
  let document: { clusters?: { cluster?: { server?: unknown; 'certificate-authority-data'?: unknown } }[] } | null;
  try {
    document = parse(text, { logLevel: 'error' });
  } catch {
    return undefined;
  }
  const cluster = document?.clusters?.[0]?.cluster;
  if (typeof cluster?.server !== 'string' || !URL.canParse(cluster.server) || !cluster.server.startsWith('https:'))
    return undefined;
  const data = cluster['certificate-authority-data'];
  return {
    server: cluster.server.replace(/\/+$/, ''),
    certificateAuthority:
      typeof data === 'string' && data !== '' ? Buffer.from(data, 'base64').toString('utf8') : undefined,
  };
}
