import type { Reading } from '../../core/follow.ts';
import {
  blockingStage,
  judge,
  type Stage,
  type StageReport,
  unseen,
  type Verdict,
} from '../../core/stages.ts';
import {
  accepted,
  announced,
  approved,
  available,
  certified,
  connected,
  hubReachable,
  installed,
  issued,
  joined,
  klusterletApplied,
  noHubAccess,
  noWecAccess,
  type Registration,
  requested,
} from './registration-checks.ts';
import { type RegistrationStageId, registrationStageIds } from './registration-stage-ids.ts';

/** A stage of a registration, with everything that depends on it. */
export interface RegistrationStage extends Stage<Registration> {
  id: RegistrationStageId;
  settles?: readonly RegistrationStageId[];
  /** Whether the WEC or the ITS shows it. */
  side: 'wec' | 'hub';
  /** The kind of objects that are its evidence: if they may not be read, their absence proves nothing. */
  kind: string;
  /** What a cluster is doing while it is blocked at this stage, for display. */
  whileWaiting: string;
  /** Stages of one group share a line of `wec get` while they are all met. */
  group: 'agent' | 'request' | 'certificate' | 'acceptance' | 'connection';
}

const csrs = 'certificatesigningrequests';

type StageDefinition = Omit<RegistrationStage, 'id'>;
type StageCheck<Side> = (side: Side, registration: Registration) => Verdict;
type StageRow<Side> = [
  ...[
    group: RegistrationStage['group'],
    kind: string,
    check: StageCheck<Side>,
    title: string,
    whileWaiting: string,
  ],
  settles?: StageDefinition['settles'],
];

const stageOn =
  <Side extends 'wec' | 'hub'>(side: Side, whyUnseen: string) =>
  (
    ...[group, kind, check, title, whileWaiting, settles = []]: StageRow<
      NonNullable<Registration[Side]>
    >
  ): StageDefinition => ({
    side,
    group,
    kind,
    title,
    whileWaiting,
    settles,
    check(registration) {
      const evidence = registration[side];
      return evidence === undefined ? unseen(whyUnseen) : check(evidence, registration);
    },
  });
const hubStage = stageOn('hub', noHubAccess);
const wecStage = stageOn('wec', noWecAccess);

/** What an agent has passed that has sent its request, and what one has passed that has its certificate. */
const agent = ['bootstrap-secret', 'klusterlet-applied', 'hub-reachable'] as const;
const certificate = [...agent, 'request', 'approved', 'issued'] as const;

/** The stages. Sources: ocm pkg/registration/spoke and pkg/operator, klusterlet status conditions. */
const stageDefinitions: Record<RegistrationStageId, StageDefinition> = {
  'bootstrap-secret': wecStage(
    'agent',
    'secrets',
    installed,
    'bootstrap secret written',
    'not installed',
  ),
  'klusterlet-applied': wecStage(
    'agent',
    'klusterlets',
    klusterletApplied,
    'klusterlet applied',
    'klusterlet starting',
  ),
  'hub-reachable': wecStage(
    'agent',
    'klusterlets',
    hubReachable,
    'hub reached from the cluster',
    'reaching the hub',
  ),
  'managed-cluster': hubStage(
    'request',
    'managedclusters',
    announced,
    'ManagedCluster announced',
    'not announced',
  ),
  request: hubStage('request', csrs, requested, 'registration requested', 'no request yet', agent),
  approved: hubStage('certificate', csrs, approved, 'request approved', 'request pending'),
  issued: hubStage('certificate', csrs, issued, 'certificate issued', 'approved, not issued'),
  'hub-secret': wecStage(
    'certificate',
    'secrets',
    certified,
    'certificate received',
    'registration requested, no certificate yet',
    certificate,
  ),
  accepted: hubStage(
    'acceptance',
    'managedclusters',
    accepted,
    'accepted by the ITS',
    'not accepted',
  ),
  connected: {
    side: 'wec',
    group: 'connection',
    kind: 'klusterlets',
    check: connected,
    title: 'connected with its certificate',
    whileWaiting: 'not connected yet',
    // The hub answers only the agents of accepted clusters.
    settles: [...certificate, 'hub-secret', 'managed-cluster', 'accepted'],
  },
  // Not that it is connected now.
  joined: hubStage('connection', 'managedclusters', joined, 'joined', 'accepted, joining', [
    ...certificate,
    'hub-secret',
  ]),
  available: hubStage(
    'connection',
    'managedclusters',
    available,
    'available',
    'joined, not available',
  ),
};

export const stageOf = (id: RegistrationStageId): RegistrationStage => ({
  id,
  ...stageDefinitions[id],
});

/**
 * The one table of a registration's stages. They are in the order of events, but none waits for the one before: the agent sends its
 * request and its ManagedCluster side by side.
 */
export const registrationStages: readonly RegistrationStage[] = registrationStageIds.map(stageOf);

/** A reading of a registration, for its followers. */
export const readingOf = (snapshot: Registration): Reading<Registration> => ({
  stages: registrationStages,
  snapshot,
});

/** @param forbidden the kinds of objects that may not be read: their absence proves nothing */
export function judgeRegistration(
  registration: Registration,
  forbidden: ReadonlySet<string> = new Set(),
): StageReport[] {
  const stages = registrationStages.map((stage): Stage<Registration> => {
    if (!forbidden.has(stage.kind)) return stage;
    return {
      ...stage,
      check(evidence) {
        const verdict = stage.check(evidence);
        return verdict.state === 'met' ? verdict : unseen(`not allowed to read ${stage.kind}`);
      },
    };
  });
  return judge(stages, registration);
}

/** The state of a registration in a few words: the STAGE column of a list. */
export function describeRegistration(reports: readonly StageReport[]) {
  const blocking = blockingStage(reports);
  if (blocking === undefined) return { text: 'available', problem: false, why: '' };
  const { id, verdict } = blocking;
  const { why } = verdict;
  if (verdict.state === 'failed') return { text: id, problem: true, why };
  return { text: stageOf(id as RegistrationStageId).whileWaiting, problem: false, why };
}
