import { type Check, type Finding, isDependent, runChecks, underCauses } from '../core/checks.ts';
import { once } from '../core/concurrency.ts';
import { failureOf, StellarError } from '../core/errors.ts';
import { advice, command, partial } from '../core/next-step.ts';
import { errorOf, firstOf, ifSeen, seen, tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { resources } from '../kube/client/objects.ts';
import { serves } from '../kube/served.ts';
import { readWec } from '../ocm/agent/wec-evidence.ts';
import { isRecorded, recordedUid } from '../ocm/hub/cluster-uid.ts';
import type { Endpoint } from '../ocm/hub/endpoint.ts';
import { hubEndpoints } from '../ocm/hub/hub-access.ts';
import { type HubEvidence, readOne, readWholeHub } from '../ocm/hub/hub-evidence.ts';
import type { Its } from '../ocm/hub/its.ts';
import { type HubWebhook, tryHubWebhook } from '../ocm/hub/webhook.ts';
import { openedBy, type Wds } from '../spaces/choose/open-wds.ts';
import { notHosting, type SpaceTools } from '../spaces/hosting/hosting.ts';
import { checkHosting } from '../spaces/hosting/hosting-stages.ts';
import { validityChecks } from '../spaces/space/credentials.ts';
import { checkHub, checkSpace } from '../spaces/space/space-checks.ts';
import { SpaceWatcher } from '../spaces/space/space-watcher.ts';
import { listControlPlanes, roleOf } from '../spaces/space/spaces.ts';
import { readBothSides, readItsIdentity } from '../wecs/diagnose/read-both-sides.ts';
import { wecChecks } from '../wecs/diagnose/wec-checks.ts';
import { proveIdentity } from '../wecs/registration/identity.ts';
import { readMailboxes } from '../wecs/registration/mailbox.ts';
import { workloadChecks } from '../workloads/workload-checks.ts';
import {
  type Examined,
  failedBy,
  reachable,
  reportIfNotVisible,
  type Subject,
  sameCluster,
  visible,
  wecKnown,
  wecsListed,
} from './subject.ts';

/** The clusters that doctor checks. */
export interface DoctorInput {
  /** Undefined if no hosting cluster is selected. */
  spaces: SpaceTools | undefined;
  /** The ITS that commands use, if there is one. */
  its: Its | undefined;
  /** Why the ITS that commands use does not exist. */
  whyNoIts?: StellarError | undefined;
  /** The ITS is only the current context, which counts if there is no hosting cluster. */
  isItsAssumed: boolean;
  /** Opens the WDS that commands use. */
  wds?: () => Promise<Wds>;
  /** The named WECs; if none is named, all WECs are checked from their ITSes. */
  wecs: readonly { name: string; kube: Kube | undefined }[];
  /** The clients of the contexts that may lead to the WEC of a name. */
  contextsNamed?: ((name: string) => Promise<Kube[]>) | undefined;
}

/**
 * Checks an installation, as far as it is reachable. Reads only.
 * @throws StellarError `usage` if the ITS is ambiguous, and if nothing is known but an ITS that does not exist
 */
export async function examine(input: DoctorInput): Promise<Examined[]> {
  const { spaces, wecs } = input;
  const { ofHosting, hubs } = spaces ? await examineHosting(spaces) : { ofHosting: [], hubs: [] };
  if (ofHosting.length === 0 && input.whyNoIts !== undefined) throw input.whyNoIts;
  const alone = ofHosting.length > 0 || wecs.length > 0 ? [] : await wdsAlone(input);
  const its = await selectIts(input, ofHosting, hubs, alone.length > 0);
  const ofHubs = await Promise.all(
    hubsOfWecs(wecs, hubs, its).map((hub) =>
      examineWecs(hub, input).catch((error) => [unlisted(hub, error)]),
    ),
  );
  const { elsewhere } = its;
  // An unreachable cluster is one finding: it is unknown whether it is also a hosting cluster.
  const isDuplicate =
    ofHosting.some(isUnreached) &&
    elsewhere?.kube.cluster.server === spaces?.hosting.cluster.server;
  return [
    ...(isDuplicate ? [] : ofHosting),
    ...(elsewhere
      ? [{ subject: subjectOf('its', elsewhere.kube), findings: elsewhere.findings }]
      : []),
    ...ofHubs.flat(),
    ...alone,
  ].map(reportIfNotVisible);
}

/** The WDS of somebody whose kubeconfig does not have its hosting cluster. */
async function wdsAlone({ wds: open }: DoctorInput): Promise<Examined[]> {
  const wds = open && ifSeen(await tryRead(open));
  if (!wds?.isContext) return [];
  if (ifSeen(await tryRead(() => serves(wds.kube, resources.bindingPolicies))) === false) return [];
  const subject: Subject = { kind: 'wds', name: wds.name };
  return [
    { subject, findings: await runChecks([...workloadChecks, ...validityChecks('wds')], wds) },
  ];
}

/** The ITS of the command: one of the hosting cluster, or another one. Both are undefined if none is selected. */
interface SelectedIts {
  /** With the client of the command: the WECs are read as its user. */
  known?: ExaminedHub;
  /** The same, with the client of the hosting cluster's Secret. */
  replaces?: ExaminedHub;
  elsewhere?: ExaminedHub;
}

/** @throws StellarError if only the current context selects a cluster, and it is neither a hosting cluster nor an ITS */
async function selectIts(
  { spaces, its, isItsAssumed }: DoctorInput,
  ofHosting: readonly Examined[],
  hubs: readonly ExaminedHub[],
  hasWds: boolean,
): Promise<SelectedIts> {
  if (its === undefined || (isItsAssumed && ofHosting.length > 0)) return {};
  const kubes = hubs.map(({ kube }) => kube);
  const same = await sameCluster(its.kube, kubes);
  const known = hubs.find(({ kube }) => kube === same);
  if (known !== undefined) return { known: { ...known, ...its }, replaces: known };
  const elsewhere = { ...its, ...(await checkHub(its.kube)) };
  if (!isItsAssumed || !elsewhere.findings.some(isNoHub)) return { elsewhere };
  // Without a choice, commands use a hosting cluster.
  if (spaces && !hasWds) throw notHosting(spaces.hosting);
  return hasWds ? {} : { elsewhere };
}

/** The ITSes whose WECs are checked: all of them, or the one of the named WECs. */
function hubsOfWecs(
  named: DoctorInput['wecs'],
  all: readonly ExaminedHub[],
  { known, replaces, elsewhere }: SelectedIts,
) {
  const hubs = all.map((hub) => (known !== undefined && hub === replaces ? known : hub));
  const chosen = known ?? elsewhere;
  const isChosen = chosen !== undefined && (named.length > 0 || hubs.length === 0);
  const found = isChosen ? [chosen] : [...hubs, elsewhere ?? []].flat();
  if (named.length > 0 && found.length !== 1) throw whichIts(found.length);
  return found;
}

/** An ITS that answers, with its findings. */
interface ExaminedHub extends Its {
  findings: readonly Finding[];
  /** The result of a request to its admission, if there was one. */
  webhook?: HubWebhook | undefined;
}

const isUnreached = ({ findings: [first] }: Examined): boolean =>
  [reachable, visible].some((check) => check('hosting').id === first?.id);

const isNoHub = (finding: Finding): boolean =>
  finding.status === 'fail' && finding.problem.code === 'not-a-hub';

function whichIts(found: number): StellarError {
  const message = `${found === 0 ? 'No ITS was found' : 'There are several ITSes'}: which one are the WECs registered with?`;
  return new StellarError('usage', message, { next: [advice('Give it: --its NAME')] });
}

const subjectOf = (kind: 'hosting' | 'its', { cluster }: Kube): Subject => ({
  kind,
  name: cluster.context,
});

/** Checks a hosting cluster with its spaces. @returns also the ITSes among them that answer */
async function examineHosting(
  tools: SpaceTools,
): Promise<{ ofHosting: Examined[]; hubs: ExaminedHub[] }> {
  const watcher = new SpaceWatcher(tools);
  const spaceFindings = await examineSpaces(tools, watcher);
  const hubs = spaceFindings.flatMap(({ subject, ...found }) => {
    const access = subject.kind === 'its' ? watcher.accessOf(subject.name) : undefined;
    return access === undefined ? [] : [{ ...access, ...found }];
  });
  return { ofHosting: spaceFindings, hubs };
}

async function examineSpaces(
  tools: SpaceTools,
  watcher: SpaceWatcher,
): Promise<(Examined & Pick<ExaminedHub, 'webhook'>)[]> {
  const { hosting } = tools;
  const listed = await tryRead(() => listControlPlanes(hosting));
  if (listed.state === 'hidden' && listed.error !== undefined) {
    // A server that refuses has answered.
    const check = listed.error.code === 'forbidden' ? visible('hosting') : reachable('hosting');
    return [{ subject: subjectOf('hosting', hosting), findings: [failedBy(check, listed.error)] }];
  }
  const all = ifSeen(listed);
  if (all === undefined) return [];
  const spaces = all.flatMap((controlPlane) => {
    const role = roleOf(controlPlane);
    return role === undefined ? [] : [{ role, name: controlPlane.metadata.name }];
  });
  const [findings, checked] = await Promise.all([
    checkHosting(hosting),
    Promise.all(
      spaces.map(({ role, name }) =>
        checkSpace(name, role, all, watcher, tools).catch((error) => ({
          findings: [failedBy(reachable(role), failureOf(error))],
          webhook: undefined,
        })),
      ),
    ),
  ]);
  const examined = await Promise.all(
    spaces.map(async ({ role, name }, index) => {
      const found = checked[index];
      if (found === undefined) return [];
      const wds = role === 'wds' ? openedBy(watcher, name, all) : undefined;
      const more = wds === undefined ? [] : await runChecks(workloadChecks, wds, found.findings);
      const needs = { [`${role}-synced`]: ['hosting-manager'] };
      const findingsOfSpace = await underCauses([...found.findings, ...more], findings, needs);
      return [{ ...found, subject: { kind: role, name }, findings: findingsOfSpace }];
    }),
  );
  return [{ subject: subjectOf('hosting', hosting), findings }, ...examined.flat()];
}

async function examineWecs(
  hub: ExaminedHub,
  { wecs: named, contextsNamed }: DoctorInput,
): Promise<Examined[]> {
  const { kube, context, findings } = hub;
  const served = findings.find(({ id }) => id === 'its-hub-crds');
  // If only rights are missing, the WECs are read anyway: their own reads report what is not allowed.
  const isUnseen = served?.status === 'skipped' && !isDependent(served);
  if (served?.status !== 'pass' && !isUnseen) return [];
  const [known, mailboxOf] =
    named.length > 0
      ? []
      : await Promise.all([readWholeHub(kube, { withLeases: true }), readMailboxes(kube)]);
  const endpoints = () => hubEndpoints(kube, context);
  /** A WEC that is named with its context has its client; for the others, the contexts that may lead there are tried. */
  const open = async ({ name, kube: given }: { name: string; kube?: Kube | undefined }) => {
    const evidence = once(async () => known?.get(name) ?? (await readOne(kube, name)));
    const alike = ifSeen(await tryRead(async () => contextsNamed?.(name))) ?? [];
    const found =
      given === undefined
        ? await firstOf(alike, async (wec) => leadsTo(kube, await evidence(), wec, endpoints))
        : seen(given);
    return { name, kube: ifSeen(found), error: errorOf(found) };
  };
  const itself = once(() => readItsIdentity(kube));
  const wecs = await Promise.all(
    (known === undefined ? named : [...known.values()].sort(inNameOrder)).map(open),
  );
  const tryWebhook = once(async () => hub.webhook ?? tryHubWebhook(kube));
  return Promise.all(
    wecs.map(async (wec) => {
      const subject: Subject = { kind: 'wec', name: wec.name, its: kube.cluster.context };
      const reached = wec.kube && { its: { kube, context }, wec: wec.kube };
      try {
        const evidence = known?.get(wec.name);
        const ofHub = evidence && { evidence, contents: mailboxOf?.(wec.name) };
        const sides = await readBothSides(kube, wec.name, wec.kube, endpoints, {
          ofHub,
          tryWebhook,
          itself,
        });
        const checks = [
          wecChecks,
          sides.error ? wecUnreached(sides.error) : [],
          unanswered(wec.error) ?? [],
        ].flat();
        return { subject, reached, findings: await runChecks(checks, sides.findings, findings) };
      } catch (error) {
        return { subject, findings: [failedBy(wecKnown, unknownWec(failureOf(error), wec, kube))] };
      }
    }),
  );
}

const inNameOrder = (a: HubEvidence, b: HubEvidence): number => (a.name < b.name ? -1 : 1);

/** Whether it is proven that a client leads to the WEC. */
async function leadsTo(
  hub: Kube,
  { name, managedCluster }: HubEvidence,
  wec: Kube,
  endpoints: () => Promise<Endpoint[]>,
): Promise<boolean> {
  if (recordedUid(managedCluster) !== undefined) return isRecorded(wec, managedCluster);
  const known = { name, endpoints: await endpoints(), recordedUid: undefined };
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
    ? { ...reachable('wec'), run: async () => ({ status: 'warn', problem: error }) }
    : undefined;

/** An agent that has not reached the ITS is visible only in its own cluster. */
function unknownWec(
  error: StellarError,
  { name, kube }: DoctorInput['wecs'][number],
  its: Kube,
): StellarError {
  if (error.code !== 'not-found' || kube !== undefined) return error;
  const doctorCommand = command`stellarctl doctor ${`${name}=CONTEXT`} --its ${its.cluster.context}`;
  return error.with({
    next: [...error.next, partial(doctorCommand, 'It shows whether the agent reaches the ITS')],
  });
}

/** The finding for an ITS whose WECs cannot be listed. */
const unlisted = ({ kube }: ExaminedHub, error: unknown): Examined => ({
  subject: subjectOf('its', kube),
  findings: [failedBy(wecsListed, failureOf(error))],
});
