import { failureOf, StellarError } from '../../core/errors.ts';
import { type PartialReader, partialReader } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { describeCluster, toSeeRights, unlessStatus } from '../../kube/client/errors.ts';
import {
  conditionOf,
  isTrue,
  type KubeObject,
  resources,
  type WithConditions,
} from '../../kube/client/objects.ts';
import { readLostNodes } from '../../kube/lost-nodes.ts';
import { type FoundHub, findHub } from '../../ocm/agent/registered-hub.ts';
import { otherName, readWec, type WecEvidence } from '../../ocm/agent/wec-evidence.ts';
import { clusterUid, otherUid, recordedUid } from '../../ocm/hub/cluster-uid.ts';
import type { Endpoint } from '../../ocm/hub/endpoint.ts';
import { noSuchWec } from '../../ocm/hub/find-wecs.ts';
import { type HubEvidence, readOne } from '../../ocm/hub/hub-evidence.ts';
import { ocmOfHub, requireHub } from '../../ocm/hub/require-hub.ts';
import { type HubWebhook, tryHubWebhook } from '../../ocm/hub/webhook.ts';
import { agentNamespace, operatorNamespace, statusAddon } from '../../ocm/model/ocm-names.ts';
import type { Klusterlet, ManagedCluster } from '../../ocm/model/ocm-objects.ts';
import { failedKinds, refusedKinds } from '../registration/granted-kinds.ts';
import { type MailboxContents, readMailboxes } from '../registration/mailbox.ts';
import { registeredAsAnother } from '../registration/problems.ts';
import type { OtherCluster, WecFindings } from '../registration/registration-checks.ts';
import { judgeRegistration } from '../registration/registration-stages.ts';
import type { Wec } from '../registration/wec-view.ts';

/** What an ITS shows of one WEC; the contents of its mailbox are undefined if they were not read. */
interface SeenOnHub {
  evidence: HubEvidence;
  contents: MailboxContents | undefined;
}

/** What the comparison of an ITS with its WECs needs of the ITS itself. */
type ItsIdentity = Awaited<ReturnType<typeof readItsIdentity>>;

/** What may not be read is undefined. */
export async function readItsIdentity(hub: Kube) {
  const [uid, ocm] = await Promise.all([clusterUid(hub), ocmOfHub(partialReader(hub))]);
  return { uid, ocm };
}

/** What a caller has already read of the ITS. */
interface Known {
  ofHub?: SeenOnHub | undefined;
  /** Called for a WEC that is not accepted yet. */
  tryWebhook?: () => Promise<HubWebhook>;
  /** Called for a WEC that has a client. */
  itself?: () => Promise<ItsIdentity>;
}

/**
 * Reads one WEC from all sides, and judges it. The result lists what could not be read.
 * @param endpoints the known addresses of the ITS, read if the WEC's agent may use another one
 * @throws StellarError `not-found` for a name that neither side knows; `forbidden` if the ITS may not be read
 */
export async function readBothSides(
  hub: Kube,
  wec: Wec,
  endpoints: () => Promise<readonly Endpoint[]>,
  known: Known = {},
) {
  const { reader, evidence, contents, ocm, otherCluster, ofWec } = await readSides(hub, wec, known);
  const isAdmitted = evidence.managedCluster?.spec?.hubAcceptsClient === true;
  const webhook = isAdmitted ? undefined : await (known.tryWebhook?.() ?? tryHubWebhook(hub));
  const registration = {
    name: wec.name,
    its: hub.cluster.context,
    context: otherCluster ? undefined : wec.kube?.cluster.context,
    hub: evidence,
    wec: ofWec?.evidence,
    webhook,
    now: hub.now(),
  };
  const forbidden: ReadonlySet<string> = ofWec?.forbidden ?? new Set();
  const reports = judgeRegistration(registration, new Set([...reader.forbidden, ...forbidden]));
  return {
    findings: {
      ...registration,
      reports,
      contents,
      forbidden,
      ocmOfHub: ocm,
      otherCluster,
      foundHub: await findHubOf(hub, evidence, ofWec?.evidence, endpoints),
      ending: ofWec?.ending,
      lostNodes: ofWec?.lostNodes,
      refused:
        wec.kube && ofWec && (await refusedOn(wec.kube, ofWec.evidence?.klusterlet, contents)),
      lacksAddon:
        !reader.forbidden.has(resources.managedClusterAddOns.plural) &&
        (await lacksAddon(hub, evidence, contents)),
    },
    notVisible: [...unread(reader, hub), ...(ofWec?.notVisible ?? [])],
    /** Why nothing of the cluster itself was read although its context was given. */
    error: ofWec?.error,
  };
}

/** What both sides say; nothing of a cluster that is certainly another one. */
async function readSides(hub: Kube, { name, kube: wec }: Wec, known: Known) {
  const reader = partialReader(hub);
  const [evidence, contents, wecSide, itself] = await Promise.all([
    known.ofHub?.evidence ?? readOne(reader, name),
    known.ofHub?.contents ?? readMailboxes(reader, name).then((contentsOf) => contentsOf(name)),
    wec && tryReadWecSide(wec),
    wec && (known.itself?.() ?? readItsIdentity(hub)),
    known.ofHub === undefined && requireHub(hub),
  ]);
  const { managedCluster, requests } = evidence;
  // Objects that cannot be read do not prove that it is another cluster.
  const otherCluster =
    wec &&
    wecSide?.evidence &&
    (await findOtherCluster({ name, kube: wec }, managedCluster, wecSide.evidence, itself?.uid));
  const ofWec = otherCluster === undefined ? wecSide : undefined;
  const claimsName = wecSide?.evidence?.klusterlet?.spec?.clusterName === name;
  const isSeen = managedCluster !== undefined || requests.length > 0 || claimsName;
  if (!isSeen && !ofWec?.ending?.length)
    throw await nothingVisible(name, hub, reader.forbidden, wecSide?.evidence);
  return { reader, evidence, contents, ocm: itself?.ocm, otherCluster, ofWec };
}

