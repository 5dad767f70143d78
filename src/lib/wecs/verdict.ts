import type { Check } from '../core/checks.ts';
import type { JudgedReading } from '../core/follow.ts';
import type { Problem } from '../core/next-step.ts';
import { beingDeleted, beingDeregistered, endingAgentNamespace, endingMailbox } from './deletion.ts';
import {
  anyStage,
  asksAgain,
  contextOfOtherCluster,
  expiringCertificate,
  failedAt,
  missedRenewal,
  registeredAsAnother,
  unsignedRenewal,
  withoutKlusterlet,
  withoutNode,
} from './diagnosis.ts';
import type { WecFindings } from './findings.ts';
import type { Registration } from './registration-checks.ts';
import { validityOfAgent } from './reregister.ts';
import {
  cannotConnect,
  expiredCertificate,
  missingManagedCluster,
  registeredElsewhere,
} from './reregister-problems.ts';

export interface Row extends Omit<Check<WecFindings>, 'run'> {
  /** Whether there is evidence to judge. */
  sees: (findings: WecFindings) => boolean;
  /** @returns the problem, if there is one */
  find: (findings: WecFindings) => Problem | undefined;
}

const seenIf =
  (sees: Row['sees']) =>
  (id: string, title: string, find: Row['find'], needs: readonly string[] = []): Row => ({
    ...{ id: `wec-${id}`, title, sees, find, needs },
  });
export const onHub = seenIf(() => true);
/** What only the WEC shows is not visible without its context. */
export const onWec = seenIf(({ wec }) => wec !== undefined);
const ofContext = seenIf(({ wec, otherCluster }) => wec !== undefined || otherCluster !== undefined);
const ofCertificate = seenIf((findings) => findings.wec !== undefined || validityOfAgent(findings) !== undefined);

/** What runs on a WEC, and what its agent needs to reach the ITS. */
export const running = ['wec-namespaces', 'wec-klusterlet', 'wec-containers', 'wec-nodes', 'wec-agent-pods'];
export const reaching = [...running, 'wec-certificate', 'wec-hub-connection'];

/**
 * The checks of a registration. Causes come before their effects: an agent that does not start explains a Lease that is not renewed,
 * not the other way round.
 */
export const registrationRows: readonly Row[] = [
  ofContext('context', 'its context leads to its own cluster', contextOfOtherCluster),
  onHub('not-deleted', 'it is not being deleted', beingDeleted),
  onHub('not-deregistering', 'no deregistration of it is unfinished', beingDeregistered),
  onHub('mailbox', 'its namespace on the ITS is not being deleted', endingMailbox),
  onWec('name', 'its cluster is registered under this name', registeredAsAnother),
  onWec('hub', 'its cluster is registered with this ITS', registeredElsewhere),
  onWec('namespaces', 'the namespaces of its agent are not being deleted', endingAgentNamespace),
  onWec('klusterlet', 'a Klusterlet is installed', withoutKlusterlet, ['wec-namespaces']),
  onWec('containers', 'operator and agent start', failedAt('klusterlet-applied', 'container-not-starting')),
  onWec('nodes', 'operator and agent are scheduled', withoutNode),
  onWec('agent-pods', 'operator and agent have pods', failedAt('klusterlet-applied', 'no-agent', 'no-operator'), [
    'wec-namespaces',
  ]),
  onWec('announced', 'the ITS has its ManagedCluster', missingManagedCluster),
  onHub('signed', 'the ITS signs the next certificate of its agent', unsignedRenewal),
  ofCertificate('certificate', "its agent's certificate is valid", expiredCertificate),
  ofCertificate('renewal', 'its agent renews its certificate in time', expiringCertificate, ['wec-signed']),
  onHub('one-agent', 'no other agent asks for its name', asksAgain),
  onWec('hub-connection', 'its agent reaches the ITS', cannotConnect, [
    ...running,
    'wec-name',
    'wec-hub',
    'wec-announced',
    'wec-certificate',
  ]),
  onHub('api-server', 'its API server is healthy', failedAt('available', 'api-server-unhealthy')),
  onHub('reports', 'its agent reports', failedAt('available', 'agent-silent', 'clocks-differ'), [
    'wec-not-deleted',
    ...reaching,
  ]),
  onHub('registered', 'its registration is complete', anyStage, [
    ...['wec-not-deleted', 'wec-mailbox', 'wec-name', 'wec-hub', ...reaching, 'wec-announced', 'wec-signed'],
    ...['its-hub-webhook', 'its-bootstrap-rights', 'wec-one-agent', 'wec-api-server', 'wec-reports'],
  ]),
];

export const leaseRow = onHub('lease', 'its agent renews its lease', missedRenewal, ['wec-not-deleted', ...reaching]);

/** The causes without the unmet stage of the registration, which callers report themselves. */
const causes = [...registrationRows.filter(({ find }) => find !== anyStage), leaseRow];

/**
 * The cause that blocks a WEC whose registration is followed, as in `wec get` and doctor, from the last reading. Reads nothing.
 * @param its the context of its ITS
 */
export const verdictOf = ({ snapshot, reports }: JudgedReading<Registration>, its: string): Problem | undefined =>
  firstOf(causes, { ...snapshot, reports, forbidden: new Set(), its });

export function firstOf(of: readonly Row[], findings: WecFindings): Problem | undefined {
  for (const { find } of of) {
    const found = find(findings);
    if (found !== undefined) return found;
  }
  return undefined;
}
