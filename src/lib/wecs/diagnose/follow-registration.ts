import type { ChangeResult } from '../../core/each-name.ts';
import { type ErrorCode, StellarError } from '../../core/errors.ts';
import {
  type Beginning,
  type Followed,
  follow,
  type JudgedReading,
  type Reading,
} from '../../core/follow.ts';
import { type NextStep, type Problem, run } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import {
  type BlockedReport,
  type StageReport,
  type Standing,
  standingOf,
  unreached,
} from '../../core/stages.ts';
import type { Kube } from '../../kube/client/client.ts';
import { ApiError, unlessStatus } from '../../kube/client/errors.ts';
import { type Foreseen, foreseen } from '../../kube/client/foreseen.ts';
import { resources } from '../../kube/client/objects.ts';
import { singletonAgentId } from '../../ocm/agent/wec-evidence.ts';
import { type HubEvidence, readHub } from '../../ocm/hub/hub-evidence.ts';
import type { RegistrationRequest } from '../../ocm/hub/registration-requests.ts';
import { acceptCluster, decide, decideRequest } from '../registration/acceptance.ts';
import type { Registration } from '../registration/registration-checks.ts';
import type { RegistrationStageId } from '../registration/registration-stage-ids.ts';
import { describeRegistration } from '../registration/registration-stages.ts';

/** The result of one WEC for scripts, one for each name. */
export type WecResult = Standing & ChangeResult;

export const newResult = (name: string): WecResult => ({ name, ...unreached, changed: false });

/** A WEC by name, with a client for the cluster itself if its context is given. */
export interface Wec {
  name: string;
  kube?: Kube | undefined;
}

export interface FollowOptions {
  /** The stage to follow the registration to, or its deletion. */
  until: RegistrationStageId | 'delete';
  /** Brings it about, before it is judged whether it makes progress. @returns a result, or `again` to read first what it has written */
  act?: (reading: JudgedReading<Registration>) => Promise<WecResult | 'again' | undefined>;
  /** A failed check does not end it: a user may repair it before the deadline. */
  patient?: boolean;
  /** Judges the first reading; throws if this name cannot be followed. */
  refuse?: (first: Registration) => Promise<unknown>;
  /** The command that checks again. */
  checkCommand: string;
  /** What has been written before. */
  result?: WecResult;
}

/** What a user, or a join, says about the acceptance of a WEC. */
export interface Accepting {
  /** Whether to continue to `until` afterwards. */
  wait: boolean;
  /** A cluster that had joined before is done, whether or not it is available now. */
  joinedIsEnough?: boolean;
  /** The id of the agent to accept, or a prefix of it. */
  agent?: string | undefined;
  /** Its own agent, where the reading does not show it. */
  ownAgent?: string | undefined;
  /** What the acceptance does to workloads. */
  effects: Foreseen;
}

/** Follows one registration, and accepts it along the way if that is asked for. It ends with a result or an error of this WEC. */
export class RegistrationFollower implements Followed<Registration, WecResult> {
  readonly name: string;
  readonly kube: Kube | undefined;
  readonly until: FollowOptions['until'];
  readonly result: WecResult;
  /** The ITS; undefined on the WEC's side alone. */
  readonly #hub: Kube | undefined;
  readonly #run: Run;
  readonly #options: FollowOptions;
  readonly #approvedAgents = new Set<string>();

  constructor({ name, kube }: Wec, hub: Kube | undefined, run: Run, options: FollowOptions) {
    this.name = name;
    this.kube = kube;
    this.until = options.until;
    this.result = options.result ?? newResult(name);
    this.#hub = hub;
    this.#run = run;
    this.#options = options;
  }

