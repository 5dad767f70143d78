import { type ErrorCode, StellarError } from '../errors.ts';
import type { Kube } from '../kube/client.ts';
import { ApiError } from '../kube/errors.ts';
import { Patience } from '../poll.ts';
import type { Run } from '../run.ts';
import { blockingStage, reachedStage, type StageReport } from '../stages.ts';
import { decide } from './acceptance.ts';
import { acceptCluster, approveRequest } from './approval.ts';
import type { RegistrationStageId } from './registration-stage-ids.ts';
import { describeRegistration, judgeRegistration, type Registration } from './registration-stages.ts';
import type { RegistrationRequest } from './requests.ts';

/** What became of one WEC: what scripts get, one for each name. */
export interface WecResult {
  name: string;
  /** The id of the stage that its registration is at; null where not even the first is reached. */
  stage: string | null;
  /** Whether this run has written anything for it. */
  changed: boolean;
  error?: StellarError;
}

export interface FollowOptions {
  /** The stage to follow the registration to. */
  until: RegistrationStageId;
  /** Whether to approve and accept on the way. */
  accept: boolean;
  /** With `accept`: whether to go on to `until` after that. */
  wait: boolean;
  /** With `accept`: a cluster that had joined before is done, whether or not it is available now. */
  joinedIsEnough?: boolean;
  /** Asked before the first approval; throws when this user may not. */
  mayWrite?: () => Promise<void>;
  agent?: string | undefined;
  ownAgent?: string | undefined;
  /** Names of requests that this run has made worthless by writing a new bootstrap secret. */
  outdated?: ReadonlySet<string>;
  /** What to type to look again. */
  lookAgain: string;
  /** When the work on this WEC began, milliseconds since the epoch. */
  started: number;
}

/**
 * Follows one registration, a step for every look at the evidence, and approves and accepts on the way if asked to. It ends with
 * a result or an error of this WEC; errors that may pass are thrown to whoever looks, to be tried again.
 */
export class RegistrationFollower {
  readonly name: string;
  readonly result: WecResult;
  finished = false;
  /** The ITS; undefined on the WEC's side alone. */
  readonly #hub: Kube | undefined;
  readonly #run: Run;
  readonly #options: FollowOptions;
  readonly #approvedAgents = new Set<string>();
  #patience = new Patience();
  #awaited: { stage: string; why: string; hint: string | undefined } | undefined;

  constructor(name: string, hub: Kube | undefined, run: Run, options: FollowOptions) {
    this.name = name;
    this.result = { name, stage: null, changed: false };
    this.#hub = hub;
    this.#run = run;
    this.#options = options;
  }

