import { X509Certificate } from 'node:crypto';
import { stringify } from 'yaml';
import { type CurrentContext, readCurrentContext } from '../kube/kubeconfig.ts';
import type { Secret } from '../kube/objects.ts';
import { agentUser } from './names.ts';

/** The files of hub-kubeconfig-secret, by key: tls.crt, tls.key, kubeconfig, cluster-name, agent-name. */
export type HubFiles = Record<string, string>;

export interface Identity {
  cluster: string;
  agent: string;
}

export function filesOf(secret: Secret | undefined): HubFiles {
  return Object.fromEntries(
    Object.entries(secret?.data ?? {}).map(([key, value]) => [
      key,
      Buffer.from(value, 'base64').toString(),
    ]),
  );
}

/**
 * What the agent stores once its certificate is issued: the cluster entry of the bootstrap kubeconfig, except that
 * insecure-skip-tls-verify and tls-server-name are dropped, with the certificate in files beside it (ocm
 * pkg/registration/register).
 */
export function hubFiles(
  bootstrap: CurrentContext,
  { cluster, agent }: Identity,
  certificate: string,
  key: string,
): HubFiles {
  const { server, 'certificate-authority-data': caData, 'proxy-url': proxyUrl } = bootstrap.cluster;
  const kubeconfig = stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: bootstrap.clusterName,
        cluster: {
          server,
          ...(caData && { 'certificate-authority-data': caData }),
          ...(proxyUrl && { 'proxy-url': proxyUrl }),
        },
      },
    ],
    contexts: [
      {
        name: 'default-context',
        context: {
          cluster: bootstrap.clusterName,
          namespace: 'configuration',
          user: 'default-auth',
        },
      },
    ],
    'current-context': 'default-context',
    users: [
      { name: 'default-auth', user: { 'client-certificate': 'tls.crt', 'client-key': 'tls.key' } },
    ],
  });
  return {
    'tls.crt': certificate,
    'tls.key': key,
    kubeconfig,
    'cluster-name': cluster,
    'agent-name': agent,
  };
}

/**
 * Whether the files still refer to the hub of the bootstrap kubeconfig, as this agent, and are valid (ocm
 * pkg/registration/register).
 */
export function isValid(
  files: HubFiles,
  bootstrap: CurrentContext,
  { cluster, agent }: Identity,
): boolean {
  const { kubeconfig, 'tls.crt': certificate, 'tls.key': key } = files;
  if (!kubeconfig || !certificate || !key) return false;
  const stored = readCurrentContext(kubeconfig);
  const fields = [
    'server',
    'proxy-url',
    'certificate-authority',
    'certificate-authority-data',
  ] as const;
  const isSameHub = fields.every((field) => stored.cluster[field] === bootstrap.cluster[field]);
  if (!isSameHub || stored.clusterName !== bootstrap.clusterName) return false;
  const { subject, validTo } = new X509Certificate(certificate);
  return (
    subject.split('\n').includes(`CN=${agentUser(cluster, agent)}`) &&
    Date.parse(validTo) > Date.now()
  );
}
