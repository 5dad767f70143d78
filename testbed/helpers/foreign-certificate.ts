import { Api } from '../kube/api.ts';
import { ApiError } from '../kube/errors.ts';
import type { CertificateSigningRequest, ManifestWork, Secret } from '../kube/objects.ts';
import { certificateSigningRequests, manifestWorks, secrets } from '../kube/resources.ts';
import { until } from '../kube/until.ts';
import { newRequest, requestObject } from '../ocm/certificate-request.ts';
import { filesOf } from '../ocm/hub-kubeconfig.ts';
import { agentNamespace, agentUser, clusterGroup, hubKubeconfigSecret } from '../ocm/names.ts';

/** What a hub lets the agent of a WEC do to the works of another one. */
interface ForeignAccess {
  /** With its own certificate. */
  own: string;
  /** With the one that it has asked for in the other's group; undefined if that stays pending. */
  foreign: string | undefined;
}

/**
 * Lets the agent of a WEC ask its hub for a certificate of its own name in the group of another one's agents (CVE-2026-4740), and then
 * to renew its own, so that an approver that works has seen the first request once it has approved the second. What is issued is used
 * to read the works of the other WEC, and to write a status. Words: `reads and writes`, or the API server's reason.
 */
export async function askForForeignCertificate(
  hub: Api,
  wec: Api,
  other: string,
): Promise<ForeignAccess> {
  const files = filesOf(await wec.get<Secret>(secrets, `${agentNamespace}/${hubKubeconfigSecret}`));
  const cluster = files['cluster-name'] ?? '';
  const agentOf = (certPem = '', keyPem = '') => new Api({ ...hub.connection, certPem, keyPem });
  const agent = agentOf(files['tls.crt'], files['tls.key']);
  const ask = async (group: string) => {
    const { requestPem, keyPem } = await newRequest(agentUser(cluster, files['agent-name'] ?? ''), [
      clusterGroup(group),
    ]);
    const wanted = requestObject(group, requestPem);
    const { metadata } = await agent.create<CertificateSigningRequest>(
      certificateSigningRequests,
      wanted,
    );
    const read = () =>
      hub.get<CertificateSigningRequest>(certificateSigningRequests, metadata.name);
    return { read, keyPem };
  };
  try {
    const [foreign, renewal] = [await ask(other), await ask(cluster)];
    await until(
      async () => (await renewal.read()).status?.certificate !== undefined,
      `a renewal of ${cluster}`,
    );
    const { status } = await foreign.read();
    const own = await workAs(agent, other);
    if (status?.conditions === undefined) return { own, foreign: undefined };
    await until(
      async () => (await foreign.read()).status?.certificate !== undefined,
      'what was approved to be issued',
    );
    const issued = (await foreign.read()).status?.certificate ?? '';
    const pretender = agentOf(Buffer.from(issued, 'base64').toString(), foreign.keyPem);
    try {
      return { own, foreign: await workAs(pretender, other) };
    } finally {
      pretender.close();
    }
  } finally {
    agent.close();
  }
}

async function workAs(agent: Api, namespace: string): Promise<string> {
  try {
    const { items } = await agent.list<ManifestWork>(manifestWorks, { namespace });
    const { metadata, status } = items[0] ?? { metadata: { name: 'none' } };
    await agent.patch(
      manifestWorks,
      `${namespace}/${metadata.name}`,
      { status },
      { subresource: 'status' },
    );
    return 'reads and writes';
  } catch (error) {
    if (error instanceof ApiError) return error.reason;
    throw error;
  }
}