  async act(reading: JudgedReading<Registration>): Promise<WecResult | undefined> {
    const { snapshot, reports, blocking, state } = reading;
    const { act, patient, refuse } = this.#options;
    if (reading.isFirst) await refuse?.(snapshot);
    if (this.until !== 'delete') Object.assign(this.result, standingOf(reports));
    const acted = await act?.(reading);
    if (acted !== undefined) return acted === 'again' ? undefined : acted;
    // Whatever has failed before it.
    const reached =
      patient && reports.find(({ id, verdict }) => id === this.until && verdict.state === 'met');
    if (reached) return this.#finish(reached.title, !reading.isFirst);
    if (blocking === undefined)
      return this.#finish(
        this.until === 'available' ? 'joined and available' : describeReports(reports),
      );
    if (state === 'failed' && !patient) return this.broken(await this.#failure(blocking, reading));
    // A dry run cannot wait for what it does not write.
    if (this.#hub?.dryRun) return this.#finish('');
    this.#run.progress.waiting(this.name, blocking.verdict.why, blocking.id);
    return undefined;
  }

  /** Records that this run has written something for this WEC. */
  wrote(text: string): void {
    if (this.#hub?.dryRun) return;
    this.result.changed = true;
    this.#run.progress.changed(this.name, text);
  }

  broken(error: StellarError): WecResult {
    this.result.error = error;
    this.#run.progress.failed(this.name);
    return this.result;
  }

  /** Reports what the follower still waited for. */
  async late(last: JudgedReading<Registration> | undefined): Promise<WecResult> {
    const wrong = last && (await this.#verdict(last));
    const what =
      this.until === 'delete' ? 'is not deleted' : `did not reach the stage ${this.until} in time`;
    const message = `${this.name} ${what}. ${wrong?.message ?? blockedIn(last)}`;
    const next = wrong?.next ?? last?.blocking?.verdict.next ?? this.#checkCommand;
    return this.broken(new StellarError('timeout', message, ...next));
  }

  /** Without the ITS only the WEC's own stages are known. */
  async #verdict(reading: JudgedReading<Registration>): Promise<Problem | undefined> {
    if (this.#hub === undefined) return undefined;
    const { verdictOf } = await import('./verdict.ts');
    return verdictOf(reading, this.#hub.cluster.context);
  }

  get #checkCommand(): NextStep[] {
    return [run(this.#options.checkCommand, 'Check again')];
  }

  /** Approves and accepts when it is time. @returns a result that ends it */
  async accept(
    { snapshot, reports }: JudgedReading<Registration>,
    accepting: Accepting,
  ): Promise<WecResult | undefined> {
    const { wait, joinedIsEnough, agent, ownAgent = ownAgentIn(snapshot) } = accepting;
    const hub = this.#hub;
    if (hub === undefined || snapshot.hub === undefined) return undefined;
    const decision = decide(snapshot.hub, {
      its: hub.cluster.context,
      agent,
      ownAgent,
      approvedAgents: this.#approvedAgents,
      now: snapshot.now,
    });
    switch (decision.action) {
      case 'refuse':
        return this.broken(decision.error);
      case 'already-joined':
        if (!joinedIsEnough || this.result.changed) return undefined;
        return this.#finish(`has joined already; ${describeReports(reports)}`);
      case 'wait':
        return undefined;
      case 'follow':
        return wait ? undefined : this.#finish('accepted');
      case 'approve':
        return this.#write(hub, snapshot.hub, decision.requests, accepting);
      case 'accept':
        return this.#write(hub, snapshot.hub, [], accepting);
    }
  }

  /** Approves, then accepts. If there is no ManagedCluster yet, the next reading accepts. */
  async #write(
    hub: Kube,
    { managedCluster }: HubEvidence,
    requests: RegistrationRequest[],
    { wait, effects }: Accepting,
  ): Promise<WecResult | undefined> {
    try {
      for (const request of requests) {
        await decideRequest(hub, request, 'Approved');
        this.wrote(`request ${request.name} approved`);
        if (!hub.dryRun) Object.assign(this.result, { stage: 'approved', blockedAt: null });
        if (request.agent !== undefined) this.#approvedAgents.add(request.agent);
      }
      if (managedCluster === undefined) return undefined;
      if (!managedCluster.spec?.hubAcceptsClient) {
        await acceptCluster(foreseen(hub, effects), this.name);
        this.wrote('cluster accepted');
      }
      return hub.dryRun || !wait ? this.#finish('accepted') : undefined;
    } catch (error) {
      // Changed or deleted since it was read: the next reading decides again.
      if (error instanceof ApiError && [404, 409].includes(error.status)) return undefined;
      if (!(error instanceof ApiError) || error.status !== 403) throw error;
      // The hub's webhook denies the cluster while the mailbox of an earlier registration is being deleted.
      const mailbox = await unlessStatus(hub.get(resources.namespaces, this.name), 403);
      return mailbox?.metadata.deletionTimestamp === undefined ? this.broken(error) : undefined;
    }
  }

  async #failure(
    { id, title, verdict: { why, next, code: verdictCode } }: BlockedReport,
    reading: JudgedReading<Registration>,
  ): Promise<StellarError> {
    const isUnreachable = id === 'hub-reachable';
    const code: ErrorCode = isUnreachable
      ? 'hub-unreachable'
      : verdictCode === 'request-denied'
        ? verdictCode
        : 'agent-failed';
    const what = isUnreachable ? 'does not reach the hub' : `is blocked at "${title}"`;
    const wrong = await this.#verdict(reading);
    const steps = wrong?.next ?? next ?? this.#checkCommand;
    return new StellarError(code, wrong?.message ?? `${this.name} ${what}: ${why}.`, ...steps);
  }

  #finish(text: string, isNew = this.result.changed): WecResult {
    this.#run.progress.done(this.name, text, isNew);
    return this.result;
  }
}

/** Follows registrations: each reading of the ITS serves all of them. @param hub undefined on the WEC's side alone */
export function followOnHub<Subject extends { name: string } & Followed<Registration, WecResult>>(
  hub: Kube | undefined,
  subjects: readonly (Subject | Beginning<Subject, WecResult>)[],
  read: (subject: Subject, ofHub: HubEvidence | undefined) => Promise<Reading<Registration>>,
  run: Run,
): Promise<WecResult[]> {
  const readAll = async (open: readonly Subject[]) => {
    const names = open.map(({ name }) => name);
    const ofHub = hub && (await readHub(hub, names));
    return (subject: Subject) => read(subject, ofHub?.get(subject.name));
  };
  return follow(subjects, readAll, run);
}

const ownAgentIn = ({ wec }: Registration) => wec?.klusterlet && singletonAgentId(wec.klusterlet);

/** What a follower was waiting for, as a sentence. */
function blockedIn(last: JudgedReading<Registration> | undefined) {
  const { id, verdict } = last?.blocking ?? {};
  return verdict === undefined
    ? 'No trace of it was found.'
    : `It is blocked by ${id}: ${verdict.why}.`;
}

function describeReports(reports: StageReport[]) {
  const { text, problem, why } = describeRegistration(reports);
  return problem ? `not ${text}: ${why}` : text;
}
