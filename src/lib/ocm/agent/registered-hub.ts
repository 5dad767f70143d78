import type { Kube } from '../../kube/client/client.ts';
import { type Endpoint, isSameHub } from '../hub/endpoint.ts';
import { hubConnectionOf } from '../hub/hub-connection.ts';
import type { KnownHub } from '../hub/hub-kubeconfig.ts';
import { type CertificateAnswer, isIssuedBy, presentCertificate } from './agent-certificate.ts';
import { agentLife } from './agent-life.ts';
import { hubOf } from './klusterlet-agent.ts';
import type { WecEvidence } from './wec-evidence.ts';

/** The registration on the WEC's side. */
export type ShownRegistration = Pick<
  WecEvidence,
  'klusterlet' | 'hubSecret' | 'bootstrapSecret' | 'pods'
>;

/** The hub that a WEC is registered with, from its own secrets, and its relation to the ITS. */
export interface FoundHub {
  hub: KnownHub;
  /**
   * `same`: it is the ITS. `same-address`: it had an address of the ITS and another certificate authority, and the WEC has lost it:
   * the ITS was rebuilt. `other`: it is another hub, or nothing proves that it is the ITS.
   */
  relation: 'same' | 'same-address' | 'other';
  /** Whether the WEC is connected with that hub, which is not the ITS. */
  isConnected: boolean;
  /** The answer of the ITS to the certificate of the WEC's agent; undefined if the ITS was not asked. */
  answer: CertificateAnswer | undefined;
}

/** What is known of an ITS, to compare a WEC's hub with it. */
export interface KnownIts {
  /** Its addresses. What it publishes shows where it may be, and proves nothing: another hub's address may stand there. */
  endpoints: readonly Endpoint[];
  /** Whether it has recorded the UID of this cluster. */
  isRecorded: boolean;
  /** Makes the WEC's operator check its hub again; without it, the operator's last report counts. */
  recheckConnection?: () => Promise<boolean>;
}

/**
 * Which hub a WEC's agent is registered with: the one question behind joining, moving, deregistering and deleting. A hub with which
 * it is connected now, and whose certificate the ITS refuses, is another one, whatever the addresses are. The ITS's word that it
 * accepts the certificate counts only at an address or with an authority that is proven, because any server can give it.
 * @param its undefined on the WEC's side alone, where only addresses show
 * @returns undefined for a cluster that is not registered anywhere
 */
export async function findHub(
  its: Kube | undefined,
  wec: ShownRegistration,
  known: KnownIts,
): Promise<FoundHub | undefined> {
  const hub = wec.klusterlet && hubOf(wec);
  if (hub === undefined) return undefined;
  const { endpoints, isRecorded, recheckConnection = async () => true } = known;
  const relation = relationByAddress(hub, endpoints);
  const isRebuilt = relation === 'same-address';
  const found: FoundHub = { hub, relation, isConnected: false, answer: undefined };
  // An agent without a certificate is not registered with any hub yet.
  if (its === undefined || wec.hubSecret === undefined) return found;

  const answer = await presentCertificate(its, wec.hubSecret);
  const asked = { ...found, answer };
  const trusted = endpoints.filter(({ published }) => !published);
  const isOwn = isSameHub(hub, trusted);
  if (answer.state !== 'refused') {
    const isSeen = answer.state === 'accepted' || relation !== 'other';
    return { ...asked, relation: sameIf(isOwn || (isRecorded && isSeen)) };
  }
  // A report may be minutes old, from before the ITS was rebuilt.
  const isConnected = reportsToWork(wec, answer) && (!isRebuilt || (await recheckConnection()));
  if (isConnected) return { ...asked, isConnected, relation: 'other' };
  if (isRebuilt) return asked;
  const isAtHome = isOwn && (isRecorded || trusted.some(({ server }) => server === hub.server));
  const isSame = isAtHome || ((await isIssuedBy(its, wec.hubSecret)) ?? isOwn);
  return { ...asked, relation: sameIf(isSame) };
}

const sameIf = (isSame: boolean) => (isSame ? 'same' : 'other');

const reportsToWork = (wec: ShownRegistration, { expired }: { expired?: unknown }) =>
  expired === undefined &&
  hubConnectionOf(wec.klusterlet).state === 'working' &&
  agentLife({ hub: undefined, wec, now: 0 }).runs;

/** How the addresses of an ITS relate to a hub. */
function relationByAddress(hub: Endpoint, endpoints: readonly Endpoint[]): FoundHub['relation'] {
  if (!isSameHub(hub, endpoints)) return 'other';
  return endpoints.some((each) => hasAuthorityOf(hub, each)) ? 'same' : 'same-address';
}

const hasAuthorityOf = (hub: Endpoint, { certificateAuthority }: Endpoint) =>
  certificateAuthority?.trim() === hub.certificateAuthority?.trim();
