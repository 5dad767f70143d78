import { mapConcurrently } from '../core/concurrency.ts';
import { type ChangeResult, forName } from '../core/each-name.ts';
import { StellarError } from '../core/errors.ts';
import { untilMet } from '../core/follow.ts';
import { command, run as nextStep, rerun } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { failed, met, type Verdict, waiting } from '../core/stages.ts';
import { few } from '../core/text/words.ts';
import type { Kube } from '../kube/client/client.ts';
import { type Lease, resources } from '../kube/client/objects.ts';
import { firstPodFailure, isDeploymentReady, isRead, starting } from '../kube/pods.ts';
import { listIfDefined } from '../kube/served.ts';
import { readWec, type WecEvidence } from '../ocm/agent/wec-evidence.ts';
import {
  agentNamespace,
  klusterletName,
  leaseName,
  operatorNamespace,
} from '../ocm/model/ocm-names.ts';
import { changeOperator, ensureRequirements, operatorImage } from '../ocm/versions/ocm-upgrade.ts';
import { type AppliedManifestWork, describeApplied } from '../workloads/delivery/applied-works.ts';
import type { ReachedWec } from './registration/grant.ts';
import {
  checkVersion,
  imageFields,
  planUpgrade,
  renewedBy,
  runsOnly,
  type UpgradeOptions,
  type WecUpgrade,
} from './upgrade-plan.ts';

/** The result for one WEC. The fields are an interface: docs/output.md. */
export interface UpgradeResult extends ChangeResult {
  /** The version of OCM that its Klusterlet named before; null if it was not read, or is no version. */
  from: string | null;
  to: string;
  /** not-begun: the upgrade had stopped before. */
  state: 'upgraded' | 'unchanged' | 'failed' | 'not-begun';
}

/** How the upgrades of several WECs follow one another. */
export interface Batches {
  /** How many are upgraded at once, after a first one has shown that the version works. */
  size: number;
  /** With more failures than this, no further one begins. */
  maxFailed: number;
}

/**
 * How long one agent may take. An agent that was killed holds its leadership for 137 s, and the next asks for it every 26 to 57 s
 * (library-go controllercmd, as OCM sets it); then it renews its Lease three times, about once a minute.
 */
const agentUpgradeTimeoutMs = 900_000;

/** An image that cannot be pulled at once may be a moment later. */
const podGraceMs = 60_000;

/** So many renewals of its Lease show that an agent works. */
const renewals = 3;

/**
 * Upgrades the agents of WECs: the first one alone, the others in batches. Each is read when its turn comes.
 * @throws StellarError `usage` before any write; later errors are in the results
 */
export async function upgradeWecs(
  wecs: readonly ReachedWec[],
  options: UpgradeOptions,
  batches: Batches,
  run: Run,
): Promise<UpgradeResult[]> {
  const { to } = options;
  checkVersion(options, wecs[0]?.its.context.name ?? '');
  const { results, open } = await inBatches(wecs, batches, (wec) => upgradeWec(wec, options, run));
  for (const { name } of open) run.progress.failed(name);
  const notBegun = { from: null, to, state: 'not-begun', changed: false } as const;
  return [...results, ...open.map(({ name }) => ({ name, ...notBegun }))];
}

/** Works on one after the other until one succeeds, then on several at once, until too many have failed. */
export async function inBatches<Item, Result extends { error?: StellarError }>(
  items: readonly Item[],
  { size, maxFailed }: Batches,
  work: (item: Item) => Promise<Result>,
) {
  const open = [...items];
  const results: Result[] = [];
  const mayGoOn = () => {
    const errors = results.flatMap(({ error }) => error ?? []);
    return errors.length <= maxFailed && !errors.some(({ code }) => code === 'interrupted');
  };
  while (open.length > 0 && mayGoOn()) {
    const isProven = results.some(({ error }) => error === undefined);
    const batch = open.splice(0, isProven ? size : 1);
    results.push(...(await mapConcurrently(batch, work, size)));
  }
  return { results, open };
}

async function upgradeWec(
  wec: ReachedWec,
  options: UpgradeOptions,
  run: Run,
): Promise<UpgradeResult> {
  const { name } = wec;
  const { to } = options;
  const result: UpgradeResult = { name, from: null, to, state: 'failed', changed: false };
  const ownRun = { ...run, deadline: run.deadline.within(agentUpgradeTimeoutMs) };
  return forName(result, run, async () => {
    const upgrade = await planUpgrade(wec, options);
    const { from = null, isDone } = upgrade;
    result.from = from;
    if (isDone) run.progress.done(name, `runs OCM ${to}; nothing to do`);
    else await upgradeSteps(upgrade, ownRun);
    result.state = isDone || run.dryRun ? 'unchanged' : 'upgraded';
  });
}

