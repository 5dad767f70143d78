import { rfc3339 } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { waitWhile } from '../../core/follow.ts';
import { advice, rerun } from '../../core/next-step.ts';
import { poll } from '../../core/poll.ts';
import type { Run } from '../../core/run.ts';
import { count, few } from '../../core/text/words.ts';
import { partialReader } from '../../kube/access.ts';
import type { Kube, Reader } from '../../kube/client/client.ts';
import { missing } from '../../kube/client/missing.ts';
import { resources } from '../../kube/client/objects.ts';
import { listIfDefined, listServed, prove } from '../../kube/served.ts';
import { hubOf } from '../../ocm/agent/klusterlet-agent.ts';
import { readWec, type WecEvidence } from '../../ocm/agent/wec-evidence.ts';
import { hubConnectionOf } from '../../ocm/hub/hub-connection.ts';
import type { ManifestWork } from '../../ocm/model/manifest-works.ts';
import { klusterletName } from '../../ocm/model/ocm-names.ts';
import type { Klusterlet } from '../../ocm/model/ocm-objects.ts';
import {
  type AppliedManifestWork,
  describeApplied,
  hubHash,
} from '../../workloads/delivery/applied-works.ts';
import type { RemainingWorks } from './join-options.ts';

/** Any change of a Klusterlet makes its operator check the hub at once; otherwise it checks every five minutes. */
const recheckAnnotation = 'stellarctl.kubestellar.io/recheck-requested-at';
/** How long an operator may take to check its hub: five requests at once, then two per second (seen with OCM 1.3.1: 9.5 s). */
const operatorRecheckMs = 15_000;

/** A Klusterlet that is not found once is no proof that nothing is registered or held. */
const proveKlusterlet = async (wec: Reader) =>
  (await prove<Klusterlet>(wec, resources.klusterlets, klusterletName, { list: listIfDefined }))
    .object;

/**
 * Whether a WEC's operator reports that it is connected, and still does after a new check: its last report may be minutes old. A
 * dry run requests no check.
 */
export async function recheckConnection(
  kube: Kube,
  klusterlet: Klusterlet | undefined,
  run: Run,
): Promise<boolean> {
  if (!klusterlet || hubConnectionOf(klusterlet).state !== 'working' || kube.dryRun) return false;
  const annotations = { [recheckAnnotation]: rfc3339(kube.now()) };
  const { uid } = klusterlet.metadata;
  await kube.merge(resources.klusterlets, klusterletName, { metadata: { uid, annotations } });
  const read = async () => {
    const now = await proveKlusterlet(kube);
    return now !== undefined && hubConnectionOf(now).state === 'working' ? undefined : true;
  };
  return (
    (await poll(read, { ...run, deadline: run.deadline.within(operatorRecheckMs) })) === undefined
  );
}

/**
 * What happens to workloads when an agent connects to a hub that does not have their works: in both modes the agent's id for works
 * is the Klusterlet's UID, and from its connection on the agent waits for the grace period before it deletes what the hub lacks
 * (ocm pkg/work/spoke/controllers/finalizercontroller; seen with OCM 1.3.1).
 * @returns undefined if they may not be read
 */