  /** One look: decides, acts, and notes what is awaited. */
  async step(registration: Registration): Promise<void> {
    const reports = judgeRegistration(registration);
    const wanted = reports.slice(0, reports.findIndex(({ id }) => id === this.#options.until) + 1);
    this.result.stage = reachedStage(wanted) ?? null;

    if (this.#options.accept && this.#hub !== undefined && (await this.#accept(this.#hub, registration, reports)))
      return;
    const blocking = blockingStage(wanted);
    if (blocking === undefined)
      return this.#finish(this.#options.until === 'available' ? 'joined and available' : inWords(reports));
    this.#note(blocking);
    if (this.finished) return;
    // Nothing that a dry run leaves out can be waited for.
    if (this.#hub?.dryRun) return this.#finish('');
    if (this.#awaited !== undefined) this.#run.progress.waiting(this.name, this.#awaited.why);
  }

  /** Notes that this run has written something for this WEC. */
  wrote(text: string): void {
    if (this.#hub?.dryRun) return;
    this.result.changed = true;
    this.#run.progress.changed(this.name, text);
  }

  /** Forgets what has failed so far: something was done about it. */
  forgive(): void {
    this.#patience = new Patience();
  }

  /** Ends this WEC with an error. */
  fail(error: StellarError): void {
    this.finished = true;
    this.result.error = error;
    this.#run.progress.failed(this.name, error.message);
  }

  /** The deadline has passed: says what was still awaited. */
  giveUp(): void {
    const { stage, why, hint } = this.#awaited ?? {
      stage: this.#options.until,
      why: 'nothing was seen of it',
      hint: undefined,
    };
    this.fail(
      new StellarError(
        'timeout',
        `${this.name} did not get to the stage ${this.#options.until} in time; it is kept by ${stage}: ${why}.`,
        {
          hint: hint ?? `Look again: ${this.#options.lookAgain}`,
        },
      ),
    );
  }

  /** Approves and accepts if it is time to. @returns true when nothing more is to be done in this look */
  async #accept(hub: Kube, registration: Registration, reports: StageReport[]): Promise<boolean> {
    if (registration.hub === undefined) return false;
    const decision = decide(registration.hub, {
      its: hub.cluster.context,
      agent: this.#options.agent,
      ownAgent: this.#options.ownAgent,
      outdated: this.#options.outdated ?? new Set(),
      approvedAgents: this.#approvedAgents,
      now: registration.now,
    });
    switch (decision.action) {
      case 'refuse':
        this.fail(decision.error);
        return true;
      case 'already-joined':
        if (!this.#options.joinedIsEnough || this.result.changed) return false;
        this.#finish(`has joined already; ${inWords(reports)}`);
        return true;
      case 'wait':
        return false;
      case 'follow':
        if (!this.#options.wait) this.#finish('accepted');
        return this.finished;
      case 'approve':
      case 'accept':
        await this.#write(hub, registration, decision.action === 'approve' ? decision.requests : []);
        return this.finished;
    }
  }

  /** Approves, then accepts. The ManagedCluster may not be there yet: then the next look accepts. */
  async #write(hub: Kube, registration: Registration, requests: RegistrationRequest[]): Promise<void> {
    const managedCluster = registration.hub?.managedCluster;
    await this.#options.mayWrite?.();
    try {
      for (const request of requests) {
        await approveRequest(hub, request);
        this.wrote(`request ${request.name} approved`);
        if (!hub.dryRun) this.result.stage = 'approved';
        if (request.agent !== undefined) this.#approvedAgents.add(request.agent);
      }
      if (managedCluster === undefined) return;
      if (!managedCluster.spec?.hubAcceptsClient) {
        await acceptCluster(hub, this.name);
        this.wrote('cluster accepted');
      }
      if (hub.dryRun || !this.#options.wait) this.#finish('accepted');
    } catch (error) {
      // Changed or gone since it was read: the next look decides anew.
      if (error instanceof ApiError && [404, 409].includes(error.status)) return;
      if (error instanceof ApiError && error.status === 403) return this.fail(error);
      throw error;
    }
  }

  #note({ id, title, verdict }: StageReport): void {
    if (verdict.state !== 'waiting' && verdict.state !== 'failed') return;
    const hint = verdict.state === 'failed' ? verdict.hint : undefined;
    this.#awaited = { stage: id, why: verdict.why, hint };
    const failing = verdict.state === 'failed' ? id : undefined;
    if (!this.#patience.believes(failing, this.#run.deadline) || this.#run.deadline.passed) return;
    const code: ErrorCode = id === 'hub-reachable' ? 'hub-unreachable' : 'agent-failed';
    const message =
      id === 'hub-reachable'
        ? `${this.name} does not reach the hub: ${verdict.why}.`
        : `${this.name} is kept from "${title}": ${verdict.why}.`;
    this.fail(new StellarError(code, message, { hint: hint ?? `Look again: ${this.#options.lookAgain}` }));
  }

  #finish(text: string): void {
    this.finished = true;
    if (this.#hub?.dryRun) return;
    const elapsed = this.result.changed ? Date.now() - this.#options.started : undefined;
    this.#run.progress.done(this.name, text, elapsed);
  }
}

function inWords(reports: StageReport[]): string {
  const { text, problem, why } = describeRegistration(reports);
  return problem ? `not ${text}: ${why}` : text;
}
