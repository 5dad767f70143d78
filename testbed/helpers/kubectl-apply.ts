import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { Api, type Connection, keyOf } from '../kube/api.ts';
import { apply } from '../kube/apply.ts';
import { readCurrentContext } from '../kube/kubeconfig.ts';
import type { AnyObject } from '../kube/objects.ts';

/** KubeFlex's domain, whose names refer to this machine, even if nothing resolves them. */
const domain = /\.localtest\.me$/;

/**
 * The authority, and the certificate that it has signed for the server: Go ignores the AuthorityKeyId of KubeFlex, which Node does not.
 */
async function trusted({ server, caPem = '' }: Connection): Promise<string> {
  const { hostname, port } = new URL(server);
  const host = domain.test(hostname) ? '127.0.0.1' : hostname;
  const servername = isIP(hostname) === 0 ? hostname : '';
  const socket = connect({ host, port: Number(port || 443), servername, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const leaf = new X509Certificate(socket.getPeerCertificate().raw);
  socket.destroy();
  return caPem !== '' && leaf.verify(new X509Certificate(caPem).publicKey) ? caPem + leaf.toString() : caPem;
}

/**
 * A stand-in for `kubectl --context CONTEXT apply -f FILE`, for machines without it.
 * @returns its output, one line per object
 */
export async function kubectlApply(kubeconfig: string, context: string, file: string): Promise<string[]> {
  const chosen = { ...(parse(kubeconfig) as object), 'current-context': context };
  const { connection } = readCurrentContext(stringify(chosen));
  const api = new Api({
    ...connection,
    caPem: await trusted(connection),
    dial: (host, port) => ({ host: domain.test(host) ? '127.0.0.1' : host, port, address: `${host}:${port}` }),
  });
  const lines: string[] = [];
  for (const document of parseAllDocuments(file)) {
    const object = document.toJS() as AnyObject;
    await apply(api, object);
    lines.push(`${object.kind?.toLowerCase()}/${keyOf(object)} serverside-applied`);
  }
  return lines;
}
