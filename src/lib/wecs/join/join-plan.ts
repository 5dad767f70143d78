import { once } from '../../core/concurrency.ts';
import { StellarError } from '../../core/errors.ts';
import { advice } from '../../core/next-step.ts';
import { isMet } from '../../core/stages.ts';
import type { Pod } from '../../kube/client/objects.ts';
import { imageVersion } from '../../kube/image.ts';
import { requirePermissions } from '../../kube/permissions.ts';
import { isScaledToNone } from '../../kube/pods.ts';
import { isTokenRefused as presentToken } from '../../ocm/agent/agent-certificate.ts';
import { type AgentSettings, image, readHubKubeconfig } from '../../ocm/agent/klusterlet-agent.ts';
import { findHub } from '../../ocm/agent/registered-hub.ts';
import {
  isOperatorPod,
  readWec,
  stuckPodsOf,
  type WecEvidence,
} from '../../ocm/agent/wec-evidence.ts';
import { clusterUid, recordedUid } from '../../ocm/hub/cluster-uid.ts';
import {
  type ChosenEndpoint,
  chooseEndpoint,
  type HubConnection,
  isSameHub,
} from '../../ocm/hub/endpoint.ts';
import { type HubAccess, knownEndpoints } from '../../ocm/hub/hub-access.ts';
import { bootstrapAccountOf, isOurs, tagOf } from '../../ocm/model/ocm-names.ts';
import type { Klusterlet } from '../../ocm/model/ocm-objects.ts';
import { proveIdentity } from '../registration/identity.ts';
import {
  isOwnToken,
  recordsTokens,
  requestUnproven,
  whyNoAccount,
} from '../registration/own-requests.ts';
import { judgeRegistration } from '../registration/registration-stages.ts';
import {
  type ReregisterEvidence,
  registeredElsewhere,
  whyReregister,
} from '../registration/reregister.ts';
import type { JoiningWec, JoinOptions } from './join-options.ts';
import {
  hubPermissions,
  type JoinProbes,
  refuseLabelConflicts,
  refuseOtherCluster,
  requireOwnership,
  reregisterPermissions,
  wecPermissions,
} from './join-requirements.ts';

/** What a join is judged by: each part is read when it is first needed, so that the order of the steps is the order of the requests. */
type JoinEvidence = ReturnType<typeof joinEvidence>;

function joinEvidence(
  access: HubAccess,
  wec: JoiningWec,
  options: JoinOptions,
  probes: JoinProbes,
) {
  const { name, kube } = wec;
  const sides = once(async () => {
    const [uid, wecBefore, hubBefore] = await Promise.all([
      probes.hub && clusterUid(kube),
      readWec(kube),
      probes.hub?.evidenceOf(name),
    ]);
    const endpoint = await endpointFor(access, name, options);
    const endpoints = [
      ...knownEndpoints(access),
      { ...endpoint, published: endpoint.source === 'kube-public/cluster-info' },
    ];
    return { uid, wecBefore, hubBefore, endpoint, endpoints };
  });
  /** The hub that it is registered with. */
  const foundHub = once(async () => {
    const { uid, wecBefore, hubBefore, endpoints } = await sides();
    return findHub(access.kube, wecBefore, {
      endpoints,
      isRecorded: uid !== undefined && recordedUid(hubBefore?.managedCluster) === uid,
      recheckConnection: () => probes.recheckConnection(kube, wecBefore.klusterlet),
    });
  });
  const identity = once(async () => {
    const { wecBefore, hubBefore, endpoints } = await sides();
    if (access.kube === undefined || hubBefore === undefined)
      return { state: 'unseen' as const, found: 'the ITS was not asked' };
    const found = await foundHub();
    // A cluster that is to be moved must not be another one for other reasons.
    const judged = found?.relation === 'other' ? { ...found, relation: 'same' as const } : found;
    return proveIdentity(access.kube, kube, wecBefore, {
      name,
      endpoints,
      found: judged,
      uidOfHub: probes.hub?.uid,
      managedCluster: hubBefore.managedCluster,
    });
  });
  /** What shows whether and why its agent must register again. */
  const registered = once(async () => {
    const { wecBefore: wec, hubBefore: hub } = await sides();
    return { hub, wec, now: (access.kube ?? kube).now(), foundHub: await foundHub() };
  });
  return { access, wec, options, probes, sides, registered, identity };
}

