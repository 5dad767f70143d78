import { createHash } from 'node:crypto';
import {
  type AsnType,
  fromBER,
  ObjectIdentifier,
  PrintableString,
  Sequence,
  Set as SetOf,
  Utf8String,
} from 'asn1js';
import { type CertificateSigningRequest, createdAt } from '../../kube/client/objects.ts';
import { userOf } from '../../kube/service-accounts.ts';
import {
  addonNameLabel,
  bootstrapAccountOf,
  bootstrapServiceAccount,
  clusterNameLabel,
  identityOf,
  operatorNamespace,
} from '../model/ocm-names.ts';

export type RequestState = 'pending' | 'approved' | 'issued' | 'denied' | 'failed';

/** Who has approved or denied a request by stellarctl. */
export const deciderAnnotation = 'stellarctl.kubestellar.io/decided-by';

/** The message of a decision by stellarctl. @param user who decides, as the API server knows them; empty if that is not known */
export const decisionMessage = (type: 'Approved' | 'Denied', user: string): string =>
  `${type} by stellarctl accept${user && `, as ${user}`}.`;

/** A registration request, judged for the WEC whose name its label carries. */
export type RegistrationRequest = ReturnType<typeof judgeRequest>;

const signer = 'kubernetes.io/kube-apiserver-client';
const allowedUsages = ['digital signature', 'key encipherment', 'client auth'];
const identityPrefix = identityOf('');
const commonGroup = identityOf('managed-clusters');

/**
 * Judges a certificate signing request. An agent of NAME requests common name `system:open-cluster-management:NAME:AGENT` and
 * organizations `system:open-cluster-management:NAME` and `…:managed-clusters` (ocm, pkg/registration/register/csr); approving
 * anything else would hand out the identity of another WEC. The hub's own approver checks the same (validateCSR there).
 */
export function judgeRequest(csr: CertificateSigningRequest) {
  const cluster = csr.metadata.labels?.[clusterNameLabel] ?? '';
  const subject = parseSubject(csr.spec.request);
  const agent =
    subject?.commonNames.length === 1
      ? agentOf(subject.commonNames[0] as string, cluster)
      : undefined;
  const username = csr.spec.username ?? '';
  const renewal = username.startsWith(identityPrefix);
  const decision = csr.status?.conditions?.find(
    ({ status }) => status === 'True' || status === undefined,
  );
  return {
    name: csr.metadata.name,
    /** The WEC's name from the label: only a hint until `problems` is empty. */
    cluster,
    /** The agent's id, from the common name; undefined if the name has another form. */
    agent,
    /**
     * The key that the certificate is requested for: SHA-256 of its SubjectPublicKeyInfo, hex. Undefined if the request cannot be
     * read.
     */
    key: subject?.key,
    state: requestState(csr),
    /** Milliseconds since the epoch. */
    created: createdAt(csr),
    /** Milliseconds since the epoch; undefined while pending. */
    decided:
      decision === undefined
        ? undefined
        : Date.parse(decision.lastUpdateTime ?? decision.lastTransitionTime ?? ''),
    /** The last part of a service account's user name is enough for display. */
    requester: username.replace(/^system:serviceaccount:[^:]+:/, ''),
    /** True for an agent that has a certificate and requests its next one; the hub itself decides on those. */
    renewal,
    /** Why it must not be approved, each a statement; empty if everything is right. */
    problems: requestProblems(csr, cluster, subject, agent),
    csr,
  };
}

function requestProblems(
  { metadata, spec }: CertificateSigningRequest,
  cluster: string,
  subject: RequestSubject | undefined,
  agent: string | undefined,
) {
  const problems: string[] = [];
  const addon = metadata.labels?.[addonNameLabel];
  if (cluster === '') problems.push(`it has no label ${clusterNameLabel}`);
  if (addon !== undefined) problems.push(`it is a request of the add-on ${addon}`);
  if (spec.signerName !== signer) problems.push(`its signer is ${spec.signerName}, not ${signer}`);
  if (subject === undefined) {
    problems.push('its PKCS#10 request cannot be read');
  } else {
    if (agent === undefined) {
      problems.push(
        `its common name is ${quoted(subject.commonNames)}, not ${identityOf(cluster)}:AGENT`,
      );
    }
    const identity = identityOf(cluster);
    const organisations = subject.organisations.filter((name) => name !== commonGroup);
    if (organisations.length !== 1 || organisations[0] !== identity) {
      problems.push(
        `its organisations are ${quoted(subject.organisations)}, not ${identity} and ${commonGroup}`,
      );
    }
    if (subject.others > 0)
      problems.push('its subject has more than a common name and organisations');
  }
  const usages = spec.usages ?? [];
  if (!usages.includes('client auth') || usages.some((usage) => !allowedUsages.includes(usage))) {
    problems.push(`its usages are ${quoted(usages)}, not ${allowedUsages.join(', ')}`);
  }
  if (!isBootstrapRequester(spec.username ?? '', spec.groups ?? [], cluster)) {
    problems.push(`it was sent by ${spec.username || 'nobody'}, who is not a bootstrap identity`);
  }
  return problems;
}

