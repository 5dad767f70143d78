import {
  command,
  type NextStep,
  onIts,
  type Problem,
  partial,
  problem,
  run,
} from '../../core/next-step.ts';
import type { FoundHub } from '../../ocm/agent/registered-hub.ts';
import { otherName, type WecEvidence } from '../../ocm/agent/wec-evidence.ts';
import { bootstrapRequests, type HubEvidence } from '../../ocm/hub/hub-evidence.ts';
import { agentNamespace } from '../../ocm/model/ocm-names.ts';

/** What may resolve by itself, or waits for a user. */
const warnings = ['certificate-expiring', 'versions-apart', 'another-agent-asks'];

/** The checks of the ITS whose failure explains a problem. */
const causingProblems: Readonly<Record<string, readonly string[]>> = {
  'not-allowed-to-register': ['its-bootstrap-rights'],
};

/** A problem of a WEC. docs/troubleshooting.md has a line for each code. */
export const wecProblem = (
  code: string,
  message: string,
  ...next: readonly NextStep[]
): Problem => ({
  ...problem(code, message, ...next),
  ...(warnings.includes(code) && { severity: 'warn' }),
  causedBy: causingProblems[code],
});

/** A WEC, as far as it was read, and what it is read with. */
interface ReadWec {
  name: string;
  wec: WecEvidence | undefined;
  its?: string;
  context?: string | undefined;
}

export function registeredAsAnother({ wec, name, its }: ReadWec): Problem | undefined {
  const other = otherName(wec?.klusterlet, name);
  if (wec === undefined || other === undefined) return undefined;
  return wecProblem(
    'registered-as-another',
    `The cluster of context ${wec.context} is registered as ${other}, not as ${name}.`,
    run(command`stellarctl wec get ${`${other}=${wec.context}`} ${onIts(its)}`),
  );
}

/** The command that shows the agent's own logs. */
export function toSeeAgent(registration: ReadWec): NextStep {
  const { wec } = registration;
  if (wec === undefined) return toSeeCluster(registration);
  const agent = wec.pods?.find(({ metadata }) => metadata.namespace === agentNamespace)?.metadata
    .name;
  return agent === undefined
    ? agentPods(wec.context)
    : run(command`kubectl --context ${wec.context} -n ${agentNamespace} logs ${agent}`);
}

export const agentPods = (context: string) =>
  run(command`kubectl --context ${context} -n ${agentNamespace} get deployments,pods`);

/** For a cluster that was not read: without a context, or because it does not answer. */
export const toSeeCluster = ({ name, its, context }: Omit<ReadWec, 'wec'>) =>
  context === undefined
    ? {
        ...partial(command`stellarctl wec get ${name}=CONTEXT ${onIts(its)}`),
        note: 'what the cluster itself shows',
      }
    : run(
        command`kubectl --context ${context} cluster-info`,
        'See why the cluster does not answer',
      );

/** The problems that a new token resolves. */
const ofCredentials = [
  'certificate-expired',
  'certificate-rejected',
  'token-expired',
  'token-revoked',
  'bootstrap-secret-missing',
] as const;

/** What a user decides on: what the ITS of an agent has not is deleted some time after the agent has joined it. */
const decisions = [
  'registered-elsewhere',
  'hub-rebuilt',
  'not-allowed-to-register',
  'managed-cluster-missing',
] as const;

/** The others are those of its address, and of an agent that could not announce itself. */
export type ReregisterCode =
  | (typeof ofCredentials)[number]
  | (typeof decisions)[number]
  | `authority-${'changed' | 'wrong' | 'missing'}`
  | 'hub-address-loopback'
  | 'hub-not-reached'
  | 'not-announced';

export const needsToken = (code: string) => ofCredentials.some((each) => each === code);

export const needsDecision = (code: string) => decisions.some((each) => each === code);

export interface Reregister {
  /** The last two are no problems of a WEC: the user gives another address; the token does not show whose request it is. */
  code: ReregisterCode | 'address-given' | 'token-shared';
  why: string;
  /** `token`: with a new bootstrap secret. `certificate`: with the removal of its certificate as well. */
  by: 'token' | 'certificate';
}

/** The finding for a WEC that is registered with another hub, a clause. */
export function describeOtherHub({ hub, isConnected, answer }: FoundHub): string {
  const connected = isConnected ? ', and connected there' : '';
  const unproven =
    answer?.state === 'accepted' ? ', and nothing proves that this is the ITS' : connected;
  return `it is registered with the hub ${hub.server}${unproven}`;
}

/** A cause that is a problem of a WEC. */
export type ReregisterProblem = Reregister & { code: ReregisterCode };

interface OnIts {
  hub: HubEvidence | undefined;
  wec: Pick<WecEvidence, 'hubSecret'> | undefined;
  foundHub?: FoundHub | undefined;
  now: number;
}

/** An agent announces itself with its request. If the hub's webhook denies it, it retries only after hours or when it restarts. */
export const announcementGraceMs = 30_000;

/** Its ManagedCluster has been deleted, or the certificate was issued too early (ocm pkg/registration/spoke). */
export function missing({ hub, wec, foundHub, now }: OnIts): Reregister | undefined {
  if (hub === undefined || hub.managedCluster !== undefined) return undefined;
  const asked = bootstrapRequests(hub).at(-1);
  const isIssued =
    asked?.state === 'issued' && now - (asked.decided ?? asked.created) >= announcementGraceMs;
  if (wec === undefined ? !isIssued : wec.hubSecret === undefined) return undefined;
  const code = foundHub?.relation === 'same-address' ? 'hub-rebuilt' : 'managed-cluster-missing';
  return {
    code,
    why: 'its agent has a certificate, and the ITS has no ManagedCluster of it',
    by: 'certificate',
  };
}

/** A request whose sender has not announced its ManagedCluster. @param since when the ITS could have admitted it */
export function unannounced(
  hub: HubEvidence,
  now: number,
  graceMs: number,
  since = 0,
): ReregisterProblem | undefined {
  const asked = bootstrapRequests(hub).at(-1);
  const isOverdue =
    asked !== undefined && now - Math.max(asked.decided ?? asked.created, since) > graceMs;
  if (hub.managedCluster !== undefined || !isOverdue) return undefined;
  return { code: 'not-announced', why: 'its agent could not announce itself', by: 'token' };
}