/** What docs/registration.md says about a step of a join. */
export interface StepText {
  name: string;
  /** What shows that it is done. */
  done: string;
  writes: string;
  /** What happens if it fails. */
  otherwise: string;
}

/** A step before the first write. */
export interface PlanStep extends StepText {
  /** @throws StellarError for a reason not to join the WEC */
  judge(evidence: JoinEvidence): Promise<unknown>;
}

/** What a join proves before it writes anything. A dry run, doctor --pre and a fleet's plan do the same. */
export const planSteps: readonly PlanStep[] = [
  {
    name: 'rights',
    done: 'both API servers say that you may write what a join writes',
    writes: 'nothing',
    otherwise: 'ends, and names the rights that are missing',
    judge: ({ wec: { name, kube }, options, probes }) =>
      Promise.all([
        requirePermissions(kube, wecPermissions()),
        probes.hub && requirePermissions(probes.hub.rights, hubPermissions(name, options)),
      ]),
  },
  {
    name: 'cluster',
    done: 'it is no hub, hosting cluster, WDS or API server without nodes, and not registered under another name',
    writes: 'nothing',
    otherwise: 'ends: give the context of the right cluster',
    async judge({ wec, sides }) {
      const { wecBefore, endpoints } = await sides();
      await refuseOtherCluster(wec, wecBefore, endpoints);
    },
  },
  {
    name: 'identity',
    done: 'its certificate or its recorded UID shows that it is the WEC of that name, or the name has not joined',
    writes: 'nothing',
    otherwise: 'ends: another cluster has the name',
    async judge({ access, wec, sides, identity }) {
      const { wecBefore, hubBefore } = await sides();
      if (hubBefore !== undefined)
        requireOwnership(access, wec, wecBefore, hubBefore, await identity());
    },
  },
  {
    name: 'former-hub',
    done: 'it is registered with no other hub, or `--replace-hub` is given',
    writes: 'nothing',
    otherwise: 'ends: with `--replace-hub` it is moved, after a question',
    async judge({ access: { its }, wec: { name }, options, registered }) {
      const elsewhere = registeredElsewhere({ name, its, ...(await registered()) });
      if (elsewhere !== undefined && options.replaceHub === undefined)
        throw new StellarError('registered-elsewhere', elsewhere.message, ...elsewhere.next);
    },
  },
  {
    name: 'labels',
    done: 'its ManagedCluster has no other values for the given labels and annotations',
    writes: 'nothing',
    otherwise: 'ends: `label --overwrite` changes them',
    async judge({ access, options, sides }) {
      const { hubBefore } = await sides();
      if (hubBefore !== undefined) refuseLabelConflicts(access, hubBefore, options);
    },
  },
];

/**
 * Everything that can be known before the first write. Reads only, except for access reviews.
 * @throws StellarError for the first reason not to join this WEC
 */
export async function planJoin(...asked: Parameters<typeof joinEvidence>) {
  const evidence = joinEvidence(...asked);
  for (const { judge } of planSteps) await judge(evidence);
  return planOf(evidence);
}

/** What a join will do to one WEC, decided before the first write. */
export type JoinPlan = Awaited<ReturnType<typeof planOf>>;