/**
 * User and group must belong together: any program could have the name alone, and a group contains more than the bootstrap
 * identities.
 */
function isBootstrapRequester(username: string, groups: string[], wec: string) {
  const accounts = [bootstrapServiceAccount, bootstrapAccountOf(wec)].map((name) =>
    userOf({ namespace: operatorNamespace, name }),
  );
  if (accounts.includes(username))
    return groups.includes(`system:serviceaccounts:${operatorNamespace}`);
  return (
    /^system:bootstrap:[a-z0-9]{6}$/.test(username) &&
    groups.includes('system:bootstrappers:managedcluster')
  );
}

function requestState({ status }: CertificateSigningRequest): RequestState {
  const has = (type: string) =>
    status?.conditions?.some(
      (condition) => condition.type === type && condition.status !== 'False',
    );
  if (has('Denied')) return 'denied';
  if (has('Failed')) return 'failed';
  if (!has('Approved')) return 'pending';
  return status?.certificate ? 'issued' : 'approved';
}

/**
 * The form of agent ids: a UID or a random name (ocm pkg/common/options). Anything else is not an id and never goes into a command.
 */
const agentForm = /^[A-Za-z0-9-]+$/;

/** `system:open-cluster-management:NAME:AGENT` → AGENT */
function agentOf(commonName: string, cluster: string) {
  const prefix = `${identityOf(cluster)}:`;
  if (cluster === '' || !commonName.startsWith(prefix)) return undefined;
  const agent = commonName.slice(prefix.length);
  return agentForm.test(agent) ? agent : undefined;
}

interface RequestSubject {
  commonNames: string[];
  organisations: string[];
  /** How many other attributes there are. */
  others: number;
  key: string;
}

const commonNameOid = '2.5.4.3';
const organisationOid = '2.5.4.10';

/**
 * Exactly one whole block, as agents send it. The signer has a PEM parser that skips malformed blocks: if more were accepted here,
 * a request could show one identity to stellarctl and another one to the signer.
 */
const onePemBlock =
  /^-----BEGIN CERTIFICATE REQUEST-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE REQUEST-----\s*$/;

/** @param encoded PEM of a PKCS#10 request (RFC 2986), base64 */
function parseSubject(encoded: string): RequestSubject | undefined {
  try {
    const body = onePemBlock.exec(Buffer.from(encoded, 'base64').toString('latin1'))?.[1];
    if (body === undefined) return undefined;
    const request = Buffer.from(body, 'base64');
    const { result, offset } = fromBER(request);
    if (offset !== request.length) return undefined;
    const [information] = asnParts(result);
    const [, subject, publicKey] = asnParts(information);
    if (publicKey === undefined) return undefined;
    const attributes = asnParts(subject).flatMap(asnParts).map(asnParts);
    const valuesOf = (oid: string) =>
      attributes.flatMap(([type, value]) =>
        type instanceof ObjectIdentifier && type.getValue() === oid ? [textOfBlock(value)] : [],
      );
    const commonNames = valuesOf(commonNameOid);
    const organisations = valuesOf(organisationOid);
    const others = attributes.length - commonNames.length - organisations.length;
    const key = createHash('sha256').update(publicKey.valueBeforeDecodeView).digest('hex');
    return { commonNames, organisations, others, key };
  } catch {
    return undefined;
  }
}

/** The elements of a SEQUENCE or SET. @throws TypeError for anything else */
function asnParts(block: AsnType | undefined): AsnType[] {
  if (block instanceof Sequence || block instanceof SetOf) return block.valueBlock.value;
  throw new TypeError('neither a SEQUENCE nor a SET');
}

/**
 * The text of a name, in the two forms that Go writes (crypto/x509/pkix). Subclasses are other types, which the signer may ignore.
 * @throws TypeError for other forms
 */
function textOfBlock(block: AsnType | undefined) {
  const isText = block?.constructor === Utf8String || block?.constructor === PrintableString;
  // A constructed string (BER) is none in DER: Go ignores it.
  if (isText && !block.idBlock.isConstructed)
    return (block as Utf8String | PrintableString).getValue();
  throw new TypeError('neither a UTF8String nor a PrintableString');
}

function quoted(values: string[]) {
  return values.length === 0 ? 'missing' : values.map((value) => `"${value}"`).join(', ');
}
