import { parse, stringify } from 'yaml';
import type { Connection } from './api.ts';

/** One context of a kubeconfig, with its cluster and user under the names that it gives them. */
export interface Entry {
  context: string;
  cluster: string;
  user: string;
  connection: Pick<Connection, 'server' | 'caPem' | 'certPem' | 'keyPem'> & { token?: string };
}

/** A kubeconfig with these contexts, everything inlined; the first is the current one. */
export function kubeconfigOf(entries: readonly Entry[]): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': entries[0]?.context ?? '',
    clusters: entries.map(({ cluster, connection }) => ({
      name: cluster,
      cluster: {
        server: connection.server,
        ...(connection.caPem && { 'certificate-authority-data': base64(connection.caPem) }),
      },
    })),
    users: entries.map(({ user, connection }) => ({
      name: user,
      user: {
        ...(connection.certPem && { 'client-certificate-data': base64(connection.certPem) }),
        ...(connection.keyPem && { 'client-key-data': base64(connection.keyPem) }),
        ...(connection.token && { token: connection.token }),
      },
    })),
    contexts: entries.map(({ context, cluster, user }) => ({
      name: context,
      context: { cluster, user },
    })),
  });
}

interface RawCluster {
  server: string;
  'certificate-authority-data'?: string;
  'certificate-authority'?: string;
  'proxy-url'?: string;
  'insecure-skip-tls-verify'?: boolean;
}

interface RawUser {
  token?: string;
  'client-certificate'?: string;
  'client-certificate-data'?: string;
  'client-key'?: string;
  'client-key-data'?: string;
}

interface RawConfig {
  'current-context'?: string;
  contexts?: { name: string; context: { cluster: string; user: string } }[];
  clusters?: { name: string; cluster: RawCluster }[];
  users?: { name: string; user: RawUser }[];
}

/** The current context of a kubeconfig, resolved. */
export interface CurrentContext {
  clusterName: string;
  cluster: RawCluster;
  connection: Connection;
}

/** Reads the current context; `file` gives the content of a file that the kubeconfig names. */
export function readCurrentContext(
  text: string,
  file: (path: string) => string | undefined = () => undefined,
): CurrentContext {
  const config = parse(text) as RawConfig;
  const context = config.contexts?.find(({ name }) => name === config['current-context'])?.context;
  const cluster = config.clusters?.find(({ name }) => name === context?.cluster)?.cluster;
  if (!context || !cluster)
    throw new Error('invalid configuration: no configuration has been provided');
  const user = config.users?.find(({ name }) => name === context.user)?.user ?? {};
  const pem = (data: string | undefined, path: string | undefined) =>
    data ? Buffer.from(data, 'base64').toString() : path ? file(path) : undefined;
  const caPem = pem(cluster['certificate-authority-data'], cluster['certificate-authority']);
  const certPem = pem(user['client-certificate-data'], user['client-certificate']);
  const keyPem = pem(user['client-key-data'], user['client-key']);
  return {
    clusterName: context.cluster,
    cluster,
    connection: {
      server: cluster.server,
      ...(caPem && { caPem }),
      ...(certPem && { certPem }),
      ...(keyPem && { keyPem }),
      ...(user.token && { token: user.token }),
    },
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
