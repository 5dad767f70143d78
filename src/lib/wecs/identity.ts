import { formatAge } from '../core/duration.ts';
import { StellarError } from '../core/errors.ts';
import type { NextStep } from '../core/next-step.ts';
import type { Kube } from '../kube/client/client.ts';
import { describeCluster } from '../kube/client/errors.ts';
import { type CertificateAnswer, isAgentOf, presentCertificate } from '../ocm/agent-certificate.ts';
import { clusterUid, otherUid } from '../ocm/cluster-uid.ts';
import type { Endpoint } from '../ocm/endpoint.ts';
import { type FoundHub, findHub, type ShownRegistration } from '../ocm/registered-hub.ts';
import { otherName } from '../ocm/wec-evidence.ts';
import { otherRole } from './other-role.ts';

/** Whether the cluster behind a context is the WEC of a name that an ITS knows. */
export type Identity =
  | { state: 'proven'; by: 'certificate' | 'uid' | 'expired-certificate' }
  /** It is certainly another cluster. `found`: the finding, a clause. */
  | { state: 'other'; found: string }
  /** Neither is proven. */
  | { state: 'unseen'; found: string };

/** The ITS's evidence for the identity of a WEC. */
export interface KnownWec {
  name: string;
  /** The known addresses of the ITS. */
  endpoints: readonly Endpoint[];
  /** The UID of kube-system that was recorded when the WEC joined. */
  recordedUid: string | undefined;
  /** Reads the UID of the ITS's kube-system once for several WECs. */
  uidOfHub?: (() => Promise<string | undefined>) | undefined;
  /** The hub that it is registered with, if the caller has judged that. */
  found?: FoundHub | undefined;
}

/**
 * Proves that the cluster behind a context is the named WEC, with evidence of the ITS: it accepts its agent's key and certificate
 * as `system:open-cluster-management:NAME:AGENT`, or its kube-system has the UID recorded at joining. If both are available, both
 * must agree: two clusters may hold one certificate. A cluster's own claim proves nothing, but shows what it is not.
 */
export async function proveIdentity(
  hub: Kube,
  wec: Kube,
  shown: ShownRegistration,
  known: KnownWec,
): Promise<Identity> {
  const { name, uidOfHub = () => clusterUid(hub) } = known;
  const [hubUid, uid] = await Promise.all([uidOfHub(), clusterUid(wec)]);
  if (uid !== undefined && uid === hubUid) return { state: 'other', found: 'it is the ITS itself' };
  const other = otherName(shown.klusterlet, name);
  if (other !== undefined) return { state: 'other', found: `it is registered as ${other}` };
  if (known.recordedUid !== undefined && uid !== undefined && known.recordedUid !== uid)
    return { state: 'other', found: otherUid(uid, known.recordedUid, name) };
  if (known.recordedUid !== undefined && uid === undefined)
    return { state: 'unseen', found: 'its namespace kube-system may not be read' };
  const isRecorded = known.recordedUid !== undefined;
  const found = known.found ?? (await findHub(hub, shown, { ...known, isRecorded }));
  const answer = found?.answer ?? (await presentCertificate(hub, shown.klusterlet && shown.hubSecret));
  const identity = judge(answer, shown, known, found);
  if (identity.state !== 'unseen' || shown.klusterlet !== undefined) return identity;
  const role = await otherRole(wec);
  return { state: role?.kind === 'wds' ? 'other' : 'unseen', found: role?.found ?? identity.found };
}

/** Judges the hub's answer to the agent's certificate, if there is no evidence against the cluster so far. */
function judge(
  answer: CertificateAnswer,
  shown: ShownRegistration,
  known: KnownWec,
  found: FoundHub | undefined,
): Identity {
  const isAccepted = answer.state === 'accepted';
  if (isAccepted && !isAgentOf(known.name, answer.username))
    return { state: 'other', found: `the certificate of its agent is that of ${answer.username || 'nobody'}` };
  if (found?.relation === 'other') {
    const registered = `it is registered with the hub ${found.hub.server}`;
    return isAccepted
      ? { state: 'unseen', found: `${registered}, and nothing proves that this is the ITS` }
      : { state: 'other', found: registered + (found.isConnected ? ', and connected there' : '') };
  }
  if (isAccepted) return { state: 'proven', by: 'certificate' };
  if (known.recordedUid !== undefined) return { state: 'proven', by: 'uid' };
  return { state: 'unseen', found: describeMissingProof(answer, shown) };
}

function describeMissingProof(answer: CertificateAnswer, { klusterlet }: ShownRegistration): string {
  if (klusterlet === undefined) return 'it has no Klusterlet';
  if (answer.state !== 'refused') return answer.state === 'none' ? answer.why : '';
  const expired = answer.expired && `, which expired ${formatAge(Date.now() - answer.expired.getTime())} ago`;
  return `the ITS does not accept the certificate of its agent${expired ?? ''}`;
}

/**
 * @param next if the cluster is another one
 * @param unproven if that is not proven
 * @throws StellarError `registered-elsewhere`, `identity-unproven`
 */
export function requireProof(
  identity: Identity,
  wec: Kube,
  name: string,
  hub: Kube,
  next: NextStep[],
  unproven: NextStep[] = next,
): void {
  if (identity.state === 'proven') return;
  const cluster = describeCluster(wec.cluster);
  const its = hub.cluster.context;
  if (identity.state === 'other')
    throw new StellarError(
      'registered-elsewhere',
      `${cluster} is not the WEC ${name} of ${its}: ${identity.found}. Nothing was written.`,
      { next },
    );
  throw new StellarError(
    'identity-unproven',
    `It cannot be proven that ${cluster} is the WEC ${name} of ${its}: ${identity.found}. Nothing was written.`,
    { next: unproven },
  );
}