async function planOf({ access, wec: { name, kube }, options, probes, ...of }: JoinEvidence) {
  const { endpoint, wecBefore, hubBefore, uid } = await of.sides();
  const evidence = await of.registered();
  const { foundHub } = evidence;
  const settings = agentSettings(access, name, wecBefore.klusterlet, options);
  const isLost = whyReregister(evidence)[0]?.by === 'certificate';
  if (isLost) await requirePermissions(kube, reregisterPermissions());
  const { account, ...token } = await planToken(
    access,
    name,
    { settings, evidence, isLost },
    options,
  );
  const isAvailable = isMet(judgeRegistration({ name, ...evidence }), 'available');
  const join = { endpoint, isGiven: givesAddress(options), ...token };
  const [reregister] = whyReregister({ ...evidence, isAvailable, join });
  const unverified = await probes.verify(endpoint);
  return {
    name,
    /** The name of the ITS. */
    its: access.its,
    kube,
    endpoint,
    settings,
    /** What becomes of the existing versions. */
    versions: planVersions(wecBefore, settings, options),
    /** What both sides showed before. */
    wecBefore,
    hubBefore,
    identity: await of.identity(),
    /** The UID of the WEC's kube-system; undefined if it may not be read. */
    uid,
    /** The other hub that it is registered with and moves from. */
    former: foundHub?.relation === 'other' ? foundHub.hub : undefined,
    /** Why its agent must re-register, or register for the first time. */
    reregister,
    /** The service account to make for this WEC alone, if only that shows whose request it is. */
    account,
    /** Warnings that do not stop the join. */
    notes: [unverified ?? [], notesOn(access, name, wecBefore)].flat(),
  };
}

/**
 * What is necessary so that the request of this WEC is distinguished from those of others. In mode Singleton its id does that. In
 * mode Default its token does, if it was made for this WEC alone.
 * @throws StellarError `identity-unproven` if nothing would
 */
async function planToken(
  access: HubAccess,
  name: string,
  given: {
    settings: AgentSettings;
    evidence: ReregisterEvidence & { wec: WecEvidence };
    isLost: boolean;
  },
  { accept }: JoinOptions,
) {
  const { settings, evidence, isLost } = given;
  const { wec, foundHub } = evidence;
  const isStaying = foundHub?.relation !== 'other';
  const isTokenRefused = isStaying && (await refusesToken(access, wec));
  const asksAnew = wec.hubSecret === undefined || isLost;
  if (!accept || settings.mode !== 'Default' || !asksAnew || access.kube === undefined)
    return { isTokenRefused, isTokenShared: false, account: undefined };
  const isTokenShared = !isOwnToken(name, wec);
  if (await recordsTokens(access.kube))
    return { isTokenRefused, isTokenShared, account: undefined };
  const why = await whyNoAccount(access.kube);
  if (why !== undefined) throw requestUnproven(access.kube, name, why);
  return { isTokenRefused, isTokenShared, account: bootstrapAccountOf(name) };
}

/** Presented only to the hub that it was made for: one with the same address or certificate authority, over TLS. */
async function refusesToken(
  { kube, external }: HubAccess,
  { bootstrapSecret, hubSecret }: WecEvidence,
) {
  const present = readHubKubeconfig(bootstrapSecret);
  if (kube === undefined || hubSecret !== undefined || present?.token === undefined) return false;
  const isOwn = external.server.startsWith('https:') && isSameHub(present, [external]);
  return isOwn && presentToken(kube, present.token);
}

/** Whether the user gives the address, which an agent that works gets as well. */
const givesAddress = ({ hubApiserver, certificateAuthority, proxyUrl }: JoinOptions) =>
  [hubApiserver, certificateAuthority, proxyUrl].some((option) => option !== undefined);

function notesOn(access: HubAccess, name: string, { operator }: WecEvidence) {
  const isForeign = operator !== undefined && !isOurs(operator);
  return [
    access.kube === undefined
      ? `${access.its} is not reachable from here: whether the name ${name} is free there was not checked.`
      : [],
    isForeign
      ? `${name} has a klusterlet operator that stellarctl did not install; it is left as it is.`
      : [],
  ].flat();
}

/** The address of the ITS for the agents of a WEC, with everything that they need to use it. */
export async function endpointFor(
  access: HubAccess,
  wec: string,
  options: JoinOptions,
): Promise<ChosenEndpoint & HubConnection> {
  return { ...(await chooseEndpoint({ ...access, ...options, wec })), proxyUrl: options.proxyUrl };
}

/** OCM's own. */
export const defaultRegistry = 'quay.io/open-cluster-management';