/** Its rights and its definition, then the operator, then, once that runs, what the operator runs. */
async function upgradeSteps(upgrade: WecUpgrade, run: Run) {
  const { name, kube, evidence, images, to } = upgrade;
  const wrote = (what: string) => run.progress.changed(name, what);
  const before = await readApplied(kube);
  if (await ensureRequirements(kube, 'wec', to)) wrote(`rights and fields of OCM ${to}`);
  const { operator, klusterlet } = evidence;
  if (operatorImage(operator) !== images.operator) {
    await changeOperator(kube, operator, images.operator);
    wrote(`operator ${to}`);
  }
  await followUpgrade(upgrade, run, ({ wec }) =>
    isDeploymentReady(wec.operator)
      ? met
      : notYet(upgrade, wec, operatorNamespace, 'its operator is starting'),
  );
  if (imageFields.some((field) => klusterlet.spec?.[field] !== images.klusterlet[field])) {
    const patch = { metadata: { uid: klusterlet.metadata.uid }, spec: images.klusterlet };
    await kube.merge(resources.klusterlets, klusterletName, patch);
    wrote(`Klusterlet ${to}`);
  }
  const renewed = new Set<string>();
  await followUpgrade(upgrade, run, (pods) => working(upgrade, pods, renewed));
  if (run.dryRun) return;
  await requireSame(upgrade, before);
  run.progress.done(name, `runs OCM ${to}; its works are the same`, true);
}

interface Seen {
  wec: WecEvidence;
  lease: Lease | undefined;
}

/** @throws StellarError `agent-failed`, `timeout` */
function followUpgrade(
  upgrade: WecUpgrade,
  run: Run,
  check: (pods: Seen) => Verdict,
): Promise<unknown> {
  const { name, its, kube } = upgrade;
  const readLease = () => its.kube.get<Lease>(resources.leases, leaseName, { namespace: name });
  const read = async () => ({ lease: await readLease(), wec: await readWec(kube) });
  return untilMet(
    { name, check, read, graceMs: () => podGraceMs, unmet: (last) => unmet(upgrade, check(last)) },
    run,
  );
}

/** @param renewed the renewals of its Lease so far */
function working(upgrade: WecUpgrade, { wec, lease }: Seen, renewed: Set<string>): Verdict {
  if (!isRead(wec.klusterlet))
    return notYet(upgrade, wec, operatorNamespace, 'its operator has not read its Klusterlet');
  if (!runsOnly(wec, upgrade.to))
    return notYet(upgrade, wec, agentNamespace, `its agent does not run ${upgrade.to} alone`);
  const last = renewedBy(wec, lease);
  if (last !== undefined) renewed.add(last);
  return renewed.size >= renewals
    ? met
    : waiting(`its agent has renewed its Lease ${renewed.size} of ${renewals} times`);
}

/** The verdict on pods of a namespace that are not as they should be. */
function notYet(
  { kube }: WecUpgrade,
  { context, pods = [] }: WecEvidence,
  namespace: string,
  why: string,
): Verdict {
  const agentPods = pods.filter(({ metadata }) => metadata.namespace === namespace);
  const failure = firstPodFailure(agentPods);
  return failure === undefined
    ? starting(why, agentPods, { context, now: kube.now() })
    : failed(failure.why);
}

function unmet({ name, kube, its, to, from = 'unknown' }: WecUpgrade, verdict: Verdict) {
  const code = verdict.state === 'failed' ? 'agent-failed' : 'timeout';
  const why = 'why' in verdict ? verdict.why : '';
  return new StellarError(
    code,
    `The upgrade of ${name} from OCM ${from} to ${to} is not done: ${why}.`,
    nextStep(
      command`stellarctl wec get ${`${name}=${kube.cluster.context}`} --its ${its.context.name}`,
      'See what is wrong',
    ),
    rerun,
  );
}

/** The works that the agent has applied, and their objects, with their UIDs. */
async function readApplied(wec: Kube): Promise<Map<string, string | undefined>> {
  const works =
    (await listIfDefined<AppliedManifestWork>(wec, resources.appliedManifestWorks)) ?? [];
  const applied = new Map<string, string | undefined>();
  for (const { metadata, spec, status } of works) {
    applied.set(`work ${spec?.manifestWorkName}`, metadata.uid);
    for (const object of status?.appliedResources ?? [])
      applied.set(describeApplied(object), object.uid);
  }
  return applied;
}

/** What is gone may have been deleted by users meanwhile; what is another one was not. @throws StellarError `agent-failed` */
async function requireSame(
  { name, kube }: WecUpgrade,
  before: ReadonlyMap<string, string | undefined>,
) {
  const after = await readApplied(kube);
  const others = [...before]
    .filter(([what, uid]) => after.has(what) && after.get(what) !== uid)
    .map(([what]) => what);
  if (others.length === 0) return;
  throw new StellarError(
    'agent-failed',
    `${name} was upgraded, and recreated meanwhile: ${few(others, 5).join(', ')}.`,
    nextStep(
      command`kubectl --context ${kube.cluster.context} get appliedmanifestworks`,
      'See them',
    ),
  );
}
