import { StellarError } from '../core/errors.ts';
import { advice, command, run as nextStep } from '../core/next-step.ts';
import { compareVersions } from '../core/text/version.ts';
import type { Lease } from '../kube/client/objects.ts';
import { imageVersion, versionOf } from '../kube/image.ts';
import { agentLife } from '../ocm/agent/agent-life.ts';
import type { WecEvidence } from '../ocm/agent/wec-evidence.ts';
import { readOne } from '../ocm/hub/hub-evidence.ts';
import { agentNamespace, isOurs, tagOf } from '../ocm/model/ocm-names.ts';
import type { Klusterlet } from '../ocm/model/ocm-objects.ts';
import { checkUpgrade, operatorImage, toVersion } from '../ocm/versions/ocm-upgrade.ts';
import { beingDeregistered } from './diagnose/deletion.ts';
import { wecVersions } from './diagnose/wec-checks.ts';
import { proveWec, type ReachedWec } from './registration/grant.ts';

export interface UpgradeOptions {
  /** The version of OCM, as `1.3.1`. */
  to: string;
  /** The version of the ITS; undefined if it does not show it. */
  hub: string | undefined;
  /** Undefined to keep that of the present images. */
  imageRegistry: string | undefined;
  /** Whether an operator that another program has installed is upgraded as well. */
  adopt: boolean;
}

/** @throws StellarError `usage`, `version-differs` if no WEC may be upgraded to that version */
export function checkVersion({ to, hub }: UpgradeOptions, its: string): void {
  checkUpgrade(its, undefined, to);
  if (hub === undefined || compareVersions(to, hub) <= 0) return;
  throw new StellarError(
    'version-differs',
    `${its} runs OCM ${hub}: an agent must not be newer than its hub. Nothing was written.`,
    nextStep(command`stellarctl its upgrade ${its} --to ${to}`, 'Upgrade the hub first'),
  );
}

export const imageFields = [
  'imagePullSpec',
  'registrationImagePullSpec',
  'workImagePullSpec',
] as const;

/** An upgrade of the agent of a WEC that has passed all checks. */
export type WecUpgrade = Awaited<ReturnType<typeof planUpgrade>>;

/** The images as an operator and its Klusterlet are to name them. */
const imagesFor = (
  operator: string | undefined,
  spec: NonNullable<Klusterlet['spec']>,
  renamed: ReturnType<typeof toVersion>,
) => ({
  operator: renamed(operator, 'registration-operator'),
  klusterlet: {
    imagePullSpec: renamed(spec.imagePullSpec, 'registration-operator'),
    registrationImagePullSpec: renamed(spec.registrationImagePullSpec, 'registration'),
    workImagePullSpec: renamed(spec.workImagePullSpec, 'work'),
  },
});

function deadAgent({ name, kube, its }: ReachedWec) {
  return new StellarError(
    'agent-dead',
    `The agent of ${name} does not renew its Lease. Nothing was written.`,
    nextStep(
      command`stellarctl wec get ${`${name}=${kube.cluster.context}`} --its ${its.context.name}`,
      'See what is wrong with it first',
    ),
  );
}

/**
 * Reads the agent of a WEC, and judges whether it may be upgraded.
 * @throws StellarError what proveWec throws; `conflict`, `agent-dead`, `version-differs`, `forbidden`, `usage` for images by digest
 */
export async function planUpgrade(
  reached: ReachedWec,
  { to, imageRegistry, adopt }: UpgradeOptions,
) {
  const { its, name } = reached;
  const evidence = await proveWec(reached);
  const { klusterlet, operator } = evidence;
  const refuse = (why: string, ...next: StellarError['next']) =>
    new StellarError(
      'conflict',
      `The agent of ${name} cannot be upgraded: ${why}. Nothing was written.`,
      ...next,
    );
  if (klusterlet?.spec === undefined || operator === undefined)
    throw refuse('it has no Klusterlet, or no operator of one');
  const mode = klusterlet.spec.deployOption?.mode;
  if (mode?.endsWith('Hosted')) throw refuse(`it runs in another cluster (mode ${mode})`);
  if (!(isOurs(operator) || adopt))
    throw refuse(
      'another program has installed its operator',
      advice('If nothing else upgrades it: --adopt'),
    );
  const hub = await readOne(its.kube, name);
  const leaving = beingDeregistered({ hub, name, its: its.context.name });
  if (leaving !== undefined) throw refuse('its deregistration is unfinished', ...leaving.next);
  const present = operatorImage(operator);
  const images = imagesFor(present, klusterlet.spec, toVersion(to, imageRegistry));
  const versions = [present, klusterlet.spec.imagePullSpec].map(imageVersion);
  for (const version of versions) checkUpgrade(`${name} has`, version, to);
  const isWritten =
    present === images.operator &&
    imageFields.every((field) => klusterlet.spec?.[field] === images.klusterlet[field]);
  const { isAvailable, renews } = agentLife({ hub, now: its.kube.now() });
  const reports = isAvailable && (renews === 'in-time' || renews === 'unknown');
  if (!reports && !isWritten) throw deadAgent(reached);
  const isDone =
    isWritten && reports && runsOnly(evidence, to) && renewedBy(evidence, hub.lease) !== undefined;
  return {
    ...reached,
    evidence: { ...evidence, klusterlet, operator },
    to,
    /** What its Klusterlet names now; undefined if that is no version. */
    from: versions[1],
    images,
    /** Whether all this runs already, and its agent renews its Lease. */
    isDone,
  };
}

/** Whether the operator and the agents run a version, and no other. */
export const runsOnly = (evidence: WecEvidence, to: string) =>
  wecVersions(evidence, undefined).every(({ running }) => running?.join() === versionOf(tagOf(to)));

/** The last renewal of a Lease, if the present agent has done it: both times are of the clock of the WEC. */
export function renewedBy(
  { pods = [] }: WecEvidence,
  lease: Lease | undefined,
): string | undefined {
  const started = pods
    .filter(
      ({ metadata }) =>
        metadata.namespace === agentNamespace && metadata.deletionTimestamp === undefined,
    )
    .flatMap(
      ({ status }) =>
        status?.containerStatuses?.flatMap(({ state }) => state?.running?.startedAt ?? []) ?? [],
    );
  const { renewTime } = lease?.spec ?? {};
  const isSince =
    started.length > 0 && started.every((at) => Date.parse(at) < Date.parse(renewTime ?? ''));
  return isSince ? renewTime : undefined;
}