export async function readRemainingWorks(
  kube: Kube,
  wec: WecEvidence,
): Promise<RemainingWorks | undefined> {
  const hub = hubOf(wec);
  const { klusterlet } = wec;
  const works = await partialReader(kube).list<AppliedManifestWork>(resources.appliedManifestWorks);
  if (works === missing || hub === undefined || klusterlet === undefined) return undefined;
  const worksOfHub = works.filter(({ spec }) => spec?.hubHash === hubHash(hub.spelled));
  const isEvicted = ({ spec }: AppliedManifestWork) => spec?.agentID === klusterlet.metadata.uid;
  const workName = ({ metadata, spec }: AppliedManifestWork) =>
    spec?.manifestWorkName ?? metadata.name;
  return {
    evicted: worksOfHub.filter(isEvicted).map(workName),
    orphaned: worksOfHub.filter((work) => !isEvicted(work)).map(workName),
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

/** With this grace period or a longer one, an agent evicts nothing (ocm pkg/work/spoke, EvictionGracePeriodBound: 100 years). */
const never = '876000h0m0s';

/** On a Klusterlet whose grace period was raised: the former one; empty if it had none. */
const formerGraceAnnotation = 'stellarctl.kubestellar.io/former-eviction-grace-period';

const graceOf = ({ spec }: Klusterlet) =>
  spec?.workConfiguration?.appliedManifestWorkEvictionGracePeriod;

/** The grace period of a Klusterlet, from before it was raised; OCM's default is an hour. */
const gracePeriodOf = (klusterlet: Klusterlet) =>
  (klusterlet.metadata.annotations?.[formerGraceAnnotation] ?? graceOf(klusterlet)) || '60m';

/** Whether the works of a former hub are held on a WEC. */
const isEvictionPaused = ({ metadata }: Klusterlet) =>
  metadata.annotations?.[formerGraceAnnotation] !== undefined;

/**
 * Raises the grace period after which the agent deletes what its hub does not know, and notes the former one.
 * @returns whether it was written
 * @throws StellarError `version-differs` if its operator's definition has no such field
 */
export async function pauseEviction(wec: Kube, klusterlet: Klusterlet): Promise<boolean> {
  if (isEvictionPaused(klusterlet) && graceOf(klusterlet) === never) return false;
  const { uid, annotations } = klusterlet.metadata;
  const former = annotations?.[formerGraceAnnotation] ?? graceOf(klusterlet) ?? '';
  const paused = await wec.merge<Klusterlet>(
    resources.klusterlets,
    klusterletName,
    patchOf(uid, former, never),
  );
  if (graceOf(paused) === never) return true;
  const undo = { metadata: { uid, annotations: { [formerGraceAnnotation]: null } } };
  await wec.merge(resources.klusterlets, klusterletName, undo);
  throw new StellarError(
    'version-differs',
    `The Klusterlet on ${wec.cluster.context} has no field appliedManifestWorkEvictionGracePeriod: its agent would delete what runs there ${gracePeriodOf(klusterlet)} after it has changed its hub.`,
  );
}

const patchOf = (uid: string | undefined, former: string | null, grace: string | null) => ({
  metadata: { uid, annotations: { [formerGraceAnnotation]: former } },
  spec: { workConfiguration: { appliedManifestWorkEvictionGracePeriod: grace } },
});

/**
 * What the works of a former hub have applied, and no work of the present one has yet. An agent deletes these objects when its grace
 * period is over; those that have another owner stay.
 * @returns undefined if nothing is held: only of a Klusterlet that was seen without the annotation, or is proven to be absent
 * @throws StellarError if something of it cannot be read: what is not seen may still be unsent
 */
export async function unsentObjects(
  hub: Kube,
  wec: Kube,
  name: string,
): Promise<string[] | undefined> {
  const klusterlet = await proveKlusterlet(wec);
  if (klusterlet === undefined || !isEvictionPaused(klusterlet)) return undefined;
  const [evidence, applied = [], works] = await Promise.all([
    readWec(wec),
    listIfDefined<AppliedManifestWork>(wec, resources.appliedManifestWorks),
    listServed<ManifestWork>(hub, resources.manifestWorks, { namespace: name }),
  ]);
  const present = hubHash(hubOf(evidence)?.spelled ?? '');
  const isPresent = ({ spec }: AppliedManifestWork) =>
    spec?.hubHash === present &&
    works.some(({ metadata }) => metadata.name === spec.manifestWorkName);
  const objectsOf = (some: AppliedManifestWork[]) =>
    some.flatMap(({ status }) => status?.appliedResources ?? []);
  const owned = new Set(objectsOf(applied.filter(isPresent)).map(({ uid }) => uid));
  const evicted = applied.filter(
    (work) => !isPresent(work) && work.spec?.agentID === klusterlet.metadata.uid,
  );
  return objectsOf(evicted)
    .filter(({ uid }) => !owned.has(uid))
    .map(describeApplied)
    .sort();
}

/**
 * Waits until every object of a former hub has a new owner, then puts the grace period back, so that the agent forgets the former
 * works.
 * @param given.evictWorks not to wait: the agent deletes what the ITS has not sent
 * @throws StellarError `timeout`
 */
export async function resumeEviction(
  hub: Kube,
  { name, kube }: { name: string; kube: Kube },
  { evictWorks }: { evictWorks?: boolean },
  run: Run,
): Promise<void> {
  let isHeld = true;
  const blocker = async () => {
    const unsent = await unsentObjects(hub, kube, name);
    isHeld = unsent !== undefined;
    if (unsent === undefined || unsent.length === 0) return undefined;
    return `${hub.cluster.context} has not sent ${count(unsent.length, 'object')} yet: ${few(unsent).join(', ')}`;
  };
  const late = (why: string) =>
    new StellarError(
      'timeout',
      `${name}: ${why}. What runs there keeps running.`,
      rerun,
      advice(
        'If these objects are no longer needed, rerun it with --evict-works: the agent deletes them',
      ),
    );
  if (!evictWorks) await waitWhile(blocker, run, late, name);
  if (!isHeld) return;
  const klusterlet = await proveKlusterlet(kube);
  if (klusterlet === undefined || !isEvictionPaused(klusterlet)) return;
  const { uid, annotations } = klusterlet.metadata;
  const present = graceOf(klusterlet);
  // What another program has set meanwhile stays.
  const former =
    present === never ? annotations?.[formerGraceAnnotation] || null : (present ?? null);
  await kube.merge(resources.klusterlets, klusterletName, patchOf(uid, null, former));
  if (kube.dryRun) return;
  // Until the agent evicts them, the former works own the objects as well.
  const until = `what policies stop sending within ${former ?? '60m'} is removed only then`;
  run.progress.done(name, `what another hub has sent is no longer held; ${until}`, true);
}