/** What a join writes into the Klusterlet: the options, else what is there, else what the ITS needs. */
export function agentSettings(
  access: HubAccess,
  name: string,
  present: Klusterlet | undefined,
  options: JoinOptions,
): AgentSettings {
  const presentMode = present?.spec?.deployOption?.mode === 'Default' ? 'Default' : 'Singleton';
  if (present !== undefined && options.mode !== undefined && options.mode !== presentMode) {
    throw new StellarError(
      'mode-differs',
      `${name} is registered in mode ${presentMode}; a join does not change that to ${options.mode}.`,
      advice('Leave the mode out to keep it as it is.'),
    );
  }
  const version = options.ocmVersion ?? access.ocmVersion;
  if (version === undefined) {
    throw new StellarError(
      'hub-version-unknown',
      `${access.its} does not say which version of OCM it runs.`,
      advice('Give the version for the agent: --ocm-version X.Y.Z'),
    );
  }
  return {
    clusterName: name,
    mode: present === undefined ? (options.mode ?? 'Singleton') : presentMode,
    imageRegistry: options.imageRegistry ?? access.imageRegistry ?? defaultRegistry,
    tag: tagOf(version),
  };
}

/**
 * Decides on the images of an existing operator and Klusterlet: a user may have upgraded or downgraded them since the join. A join
 * keeps them, as `wec upgrade` changes them, unless it was asked for others or theirs cannot be pulled.
 */
export function planVersions(
  { operator, klusterlet, pods }: WecEvidence,
  settings: AgentSettings,
  options: JoinOptions,
) {
  const wanted = image(settings, 'registration-operator');
  const isAsked = options.ocmVersion !== undefined || options.imageRegistry !== undefined;
  const withoutImage = stuckPodsOf(pods).filter(lacksImage);
  const runs = operator?.spec?.template?.spec?.containers?.[0]?.image;
  const isOwn = operator === undefined || isOurs(operator);
  const ofOperator = isOwn
    ? decideVersion(runs, wanted, { isAsked, isStuck: withoutImage.some(isOperatorPod) })
    : undefined;
  const pinned = klusterlet?.spec?.imagePullSpec;
  const isOwnKlusterlet = klusterlet === undefined || isOurs(klusterlet);
  const isStuck = withoutImage.length > 0;
  const ofAgent = isOwnKlusterlet ? decideVersion(pinned, wanted, { isAsked, isStuck }) : undefined;
  const found = [
    { what: 'operator', reference: runs, decision: ofOperator },
    { what: 'agent', reference: pinned, decision: ofAgent },
  ].flatMap(({ what, reference, decision }) =>
    decision === undefined ? [] : [{ ...decision, text: `${what} ${tagOrReference(reference)}` }],
  );
  return {
    /** False if the existing operator is kept or another program installed it. */
    installOperator: isOwn && ofOperator?.keep !== true,
    /** A kept operator that is scaled to zero and must be started. */
    startOperator:
      isOwn && ofOperator?.keep && operator && isScaledToNone(operator) ? operator : undefined,
    /** False if the Klusterlet stays as it is. */
    writeKlusterlet: isOwnKlusterlet && ofAgent?.keep !== true,
    /** What runs, and why it is kept. */
    kept: found.filter(({ keep }) => keep).map(({ text, why }) => `${text} kept: ${why}`),
    /** What is replaced, with what, and why. */
    replaced: found
      .filter(({ keep }) => !keep)
      .map(({ text, why }) => `${text} replaced by ${tagOrReference(wanted)}: ${why}`),
  };
}

/** @returns undefined if there is none, or it is the right one */
function decideVersion(
  present: string | undefined,
  wanted: string,
  { isAsked, isStuck }: Record<'isAsked' | 'isStuck', boolean>,
) {
  if (present === undefined || present === wanted) return undefined;
  if (isAsked) return { keep: false, why: 'as asked for' };
  if (isStuck) return { keep: false, why: 'its image cannot be pulled' };
  return { keep: true, why: 'wec upgrade changes it' };
}

/** A version that crash-loops may still be the right one; one that cannot be pulled never runs. */
const lacksImage = ({ status }: Pod) =>
  status?.containerStatuses?.some(({ state }) => /Image/.test(state?.waiting?.reason ?? '')) ??
  false;

/** What distinguishes images for display: the version, else the whole reference. */
const tagOrReference = (reference = '') => imageVersion(reference) ?? reference;
