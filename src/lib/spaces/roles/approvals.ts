import { rfc3339 } from '../../core/deadline.ts';
import { tryRead } from '../../kube/access.ts';
import { type CertificateSigningRequest, resources } from '../../kube/client/objects.ts';
import { listServed } from '../../kube/served.ts';
import { userOf } from '../../kube/service-accounts.ts';
import { issuedValidity } from '../../ocm/agent/agent-certificate.ts';
import { decisionMessage, judgeRequest } from '../../ocm/hub/registration-requests.ts';
import { type FoundAccess, namespace } from './access.ts';
import { type RoleName, rolesWith } from './roles.ts';

/** Whether a role may approve requests for certificates, which outlive its access. */
export const mayApprove = (role: string): boolean =>
  rolesWith('update', 'certificates.k8s.io', 'certificatesigningrequests/approval')?.names.includes(
    role as RoleName,
  ) === true;

/**
 * What is left of an access that could approve requests once it is revoked, in sentences. Which those are cannot be known:
 * kube-controller-manager deletes decided requests after an hour (pkg/controller/certificates/cleaner), and a request that was not
 * approved by stellarctl names nobody.
 */
export async function approvalsLeft({ name, kube }: FoundAccess): Promise<string[]> {
  const message = decisionMessage('Approved', userOf({ namespace, name }));
  const read = await tryRead(() =>
    listServed<CertificateSigningRequest>(kube, resources.certificateSigningRequests),
  );
  const approved = (read.state === 'seen' ? read.value : []).filter(({ status }) =>
    status?.conditions?.some((each) => each.message === message),
  );
  const lines = approved.map((csr) => {
    const end = issuedValidity(csr.status?.certificate)?.to;
    const until = end === undefined ? 'no certificate yet' : `valid until ${rfc3339(end)}`;
    return `  ${csr.metadata.name}: the agent of ${judgeRequest(csr).cluster}, ${until}`;
  });
  const named =
    read.state !== 'seen'
      ? [`The requests that are still there could not be read: ${read.why}.`]
      : lines.length === 0
        ? [
            'No request that is still there names it, which does not mean that it has approved none.',
          ]
        : ['Requests that are still there and name it:', ...lines];
  return [
    'Certificates for which it has approved requests remain valid until they expire: Kubernetes cannot revoke a certificate.',
    'Not all of them can be known: Kubernetes deletes a decided request after an hour, and only an approval by stellarctl names its user.',
    ...named,
    'Whoever holds one has the rights of the agent of that WEC, or of another user that it was issued for.',
    'What ends the rights of an agent: deregister its WEC, or set spec.hubAcceptsClient of its ManagedCluster to false. What ends all: another CA for client certificates on the ITS.',
  ];
}
