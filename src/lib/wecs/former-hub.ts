import { command } from '../core/command-line.ts';
import { count, few } from '../core/counts.ts';
import { Deadline } from '../core/deadline.ts';
import { StellarError } from '../core/errors.ts';
import { advice, type NextStep, run as nextStep, partial } from '../core/next-step.ts';
import { poll } from '../core/poll.ts';
import type { Run } from '../core/run.ts';
import type { Kube } from '../kube/client/client.ts';
import { describeCluster } from '../kube/client/errors.ts';
import { resources } from '../kube/client/resources.ts';
import { partialReader } from '../kube/partial-reader.ts';
import type { HubAccess } from '../ocm/hub-access.ts';
import { hubConnectionOf } from '../ocm/hub-connection.ts';
import { hubOf } from '../ocm/klusterlet-agent.ts';
import { klusterletName } from '../ocm/ocm-names.ts';
import type { Klusterlet } from '../ocm/ocm-objects.ts';
import type { FoundHub } from '../ocm/registered-hub.ts';
import type { WecEvidence } from '../ocm/wec-evidence.ts';
import { type AppliedManifestWork, hubHash } from '../workloads/applied-works.ts';
import { gracePeriodOf } from './held-works.ts';
import type { JoiningWec, JoinOptions, RemainingWorks } from './join-options.ts';

/** Any change of a Klusterlet makes its operator check the hub at once; otherwise it checks every five minutes. */
const askedAnnotation = 'stellarctl.kubestellar.io/asked-at';
/** How long an operator may take to check its hub: five requests at once, then two per second (seen with OCM 1.3.1: 9.5 s). */
const operatorRecheckMs = 15_000;

/**
 * Whether a WEC's operator reports that it is connected, and still does after a new check: its last report may be minutes old. A
 * dry run requests no check.
 */
export async function isStillConnected(kube: Kube, klusterlet: Klusterlet | undefined, run: Run): Promise<boolean> {
  if (klusterlet === undefined || hubConnectionOf(klusterlet).state !== 'working') return false;
  if (kube.dryRun) return false;
  const annotations = { [askedAnnotation]: new Date(kube.now()).toISOString() };
  const { uid } = klusterlet.metadata;
  await kube.merge(resources.klusterlets, klusterletName, { metadata: { uid, annotations } });
  const read = async () => {
    const now = await kube.get<Klusterlet>(resources.klusterlets, klusterletName);
    return now !== undefined && hubConnectionOf(now).state === 'working' ? undefined : true;
  };
  const deadline = new Deadline(Math.min(operatorRecheckMs, run.deadline.remaining));
  return (await poll(read, { ...run, deadline })) === undefined;
}

/** A WEC that is registered elsewhere stays as it is, unless the user wants to move it. */
export function registeredElsewhere(
  { its, kube: hub }: HubAccess,
  { name, kube }: JoiningWec,
  { hub: { server }, isConnected, answer }: FoundHub,
  { accept }: Pick<JoinOptions, 'accept'>,
): StellarError {
  const { context } = kube.cluster;
  const cluster = describeCluster(kube.cluster);
  const why = isConnected
    ? `with which its agent is connected: ${its} does not accept its certificate`
    : `which is not ${answer?.state === 'accepted' ? 'proven to be ' : ''}${its}`;
  const accepting = accept ? ['--accept'] : [];
  const target = `${name}=${context}`;
  const move: NextStep =
    hub === undefined
      ? partial(command`stellarctl wec join ${target} --join-file FILE --replace-hub`, `To move it to ${its}`)
      : nextStep(
          command`stellarctl wec join ${target} ${accepting} --its ${its} --replace-hub`,
          `To move it to ${its}`,
        );
  const address = advice(`If ${its} has that address: ${command`--hub-apiserver ${server}`}`);
  const message = `${cluster} is registered already, as ${name} with the hub ${server}, ${why}.`;
  return new StellarError('registered-elsewhere', message, { next: isConnected ? [move] : [move, address] });
}

/**
 * What happens to workloads when an agent connects to a hub that does not have their works: in both modes the agent's id for works
 * is the Klusterlet's UID, and from its connection on the agent waits for the grace period before it deletes what the hub lacks
 * (ocm pkg/work/spoke/controllers/finalizercontroller; seen with OCM 1.3.1).
 * @returns undefined if they may not be read
 */
export async function readRemainingWorks(kube: Kube, wec: WecEvidence): Promise<RemainingWorks | undefined> {
  const hub = hubOf(wec);
  const { klusterlet } = wec;
  const works = await partialReader(kube).list<AppliedManifestWork>(resources.appliedManifestWorks);
  if (works === undefined || hub === undefined || klusterlet === undefined) return undefined;
  const own = works.filter(({ spec }) => spec?.hubHash === hubHash(hub.spelled));
  const isEvicted = ({ spec }: AppliedManifestWork) => spec?.agentID === klusterlet.metadata.uid;
  const workName = ({ metadata, spec }: AppliedManifestWork) => spec?.manifestWorkName ?? metadata.name;
  return {
    evicted: own.filter(isEvicted).map(workName),
    orphaned: own.filter((work) => !isEvicted(work)).map(workName),
    gracePeriod: gracePeriodOf(klusterlet),
  };
}

/** What happens to the workloads, in words; undefined if nothing runs. */
export function describeRemainingWorks(
  { evicted, orphaned, gracePeriod }: RemainingWorks,
  its: string,
): string | undefined {
  const parts = [
    evicted.length === 0
      ? []
      : `${count(evicted.length, 'work')} (${few(evicted).join(', ')}): its agent deletes what ${its} does not send under the same names ${gracePeriod} after it has connected, with the workloads`,
    orphaned.length === 0
      ? []
      : `${count(orphaned.length, 'work')} (${few(orphaned).join(', ')}) of an agent before it: left running`,
  ].flat();
  return parts.length === 0 ? undefined : parts.join('; ');
}
