import { type NextStep, stepLines } from './next-step.ts';

/** The exit codes of commands. Documented in docs/output.md; they never depend on the output format. */
export const ExitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  timeout: 3,
  unreachable: 4,
  /** With --exit-code: something would change. */
  different: 5,
  interrupted: 130,
  terminated: 143,
} as const;

/** Stable, machine-readable error codes whose exit code is not that of a failure. */
const exitCodes = {
  usage: ExitCode.usage,
  'kubeconfig-invalid': ExitCode.usage,
  'context-unknown': ExitCode.usage,
  'join-file-invalid': ExitCode.usage,
  timeout: ExitCode.timeout,
  unreachable: ExitCode.unreachable,
  'tls-error': ExitCode.unreachable,
  'credentials-failed': ExitCode.unreachable,
  unauthorized: ExitCode.unreachable,
  forbidden: ExitCode.unreachable,
  'loss-unknown': ExitCode.unreachable,
  interrupted: ExitCode.interrupted,
} as const;

/** All of them: the others are failures. */
export type ErrorCode =
  | keyof typeof exitCodes
  | 'api-error'
  | 'conflict'
  | 'not-found'
  | 'not-a-hub'
  | 'not-a-hosting-cluster'
  | 'hook-missing'
  | 'no-room'
  | 'hook-failed'
  | 'space-failed'
  | 'has-dependents'
  | 'several-its'
  | 'program-missing'
  | 'program-too-old'
  | 'program-failed'
  | 'docker-unreachable'
  | 'cluster-unusable'
  | 'still-registered'
  | 'chart-unusable'
  | 'upgrade-needed'
  | 'release-pending'
  | 'hosting-busy'
  | 'hosting-failed'
  | 'hub-version-unknown'
  | 'hub-unreachable'
  | 'endpoint-unusable'
  | 'tls-settings-unusable'
  | 'same-cluster'
  | 'name-taken'
  | 'registered-elsewhere'
  | 'identity-unproven'
  | 'not-orphaned'
  | 'guard-unsupported'
  | 'mode-differs'
  | 'version-differs'
  | 'kubernetes-unsupported'
  | 'agent-failed'
  | 'request-refused'
  | 'request-denied'
  | 'several-agents'
  | 'label-conflict'
  | 'agent-dead'
  | 'not-confirmed'
  | 'still-selected'
  | 'restart-unproven'
  | 'forecast-wrong'
  | 'system-objects-selected'
  | 'expression-invalid'
  | 'in-use'
  | 'property-conflict'
  | 'token-expired'
  | 'context-taken'
  | 'file-error'
  | 'workload-blocked';

export interface ErrorDetails {
  /** What helps next. */
  next?: readonly NextStep[] | undefined;
  /** Further lines for people, such as a table of candidates. */
  details?: readonly string[] | undefined;
  /** The code of the problem that it reports, as `workload get` has it. */
  problem?: string | undefined;
  /** Whether it may pass by itself: the server answers, and is too busy or broken to answer well. */
  passing?: boolean | undefined;
  cause?: unknown;
}

/**
 * An error that a user can act on: rendered without a stack. Anything else that reaches the top is a bug and keeps its stack. The
 * message says what failed, on which cluster, and why.
 */
export class StellarError extends Error {
  readonly code: ErrorCode;
  readonly next: readonly NextStep[];
  readonly details: readonly string[] = [];
  readonly problem: string | undefined;
  readonly passing: boolean = false;

  constructor(code: ErrorCode, message: string, ...next: readonly NextStep[]) {
    super(message);
    this.name = 'StellarError';
    this.code = code;
    this.next = next;
  }

  /** The same error with more: further lines, or other next steps. */
  with({ details = [], next = this.next, ...more }: ErrorDetails): StellarError {
    const error = new StellarError(this.code, this.message);
    return Object.assign(error, this, more, { next, details: [...this.details, ...details] });
  }

  /** The message as part of a sentence: without its full stop. */
  get why(): string {
    return this.message.replace(/\.$/, '');
  }

  get exitCode(): number {
    return this.code in exitCodes
      ? exitCodes[this.code as keyof typeof exitCodes]
      : ExitCode.failed;
  }
}

/**
 * Whether a failure may pass by itself: a wait gives it a grace period before reporting it. The client has already given that time
 * to a server that restarts: it does not answer at all, or does not know its users and roles yet (kube/client/requests.ts).
 */
export const mayPass = (error: unknown): error is StellarError =>
  error instanceof StellarError && error.passing;

/**
 * An error of one cluster, or of one name of several, that does not stop the rest.
 * @throws a bug, and an error that ends the whole command
 */
export function failureOf(error: unknown): StellarError {
  if (!(error instanceof StellarError) || error.code === 'interrupted') throw error;
  return error;
}

/** An error as scripts see it: docs/output.md. */
export type ErrorReport = ReturnType<typeof reportOf>;

export function reportOf(error: unknown) {
  if (error instanceof StellarError) {
    const { code, message, problem, details, next } = error;
    return {
      code,
      message,
      ...(problem === undefined ? {} : { problem }),
      ...(details.length === 0 ? {} : { details }),
      ...(next.length === 0 ? {} : { steps: stepLines(next) }),
    };
  }
  return {
    code: 'internal' as const,
    message: error instanceof Error ? error.message : String(error),
  };
}

export function exitCodeOf(error: unknown): number {
  return error instanceof StellarError ? error.exitCode : ExitCode.failed;
}

/** The exit code of a command on several names: the first that applies of 130, 4, 1, 3 (2 occurs only before any name is tried). */
export function worstExitCode(errors: readonly unknown[]): number {
  const codes = new Set(errors.map(exitCodeOf));
  const order = [
    ExitCode.interrupted,
    ExitCode.unreachable,
    ExitCode.failed,
    ExitCode.usage,
    ExitCode.timeout,
  ];
  return order.find((code) => codes.has(code)) ?? ExitCode.done;
}
