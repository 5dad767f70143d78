import { command } from '../engine/command-line.ts';
import { failureOf, StellarError } from '../engine/errors.ts';
import { advice, run as nextStep } from '../engine/next-step.ts';
import { poll } from '../engine/poll.ts';
import type { Run } from '../engine/run.ts';
import type { Kube } from '../kube/client/client.ts';
import { describeCluster, unlessStatus } from '../kube/client/errors.ts';
import type { Lease } from '../kube/objects.ts';
import { may, requirePermissions } from '../kube/permissions.ts';
import { resources } from '../kube/resources.ts';
import { writeLast } from '../kube/writes.ts';
import { describeProcess, hasEnded, userAtHost } from '../programs/process-identity.ts';

/**
 * The Lease of the run that writes to a hosting cluster. Its namespace exists on every cluster, cannot be deleted, and has helm's
 * records as well; in kube-system, some providers let nobody write.
 */
const [name, namespace] = ['stellarctl', 'default'];
const { leases } = resources;
/** The record of the last helm that the holder has started, then its process: helm outlives a killed stellarctl. */
const helmAnnotation = 'stellarctl.kubestellar.io/helm';
/** How much longer than the command its Lease lasts: the rest of the command's time is helm's --timeout, which begins with its Job. */
const graceS = 120;

export const leasePermissions = ['create', 'patch', 'delete'].map((verb) => may(verb, leases, { namespace }));

/** The Lease during the work. */
export interface HostingLease {
  /** The record of a helm that an abandoned run has started: it has ended, whatever its record says. */
  endedHelm: string | undefined;
  /**
   * Notes a helm that is about to start. @param record of its revision @returns notes its process
   * @throws StellarError `hosting-busy` if another run has taken the Lease
   */
  noteHelm(record: string): Promise<(pid: number) => void>;
}

/** The Leases of this process, by server. */
const held = new Map<string, HostingLease>();

/**
 * Does work that writes to a hosting cluster, while no other run of stellarctl does. Waits for another one until the deadline. A
 * Lease is abandoned, and is replaced, if its end has passed, or if it is of this machine and its processes have ended. A dry run
 * only names the holder; a call inside of the work uses the same Lease.
 * @param what the command, for others: `its repair its1`
 * @throws StellarError `forbidden` before any write, `hosting-busy` at the deadline; and what the work throws
 */
export async function withHostingLease<T>(
  kube: Kube,
  what: string,
  run: Run,
  work: (lease: HostingLease) => Promise<T>,
): Promise<T> {
  const { dryRun, cluster } = kube;
  const outer = held.get(cluster.server);
  if (outer !== undefined) return work(outer);
  await requirePermissions(kube, leasePermissions);
  let endedHelm: string | undefined;
  let holder: string | undefined = 'it has just started';
  const lease = await poll(async () => {
    const present = await kube.get<Lease>(leases, name, { namespace });
    if (present !== undefined) {
      const [who] = holderOf(present).split(' started ');
      const isOver = await isAbandoned(present, kube.now());
      const state = `${isOver ? 'continuing after' : 'waiting for'} another run: ${who}`;
      if (who !== holder) run.progress.changed(cluster.context, state);
      run.progress.waiting(cluster.context, state);
      holder = who;
      if (!isOver) return dryRun ? present : undefined;
      endedHelm = helmOf(present)?.split(' ')[0];
      if (!dryRun) await kube.delete(leases, name, { namespace, uid: present.metadata.uid });
    }
    const wanted = await newLease(kube, what, run);
    const create = (last: Kube) => last.create<Lease>(leases, wanted, { namespace });
    return dryRun ? wanted : unlessStatus(writeLast(kube, create), 409);
  }, run);
  if (lease === undefined) throw busy(kube, `is in progress: ${holder}`);
  const { uid } = lease.metadata;
  const note = async (helm: string) => {
    const patch = { metadata: { uid, annotations: { [helmAnnotation]: helm } } };
    const patched = await unlessStatus(kube.merge(leases, name, patch, { namespace }), 404, 409, 422);
    if (patched === undefined) throw busy(kube, 'has taken the Lease of this one');
  };
  const noteHelm = async (record: string) => {
    await note(record);
    const noteProcess = async (pid: number) => note(`${record} ${await describeProcess(pid)}`);
    // Where that fails, only the end of the Lease shows that helm has ended.
    return (pid: number) => void noteProcess(pid).catch(() => undefined);
  };
  held.set(cluster.server, { endedHelm, noteHelm });
  try {
    return await work({ endedHelm, noteHelm });
  } finally {
    held.delete(cluster.server);
    if (!dryRun) await writeLast(kube, (last) => last.delete(leases, name, { namespace, uid })).catch(failureOf);
  }
}

const holderOf = ({ spec }: Lease): string => spec?.holderIdentity ?? '';

const helmOf = ({ metadata }: Lease): string | undefined => metadata.annotations?.[helmAnnotation];

/** @param now by the cluster's clock. A Lease without times is not of stellarctl: it has no end. */
async function isAbandoned(lease: Lease, now: number): Promise<boolean> {
  const { renewTime = '', leaseDurationSeconds = 0 } = lease.spec ?? {};
  if (now > Date.parse(renewTime) + leaseDurationSeconds * 1000) return true;
  return (await hasEnded(holderOf(lease))) && (await hasEnded(helmOf(lease) ?? holderOf(lease)));
}

async function newLease(kube: Kube, what: string, { deadline }: Run): Promise<Lease> {
  const holderIdentity = `${userAtHost()}, ${what}, ${await describeProcess(process.pid)}`;
  // A MicroTime.
  const renewTime = new Date(kube.now()).toISOString().replace('Z', '000Z');
  const leaseDurationSeconds = Math.ceil(deadline.remaining / 1000) + graceS;
  const { apiVersion, kind } = leases;
  return { apiVersion, kind, metadata: { name, namespace }, spec: { holderIdentity, renewTime, leaseDurationSeconds } };
}

function busy({ cluster }: Kube, why: string): StellarError {
  const unlock = command`kubectl --context ${cluster.context} -n ${namespace} delete lease ${name}`;
  const next = [advice('When it has ended, rerun the command'), nextStep(unlock, 'If it and its helm do not run')];
  return new StellarError('hosting-busy', `Another run on ${describeCluster(cluster)} ${why}.`, { next });
}
