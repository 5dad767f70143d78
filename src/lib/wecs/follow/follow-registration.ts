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
import { type HubEvidence, readHub } from '../../ocm/hub/hub-evidence.ts';
import type { Registration } from '../registration/registration-checks.ts';
import type { RegistrationStageId } from '../registration/registration-stage-ids.ts';
import { describeRegistration } from '../registration/registration-stages.ts';
import type { Wec } from '../registration/wec-view.ts';

/** The result of one WEC for scripts, one for each name. */
export type WecResult = Standing & ChangeResult;

export const newResult = (name: string): WecResult => ({ name, ...unreached, changed: false });

export interface FollowOptions {
  /** The stage to follow the registration to, or its deletion. */
  until: RegistrationStageId | 'delete';
  /** A failed check does not end it: a user may repair it before the deadline. */
  patient?: boolean;
  /** Judges the first reading; throws if this name cannot be followed. */
  refuse?: (first: Registration) => Promise<unknown>;
  /** The command that checks again. */
  checkCommand: string;
  /** What has been written before. */
  result?: WecResult;
}

/** Follows one registration: judges and reports each reading. It ends with a result or an error of this WEC. */
export class RegistrationFollower implements Followed<Registration, WecResult> {
  readonly name: string;
  readonly kube: Kube | undefined;
  readonly until: FollowOptions['until'];
  readonly result: WecResult;
  /** The ITS; undefined on the WEC's side alone. */
  readonly #hub: Kube | undefined;
  readonly #run: Run;
  readonly #options: FollowOptions;

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
    await this.note(reading);
    return this.report(reading);
  }

  /** Notes what a reading shows. */
  async note({ snapshot, reports, isFirst }: JudgedReading<Registration>): Promise<void> {
    if (isFirst) await this.#options.refuse?.(snapshot);
    if (this.until !== 'delete') Object.assign(this.result, standingOf(reports));
  }

  /** Ends it, or says what it waits for. */
  async report(reading: JudgedReading<Registration>): Promise<WecResult | undefined> {
    const { reports, blocking, state } = reading;
    const { patient } = this.#options;
    // Whatever has failed before it.
    const reached =
      patient && reports.find(({ id, verdict }) => id === this.until && verdict.state === 'met');
    if (reached) return this.finish(reached.title, !reading.isFirst);
    if (blocking === undefined)
      return this.finish(
        this.until === 'available' ? 'joined and available' : describeReports(reports),
      );
    if (state === 'failed' && !patient) return this.broken(await this.#failure(blocking, reading));
    // A dry run cannot wait for what it does not write.
    if (this.#hub?.dryRun) return this.finish('');
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
    const { verdictOf } = await import('../diagnose/verdict.ts');
    return verdictOf(reading, this.#hub.cluster.context);
  }

  get #checkCommand(): NextStep[] {
    return [run(this.#options.checkCommand, 'Check again')];
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

  finish(text: string, isNew = this.result.changed): WecResult {
    this.#run.progress.done(this.name, text, isNew);
    return this.result;
  }
}

type Reacting = (reading: JudgedReading<Registration>) => Promise<WecResult | 'again' | undefined>;

/**
 * Follows a registration, and acts on each reading before it is judged whether it makes progress.
 * @param act returns a result that ends it, or `again` to read first what it has written
 */
export const acting = (follower: RegistrationFollower, act: Reacting) => ({
  name: follower.name,
  kube: follower.kube,
  until: follower.until,
  async act(reading: JudgedReading<Registration>): Promise<WecResult | undefined> {
    await follower.note(reading);
    const acted = await act(reading);
    if (acted !== undefined) return acted === 'again' ? undefined : acted;
    return follower.report(reading);
  },
  late: (last: JudgedReading<Registration> | undefined) => follower.late(last),
  broken: (error: StellarError) => follower.broken(error),
});

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

/** What a follower was waiting for, as a sentence. */
function blockedIn(last: JudgedReading<Registration> | undefined) {
  const { id, verdict } = last?.blocking ?? {};
  return verdict === undefined
    ? 'No trace of it was found.'
    : `It is blocked by ${id}: ${verdict.why}.`;
}

export function describeReports(reports: StageReport[]) {
  const { text, problem, why } = describeRegistration(reports);
  return problem ? `not ${text}: ${why}` : text;
}
