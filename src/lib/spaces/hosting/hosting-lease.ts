import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { rfc3339 } from '../../core/deadline.ts';
import { failureOf, StellarError } from '../../core/errors.ts';
import { advice, command, run as nextStep } from '../../core/next-step.ts';
import { poll } from '../../core/poll.ts';
import type { Run } from '../../core/run.ts';
import type { Kube } from '../../kube/client/client.ts';
import { describeCluster, unlessStatus } from '../../kube/client/errors.ts';
import { type Lease, resources, typeMeta } from '../../kube/client/objects.ts';
import { may } from '../../kube/permissions.ts';
import { writeLast } from '../../kube/writes.ts';

/**
 * The Lease of the run that writes to a hosting cluster. Its namespace exists on every cluster, cannot be deleted, and has helm's
 * records as well; in kube-system, some providers let nobody write.
 */
const name = 'stellarctl';
const namespace = 'default';
const { leases } = resources;
/** How much longer than the command its Lease lasts: the rest of the command's time is helm's --timeout, which begins with its Job. */
const graceS = 120;

/** What a run needs that takes it. */
export const leasePermissions = ['get', 'create', 'delete'].map((verb) =>
  may(verb, leases, { namespace }),
);

/** The servers whose Lease this process holds. */
const heldLeases = new Set<string>();

/**
 * Does work that writes to a hosting cluster, while no other run of stellarctl does. Waits for another one until the deadline. A
 * Lease is abandoned, and is replaced, if its end has passed, or if it is of this machine and its process has ended. A dry run
 * only names the holder; a call inside of the work uses the same Lease.
 * @param what the command, for others: `its repair its1`
 * @throws StellarError `forbidden` before the work, `hosting-busy` at the deadline; and what the work throws
 */
export async function withHostingLease<T>(
  kube: Kube,
  what: string,
  run: Run,
  work: () => Promise<T>,
): Promise<T> {
  const {
    dryRun,
    cluster: { server, context },
  } = kube;
  if (heldLeases.has(server)) return work();
  let holder = 'it has just started';
  const lease = await poll(async () => {
    const present = await kube.get<Lease>(leases, name, { namespace });
    if (present !== undefined) {
      const [who = ''] = holderOf(present).split(' on ');
      const isOver = await isAbandoned(present, kube.now());
      const state = `${isOver ? 'continuing after' : 'waiting for'} another run: ${who}`;
      if (who !== holder) run.progress.changed(context, state);
      run.progress.waiting(context, state);
      holder = who;
      if (!isOver) return dryRun ? present : undefined;
      if (!dryRun) await kube.delete(leases, present);
    }
    const wanted = await newLease(kube, what, run);
    if (dryRun) return wanted;
    return unlessStatus(
      writeLast(kube, (last) => last.create<Lease>(leases, wanted, { namespace })),
      409,
    );
  }, run);
  if (lease === undefined) throw busy(kube, holder);
  heldLeases.add(server);
  try {
    const result = await work();
    const left = dryRun ? lease : await kube.get<Lease>(leases, name, { namespace });
    // What is done is done: who has taken its Lease may have written at the same time.
    if (left?.metadata.uid !== lease.metadata.uid)
      throw busy(kube, left ? holderOf(left) : 'it has deleted the Lease of this one');
    return result;
  } finally {
    heldLeases.delete(server);
    if (!dryRun) await writeLast(kube, (last) => last.delete(leases, lease)).catch(failureOf);
  }
}

const holderOf = ({ spec }: Lease) => String(spec?.holderIdentity ?? '');

/** @param now by the cluster's clock. A Lease without times is not of stellarctl: it has no end. */
async function isAbandoned(lease: Lease, now: number) {
  const { renewTime = '', leaseDurationSeconds = 0 } = lease.spec ?? {};
  if (now > Date.parse(renewTime) + leaseDurationSeconds * 1000) return true;
  return processHasEnded(holderOf(lease));
}

async function newLease(kube: Kube, what: string, { deadline }: Run): Promise<Lease> {
  const holderIdentity = `${userAtHost()}, ${what}, ${await describeProcess(process.pid)}`;
  // A MicroTime.
  const renewTime = rfc3339(kube.now()).replace('Z', '000Z');
  const leaseDurationSeconds = Math.ceil(deadline.remaining / 1000) + graceS;
  const spec = { holderIdentity, renewTime, leaseDurationSeconds };
  return { ...typeMeta(leases), metadata: { name, namespace }, spec };
}

function busy({ cluster }: Kube, holder: string) {
  return new StellarError(
    'hosting-busy',
    `Another run on ${describeCluster(cluster)} is in progress: ${holder}.`,
    advice('When it has ended, rerun the command'),
    nextStep(
      command`kubectl --context ${cluster.context} -n ${namespace} delete lease ${name}`,
      'If it does not run',
    ),
  );
}

const readIfPresent = (file: string) => readFile(file, 'utf8').catch(() => undefined);

/**
 * A process of this machine, in words: `process 4711 on MACHINE BOOT`. Only `process 4711` where nothing shows whether it has ended: on
 * systems other than Linux, and where a user sees no processes of others (a /proc that is mounted with hidepid).
 */
export async function describeProcess(pid: number): Promise<string> {
  const boot =
    (await readIfPresent('/proc/1/stat')) &&
    (await readIfPresent('/proc/sys/kernel/random/boot_id'));
  if (boot === undefined) return `process ${pid}`;
  // Containers may have the host name of their machine.
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return `process ${pid} on ${hostname()}-${namespace.replace(/\D/g, '')} ${boot.trim()}`;
}

/** Whether the process in these words at the end of a text has certainly ended: it ran here, and none has its id. */
async function processHasEnded(text: string) {
  const [words, pid] = /process (\d+) on .+$/.exec(text) ?? [];
  if (words === undefined || words !== (await describeProcess(Number(pid)))) return false;
  return (await readIfPresent(`/proc/${pid}/stat`)) === undefined;
}

/** The user and the machine of this process: `alice@laptop`. */
const userAtHost = () => `${process.env.USER ?? process.getuid?.() ?? 'somebody'}@${hostname()}`;