/** No review if nothing has failed; a user who may not create reviews sees none. */
const refusedOn = (
  wec: Kube,
  klusterlet: Klusterlet | undefined,
  { works }: MailboxContents,
): Promise<WecFindings['refused']> => {
  const reading = async () => refusedKinds(wec, klusterlet, await failedKinds(wec, works));
  return unlessStatus(reading(), 403);
};

/** addon.open-cluster-management.io/v1alpha1, with the Placements that install the add-on. */
interface ClusterManagementAddOn extends KubeObject {
  spec?: { installStrategy?: { placements?: object[] } };
}

/** A WEC that has just become available gets its add-ons within seconds. */
async function lacksAddon(hub: Kube, { managedCluster }: HubEvidence, { addons }: MailboxContents) {
  const { status, lastTransitionTime = '' } =
    conditionOf(managedCluster, 'ManagedClusterConditionAvailable') ?? {};
  const isExpected = status === 'True' && hub.now() - Date.parse(lastTransitionTime) > 60_000;
  if (!isExpected || addons.some(({ metadata }) => metadata.name === statusAddon)) return false;
  const reading = hub.get<ClusterManagementAddOn>(resources.clusterManagementAddOns, statusAddon);
  const definition = await unlessStatus(reading, 403);
  return (definition?.spec?.installStrategy?.placements ?? []).length > 0;
}

/** An agent that keeps its WEC available on the ITS is registered with no other hub. */
async function findHubOf(
  its: Kube,
  { managedCluster }: HubEvidence,
  wec: WecEvidence | undefined,
  endpoints: () => Promise<readonly Endpoint[]>,
): Promise<FoundHub | undefined> {
  if (wec?.klusterlet === undefined || isTrue(managedCluster, 'ManagedClusterConditionAvailable'))
    return undefined;
  // findOtherCluster has compared the UIDs already. An ITS that was rebuilt is not asked about: that would be a write.
  const isRecorded = recordedUid(managedCluster) !== undefined;
  return findHub(its, wec, {
    endpoints: await endpoints(),
    isRecorded,
    recheckConnection: async () => false,
  });
}

/** An unreachable WEC does not keep stellarctl from showing what the ITS knows of it. */
async function tryReadWecSide(kube: Kube) {
  const reader = partialReader(kube);
  try {
    const [evidence, ...namespaces] = await Promise.all([
      readWec(reader),
      ...[agentNamespace, operatorNamespace].map((name) =>
        reader.get<WithConditions>(resources.namespaces, name),
      ),
    ]);
    /** The namespaces of operator and agents that are being deleted. */
    const ending = namespaces.flatMap((namespace) =>
      namespace?.metadata.deletionTimestamp ? [namespace] : [],
    );
    const lostNodes = await readLostNodes(kube, evidence.pods ?? [], kube.now());
    const { forbidden } = reader;
    return { evidence, ending, lostNodes, forbidden, notVisible: unread(reader, kube) };
  } catch (error) {
    const failure = failureOf(error);
    const notVisible = [{ what: 'everything', on: kube.cluster.context, why: failure.message }];
    return { forbidden: new Set<string>(), notVisible, error: failure };
  }
}

export const unread = ({ forbidden }: PartialReader, { cluster }: Kube) =>
  [...forbidden].map((what) => ({ what, on: cluster.context, why: 'not allowed to read them' }));

async function nothingVisible(
  name: string,
  hub: Kube,
  forbidden: ReadonlySet<string>,
  wec: WecEvidence | undefined,
) {
  const { context } = hub.cluster;
  const kinds = ['managedclusters', 'certificatesigningrequests'].filter((kind) =>
    forbidden.has(kind),
  );
  const other = registeredAsAnother({ wec, name, its: context });
  if (kinds.length === 0)
    return other
      ? new StellarError('not-found', other.message, ...other.next)
      : noSuchWec(name, hub);
  return new StellarError(
    'forbidden',
    `Whether there is a WEC ${name} on ${describeCluster(hub.cluster)} cannot be seen: not allowed to read ${kinds.join(' and ')}.`,
    toSeeRights(hub.cluster),
  );
}

/**
 * Whether the cluster behind a context is certainly not the WEC: its kube-system is that of the ITS, or not the one recorded when
 * the WEC joined. A name alone proves neither.
 */
export async function findOtherCluster(
  { name, kube }: { name: string; kube: Kube },
  managedCluster: ManagedCluster | undefined,
  { klusterlet, context }: WecEvidence,
  ofIts: string | undefined,
): Promise<OtherCluster | undefined> {
  const uid = await clusterUid(kube);
  const isOwn = klusterlet?.spec?.clusterName === name;
  if (uid === undefined) return undefined;
  if (uid === ofIts && !isOwn) return { context, found: 'it is the ITS itself' };
  const recorded = recordedUid(managedCluster);
  if (recorded === undefined || recorded === uid) return undefined;
  const other = otherName(klusterlet, name);
  const what = other && `it is registered as ${other}`;
  const uids = otherUid(uid, recorded, name);
  return { context, found: what === undefined ? uids : `${what}; ${uids}` };
}
