import { StellarError } from '../../engine/errors.ts';
import type { Run } from '../../engine/run.ts';
import { ApiError } from '../../kube/client/errors.ts';
import { connect } from '../../kube/client/live-client.ts';
import type { ClusterEntry } from '../../kube/kubeconfig/kubeconfig.ts';
import type { ChosenEndpoint } from '../hub/endpoint.ts';
import type { HubConnection } from '../klusterlet/agent.ts';

/**
 * Verifies with TLS, without any credentials, that an address for agents is the hub's, before a token is sent there. An address
 * for inside is left to the WEC's operator, which reports what it sees; so is one that this machine does not reach.
 * @returns what is to be said about it, if anything
 * @throws StellarError `tls-error` when something else answers than what the certificate authority vouches for
 */
export async function verifyEndpoint(
  its: string,
  endpoint: ChosenEndpoint & HubConnection,
  { deadline, signal }: Run,
): Promise<string | undefined> {
  if (endpoint.source === 'kube-public/cluster-info') return undefined;
  const cluster: ClusterEntry = { server: endpoint.server };
  if (endpoint.certificateAuthority !== undefined) {
    cluster['certificate-authority-data'] = Buffer.from(endpoint.certificateAuthority).toString('base64');
  }
  if (endpoint.proxyUrl !== undefined) cluster['proxy-url'] = endpoint.proxyUrl;
  const anonymous = connect({ name: its, server: endpoint.server, cluster, user: {} }, deadline, signal);
  try {
    await anonymous.read('/version');
    return undefined;
  } catch (error) {
    // Any answer over a verified connection will do: anonymous users need not be welcome.
    if (error instanceof ApiError) return undefined;
    if (!(error instanceof StellarError) || error.code !== 'unreachable') throw error;
    return `${endpoint.server} is not reached from here, so that it was not checked (${error.message})`;
  } finally {
    anonymous.close();
  }
}
