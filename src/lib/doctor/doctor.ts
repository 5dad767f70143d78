import { type Check, type Finding, isDependent, runChecks, underCauses } from '../core/checks.ts';
import { once } from '../core/concurrency.ts';
import { failureOf, StellarError } from '../core/errors.ts';
import { advice, command, partial } from '../core/next-step.ts';
import { by } from '../core/text/words.ts';
import {
  type Installation,
  readInstallation,
  type SelectedClusters,
  wdsesIn,
} from '../installation/installation.ts';
import { errorOf, firstOf, ifSeen, seen, through, tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { unlessStatus } from '../kube/client/errors.ts';
import { readWec } from '../ocm/agent/wec-evidence.ts';
import { isRecorded, recordedUid } from '../ocm/hub/cluster-uid.ts';
import type { Endpoint } from '../ocm/hub/endpoint.ts';
import { hubEndpoints } from '../ocm/hub/hub-access.ts';
import { type HubEvidence, readOne, readWholeHub } from '../ocm/hub/hub-evidence.ts';
import type { Its } from '../ocm/hub/its.ts';
import { type HubWebhook, tryHubWebhook } from '../ocm/hub/webhook.ts';
import type { Wds } from '../spaces/choose/open-wds.ts';
import { notHosting, type SpaceTools } from '../spaces/hosting/hosting.ts';
import { validityChecks } from '../spaces/space/credentials.ts';
import { checkHub, checkSpace } from '../spaces/space/space-checks.ts';
import { readBothSides, readItsIdentity } from '../wecs/diagnose/read-both-sides.ts';
import { wecChecks } from '../wecs/diagnose/wec-checks.ts';
import { proveIdentity } from '../wecs/registration/identity.ts';
import { readMailboxes } from '../wecs/registration/mailbox.ts';
import { equalCheck, workloadChecks } from '../workloads/workload-checks.ts';
import {
  type Examined,
  failedBy,
  reachable,
  reportIfNotVisible,
  type Subject,
  visible,
  wecKnown,
  wecsListed,
} from './subject.ts';

/** The clusters that doctor checks. */
export interface DoctorInput extends SelectedClusters {
  /** The named WECs; if none is named, all WECs are checked from their ITSes. */
  wecs: readonly { name: string; kube: Kube | undefined }[];
  /** The clients of the contexts that may lead to the WEC of a name. */
  contextsNamed?: ((name: string) => Promise<Kube[]>) | undefined;
}

/** Reads and checks an installation, as far as it is reachable. @throws StellarError as examineInstallation */
export const examine = async (input: DoctorInput): Promise<Examined[]> =>
  examineInstallation(await readInstallation(input), input);

/**
 * Checks an installation as it was read, and reads its WECs. Reads only.
 * @throws StellarError `usage` if the ITS is ambiguous, and if nothing is known but an ITS that does not exist
 */
export async function examineInstallation(
  installation: Installation,
  input: DoctorInput,
): Promise<Examined[]> {
  const { spaces: tools, wecs } = input;
  const ofHosting = tools ? await examineHosting(installation, tools) : [];
  const hubs = ofHosting.flatMap(hubIn);
  const { its, elsewhere: other, wdsElsewhere: wds } = installation;
  const elsewhere = other && { ...other, ...(await checkHub(other.kube)) };
  const isNone = ofHosting.length === 0 && elsewhere === undefined;
  if (isNone && input.whyNoIts !== undefined) throw input.whyNoIts;
  const alone = wds && wecs.length === 0 ? [await examineWds(wds)] : [];
  if (isNone && alone.length === 0 && tools !== undefined) throw notHosting(tools.hosting);
  const all = elsewhere ? [...hubs, elsewhere] : hubs;
  const ofWecs = wecs.length > 0 ? [hubOfWecs(all, its)] : all;
  const ofHubs = await Promise.all(
    ofWecs.map((hub) => examineWecs(hub, input).catch((error) => [unlisted(hub, error)])),
  );
  const reached = onceEach(ofHosting, elsewhere, tools);
  return [...reached, ...ofHubs.flat(), ...alone].map(reportIfNotVisible);
}

/** An unreachable cluster is one finding. Whether one is a hosting cluster that only the current context selects is unknown. */
function onceEach(
  ofHosting: readonly Examined[],
  elsewhere: ExaminedHub | undefined,
  tools: SpaceTools | undefined,
): readonly Examined[] {
  if (elsewhere === undefined) return ofHosting;
  const { kube, findings } = elsewhere;
  const its = { subject: subjectOf('its', kube), findings };
  if (!ofHosting.some(isUnreached) || kube.cluster.server !== tools?.hosting.cluster.server)
    return [...ofHosting, its];
  return tools.hostingSource === 'current context' ? [its] : ofHosting;
}

/** The WDS of somebody whose kubeconfig does not have its hosting cluster. */
async function examineWds(wds: Wds): Promise<Examined> {
  const subject: Subject = { kind: 'wds', name: wds.name };
  const checks = [...workloadChecks, ...validityChecks('wds')];
  return { subject, findings: await runChecks(checks, { ...wds, space: wds }) };
}

/** An ITS that answers, with its findings. */
interface ExaminedHub extends Its {
  findings: readonly Finding[];
  /** The result of a request to its admission, if there was one. */
  webhook?: HubWebhook | undefined;
}

const isUnreached = ({ findings: [first] }: Examined) =>
  [reachable, visible].some((check) => check('hosting').id === first?.id);

/** The ITS of the named WECs. @throws StellarError `usage` if it is not clear */
function hubOfWecs(all: readonly ExaminedHub[], its: Its | undefined): ExaminedHub {
  const [first, ...others] = all;
  const chosen = all.find(({ kube }) => kube === its?.kube);
  if (chosen) return chosen;
  if (first && others.length === 0) return first;
  throw new StellarError(
    'usage',
    `${first ? 'There are several ITSes' : 'No ITS was found'}: which one are the WECs registered with?`,
    advice('Give it: --its NAME'),
  );
}

const subjectOf = (kind: 'hosting' | 'its', { cluster }: Kube): Subject => ({
  kind,
  name: cluster.context,
});

/** What was found of a space, and as whom its contents are read. */
type ExaminedSpace = Examined & Pick<ExaminedHub, 'webhook'> & { asUser?: Its | undefined };

/** The ITS, if it is one, as this user reads it. */
const hubIn = ({ subject, asUser, findings, webhook }: ExaminedSpace): ExaminedHub[] =>
  subject.kind === 'its' && asUser ? [{ ...asUser, findings, webhook }] : [];

/** Checks a hosting cluster with its spaces. */
async function examineHosting(
  installation: Installation,
  tools: SpaceTools,
): Promise<ExaminedSpace[]> {
  const { hosting, spaces } = installation;
  const subject = subjectOf('hosting', tools.hosting);
  const error = errorOf(hosting);
  // A server that refuses has answered.
  if (error?.code === 'forbidden')
    return [{ subject, findings: [failedBy(visible('hosting'), error)] }];
  if (error !== undefined) return [{ subject, findings: [failedBy(reachable('hosting'), error)] }];
  const cluster = ifSeen(hosting);
  if (cluster === undefined) return [];
  const { findings } = cluster;
  const wdses = wdsesIn(installation);
  const ofSpaces = spaces.map(async ({ role, name, reading, asUser }) => {
    const about = { subject: { kind: role, name }, asUser };
    const checked = await through(reading, (found) => found && checkSpace(found, cluster, tools));
    const failure = errorOf(checked);
    if (failure) return [{ ...about, findings: [failedBy(reachable(role), failure)] }];
    const found = ifSeen(checked);
    if (found === undefined) return [];
    const wds = wdses.find((each) => each.name === name);
    const more = wds === undefined ? [] : await runChecks(workloadChecks, wds, found.findings);
    const needs = { [`${role}-synced`]: ['hosting-manager'] };
    const explained = await underCauses([...found.findings, ...more], findings, needs);
    return [{ ...found, ...about, findings: explained }];
  });
  return [{ subject, findings }, ...(await Promise.all(ofSpaces)).flat()];
}

async function examineWecs(hub: ExaminedHub, input: DoctorInput): Promise<Examined[]> {
  const served = hub.findings.find(({ id }) => id === 'its-hub-crds');
  // If only rights are missing, the WECs are read anyway: their own reads report what is not allowed.
  const isUnseen = served?.status === 'skipped' && !isDependent(served);
  if (served?.status !== 'pass' && !isUnseen) return [];
  const tools = await wecTools(hub, input);
  const wecs = tools.known ? [...tools.known.values()].sort(by(({ name }) => name)) : input.wecs;
  return Promise.all(wecs.map(async (wec) => examineWec(await openWec(wec, tools), tools)));
}

/** What the WECs of an ITS are examined with. */
async function wecTools(hub: ExaminedHub, { wecs, contextsNamed }: DoctorInput) {
  const { kube } = hub;
  const [known, mailboxOf] =
    wecs.length > 0
      ? []
      : await Promise.all([readWholeHub(kube), unlessStatus(readMailboxes(kube), 403)]);
  return {
    hub,
    contextsNamed,
    /** All WECs; undefined if some are named. */
    known,
    mailboxOf,
    endpoints: () => hubEndpoints(hub),
    itself: once(() => readItsIdentity(kube)),
    tryWebhook: once(async () => hub.webhook ?? tryHubWebhook(kube)),
  };
}

type WecTools = Awaited<ReturnType<typeof wecTools>>;

/** A WEC that is named with its context has its client; for the others, the contexts that may lead there are tried. */
async function openWec(
  { name, kube: given }: { name: string; kube?: Kube | undefined },
  { hub: { kube }, contextsNamed, known, endpoints }: WecTools,
) {
  const evidence = once(async () => known?.get(name) ?? (await readOne(kube, name)));
  const alike = ifSeen(await tryRead(() => contextsNamed?.(name))) ?? [];
  const found =
    given === undefined
      ? await firstOf(alike, async (wec) => leadsTo(kube, await evidence(), wec, endpoints))
      : seen(given);
  return { name, kube: ifSeen(found), error: errorOf(found) };
}

async function examineWec(
  wec: Awaited<ReturnType<typeof openWec>>,
  tools: WecTools,
): Promise<Examined> {
  const { name, kube } = wec;
  const { hub, known, mailboxOf, endpoints, itself, tryWebhook } = tools;
  const { kube: its, context, findings } = hub;
  const subject: Subject = { kind: 'wec', name, its: its.cluster.context };
  const reached = kube && { its: { kube: its, context }, wec: kube };
  try {
    const evidence = known?.get(name);
    const ofHub = evidence && { evidence, contents: mailboxOf?.(name) };
    const sides = await readBothSides(its, wec, endpoints, { ofHub, itself, tryWebhook });
    const checks = [
      wecChecks,
      sides.error ? wecUnreached(sides.error) : [],
      unanswered(wec.error) ?? [],
    ].flat();
    const found = await runChecks(checks, sides.findings, findings);
    if (known !== undefined || kube === undefined || sides.findings.wec === undefined)
      return { subject, reached, findings: found };
    const cluster = sides.findings.hub?.managedCluster;
    const works = sides.findings.contents?.works ?? [];
    const compared = await runChecks([equalCheck], { name, its, kube, cluster, works }, found);
    return { subject, reached, findings: [...found, ...compared] };
  } catch (error) {
    return { subject, findings: [failedBy(wecKnown, unknownWec(failureOf(error), wec, its))] };
  }
}

/** Whether it is proven that a client leads to the WEC. */
async function leadsTo(
  hub: Kube,
  { name, managedCluster }: HubEvidence,
  wec: Kube,
  endpoints: () => Promise<Endpoint[]>,
) {
  if (recordedUid(managedCluster) !== undefined) return isRecorded(wec, managedCluster);
  const known = { name, endpoints: await endpoints(), managedCluster };
  const { state } = await proveIdentity(hub, wec, await readWec(wec), known);
  return state === 'proven';
}

/** A selected WEC that does not answer; its agent may have reported why. */
const wecUnreached = (error: StellarError): Check<unknown> => ({
  ...reachable('wec'),
  needs: ['wec-api-server'],
  run: () => {
    throw error;
  },
});

/** The context with the name of a WEC, which may lead elsewhere, does not answer. */
const unanswered = (error: StellarError | undefined): Check<unknown> | undefined =>
  error?.code === 'unreachable'
    ? { ...reachable('wec'), run: () => ({ status: 'warn', problem: error }) }
    : undefined;

/** An agent that has not reached the ITS is visible only in its own cluster. */
function unknownWec(error: StellarError, { name, kube }: DoctorInput['wecs'][number], its: Kube) {
  if (error.code !== 'not-found' || kube !== undefined) return error;
  return error.with({
    next: [
      ...error.next,
      partial(
        command`stellarctl doctor ${`${name}=CONTEXT`} --its ${its.cluster.context}`,
        'It shows whether the agent reaches the ITS',
      ),
    ],
  });
}

/** The finding for an ITS whose WECs cannot be listed. */
const unlisted = ({ kube }: ExaminedHub, error: unknown): Examined => ({
  subject: subjectOf('its', kube),
  findings: [failedBy(wecsListed, failureOf(error))],
});
