import { command } from '../engine/command-line.ts';
import { failureOf, StellarError } from '../engine/errors.ts';
import { advice, run as nextStep } from '../engine/next-step.ts';
import { poll } from '../engine/poll.ts';
import type { Run } from '../engine/run.ts';
import type { Kube } from '../kube/client/client.ts';
import { describeCluster, unlessStatus } from '../kube/client/errors.ts';
import type { Lease } from '../kube/objects.ts';
import { resources } from '../kube/resources.ts';
import { writeLast } from '../kube/writes.ts';
import { describeProcess, hasEnded, userAtHost } from '../programs/process-identity.ts';

/**
 * The Lease of the run that writes to a hosting cluster. Its namespace exists on every cluster, cannot be deleted, and has helm's
 * records as well; in kube-system, some providers let nobody write.
 */
const [name, namespace] = ['stellarctl', 'default'];
const { leases } = resources;
/** How much longer than the command its Lease lasts: the rest of the command's time is helm's --timeout, which begins with its Job. */
const graceS = 120;

/** The servers whose Lease this process holds. */
const held = new Set<string>();

/**
 * Does work that writes to a hosting cluster, while no other run of stellarctl does. Waits for another one until the deadline. A
 * Lease is abandoned, and is replaced, if its end has passed, or if it is of this machine and its process has ended. A dry run
 * only names the holder; a call inside of the work uses the same Lease.
 * @param what the command, for others: `its repair its1`
 * @throws StellarError `forbidden` before the work, `hosting-busy` at the deadline; and what the work throws
 */
export async function withHostingLease<T>(kube: Kube, what: string, run: Run, work: () => Promise<T>): Promise<T> {
  const { dryRun, cluster } = kube;
  if (held.has(cluster.server)) return work();
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
      if (!dryRun) await kube.delete(leases, name, { namespace, uid: present.metadata.uid });
    }
    const wanted = await newLease(kube, what, run);
    const create = (last: Kube) => last.create<Lease>(leases, wanted, { namespace });
    return dryRun ? wanted : unlessStatus(writeLast(kube, create), 409);
  }, run);
  if (lease === undefined) throw busy(kube, holder);
  const { uid } = lease.metadata;
  held.add(cluster.server);
  try {
    return await work();
  } finally {
    held.delete(cluster.server);
    if (!dryRun) await writeLast(kube, (last) => last.delete(leases, name, { namespace, uid })).catch(failureOf);
  }
}

const holderOf = ({ spec }: Lease): string => spec?.holderIdentity ?? '';

/** @param now by the cluster's clock. A Lease without times is not of stellarctl: it has no end. */
async function isAbandoned(lease: Lease, now: number): Promise<boolean> {
  const { renewTime = '', leaseDurationSeconds = 0 } = lease.spec ?? {};
  if (now > Date.parse(renewTime) + leaseDurationSeconds * 1000) return true;
  return hasEnded(holderOf(lease));
}

async function newLease(kube: Kube, what: string, { deadline }: Run): Promise<Lease> {
  const holderIdentity = `${userAtHost()}, ${what}, ${await describeProcess(process.pid)}`;
  // A MicroTime.
  const renewTime = new Date(kube.now()).toISOString().replace('Z', '000Z');
  const leaseDurationSeconds = Math.ceil(deadline.remaining / 1000) + graceS;
  const { apiVersion, kind } = leases;
  return { apiVersion, kind, metadata: { name, namespace }, spec: { holderIdentity, renewTime, leaseDurationSeconds } };
}

function busy({ cluster }: Kube, holder: string | undefined): StellarError {
  const unlock = command`kubectl --context ${cluster.context} -n ${namespace} delete lease ${name}`;
  const next = [advice('When it has ended, rerun the command'), nextStep(unlock, 'If it does not run')];
  return new StellarError('hosting-busy', `Another run on ${describeCluster(cluster)} is in progress: ${holder}.`, {
    next,
  });
}
