import { monotonic } from './clock.ts';
import { pause } from './deadline.ts';
import { StellarError } from './errors.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { Run } from './run.ts';

/** Up to this many questions are asked one by one; more are asked together, if possible. */
export const batchThreshold = 10;
/** The minimum interval of the same question; asked together, five times the duration of the last answer. */
const shortestIntervalMs = 500;
const longestIntervalMs = 3000;
const restFactor = 5;

/** How questions of one kind are answered. */
interface Answering<Question, Answer> {
  /** Equal for questions that have the same answer. */
  idOf: (question: Question) => string;
  single: (question: Question) => Promise<Answer>;
  /** Answers all of them at once, if possible. */
  batch?: (questions: readonly Question[]) => Promise<(question: Question) => Answer>;
}

interface Asked<Question, Answer> {
  id: string;
  question: Question;
  resolve: (answer: Answer | Promise<Answer>) => void;
  reject: (error: unknown) => void;
}

/** Answers questions that many callers ask at the same time with few requests. Each request starts after all of its questions. */
export class RequestBatcher<Question, Answer> {
  readonly #answering: Answering<Question, Answer>;
  readonly #rateLimiter: RateLimiter;
  readonly #run: Pick<Run, 'deadline' | 'signal'>;
  readonly #lastAsked = new Map<string, number>();
  readonly #refused = new Map<string, unknown>();
  #asked: Asked<Question, Answer>[] = [];
  #isBusy = false;
  #mayBatch: boolean;
  #batchDueAt = 0;

  constructor(answering: Answering<Question, Answer>, rateLimiter: RateLimiter, run: Pick<Run, 'deadline' | 'signal'>) {
    this.#answering = answering;
    this.#mayBatch = answering.batch !== undefined;
    this.#rateLimiter = rateLimiter;
    this.#run = run;
  }

  ask(question: Question): Promise<Answer> {
    const id = this.#answering.idOf(question);
    if (this.#refused.has(id)) return Promise.reject(this.#refused.get(id));
    return new Promise((resolve, reject) => {
      this.#asked.push({ id, question, resolve, reject });
      void this.#answerAll();
    });
  }

  async #answerAll(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#asked.length > 0) {
      await this.#answerSome().catch((error: unknown) => {
        for (const { reject } of this.#take()) reject(error);
      });
    }
    this.#isBusy = false;
  }

  async #answerSome(): Promise<void> {
    await this.#until(this.#isMany ? this.#batchDueAt : Math.min(...this.#asked.map(({ id }) => this.#dueAt(id))));
    await this.#rateLimiter.wait();
    if (this.#isMany) return this.#answerBatch();
    // After the deadline, nothing waits any more.
    const now = this.#run.deadline.passed ? Number.POSITIVE_INFINITY : monotonic();
    const due = this.#asked.find(({ id }) => this.#dueAt(id) <= now);
    if (due !== undefined) this.#answerOne(due);
  }

  get #isMany(): boolean {
    return this.#mayBatch && new Set(this.#asked.map(({ id }) => id)).size > batchThreshold;
  }

  #dueAt(id: string): number {
    return (this.#lastAsked.get(id) ?? Number.NEGATIVE_INFINITY) + shortestIntervalMs;
  }

  #until(at: number): Promise<void> {
    return pause(Math.max(0, at - monotonic()), this.#run.deadline, this.#run.signal);
  }

  /** Only the callers that asked wait for its answer. */
  #answerOne({ id, question }: Asked<Question, Answer>): void {
    this.#lastAsked.set(id, monotonic());
    const answer = this.#answering.single(question);
    for (const { resolve } of this.#take((other) => other.id === id)) resolve(answer);
    // A question that is not allowed is not asked again.
    answer.catch((error: unknown) => isForbidden(error) && this.#refused.set(id, error));
  }

  async #answerBatch(): Promise<void> {
    const asked = this.#take();
    const started = monotonic();
    try {
      const answerTo = await this.#answering.batch?.(asked.map(({ question }) => question));
      for (const { question, resolve } of asked) if (answerTo) resolve(answerTo(question));
    } catch (error) {
      // Single requests may still be allowed.
      this.#mayBatch = !isForbidden(error);
      if (!this.#mayBatch) this.#asked.unshift(...asked);
      else for (const { reject } of asked) reject(error);
    }
    const rest = Math.max(shortestIntervalMs, restFactor * (monotonic() - started));
    this.#batchDueAt = started + Math.min(longestIntervalMs, rest);
  }

  #take(isTaken: (asked: Asked<Question, Answer>) => boolean = () => true): Asked<Question, Answer>[] {
    const taken = this.#asked.filter(isTaken);
    this.#asked = this.#asked.filter((asked) => !isTaken(asked));
    return taken;
  }
}

const isForbidden = (error: unknown): boolean => error instanceof StellarError && error.code === 'forbidden';
