import { type Check, pass, skipped } from '../../engine/checks.ts';
import type { JudgedReading } from '../../engine/follow.ts';
import type { Problem } from '../../engine/problem.ts';
import { noWecAccess, type Registration } from '../registration/checks.ts';
import {
  cannotConnect,
  expiredCertificate,
  missingManagedCluster,
  outdatedReport,
  registeredElsewhere,
} from '../reregister/problems.ts';
import { validityOfAgent } from '../reregister/reregister.ts';
import { expiringCertificate, unsigned } from './certificates.ts';
import {
  beingDeleted,
  beingDeregistered,
  endingAgentNamespace,
  endingMailbox,
  endingWorkloadNamespace,
  heldWorks,
} from './deletion.ts';
import {
  anyStage,
  asksAgain,
  missedRenewal,
  registeredAsAnother,
  silentAgent,
  silentWebhook,
  stuckContainer,
  unhealthyApiServer,
  waitsForDecision,
  withoutAgent,
  withoutKlusterlet,
  withoutNode,
} from './diagnosis.ts';
import type { WecFindings } from './findings.ts';
import { returningKlusterlet, unavailableAddon, worksNotApplied, worksRefused } from './mailbox.ts';
import { contextOfOtherCluster } from './read-both-sides.ts';
import { versionsApart } from './wec-versions.ts';

interface Row extends Omit<Check<WecFindings>, 'run'> {
  /** The side that shows it. What only the WEC shows is not visible without its context. */
  side: 'hub' | 'wec';
  /** Whether there is evidence to judge, if that depends on more than the side. */
  sees?: (findings: WecFindings) => boolean;
  /** @returns the problem, if there is one */
  find: (findings: WecFindings) => Problem | undefined;
}

const showsCertificate = (findings: WecFindings): boolean =>
  findings.wec !== undefined || validityOfAgent(findings) !== undefined;

const running = ['wec-namespaces', 'wec-klusterlet', 'wec-containers', 'wec-nodes', 'wec-agent-pods'];
const reaching = [...running, 'wec-certificate', 'wec-hub-connection'];

type Definition = Omit<Row, 'id' | 'title'>;
const row = (id: string, title: string, definition: Definition): Row => ({ id: `wec-${id}`, title, ...definition });
const onHub = { side: 'hub' } as const;
const onWec = { side: 'wec' } as const;

/**
 * The checks of a WEC. Causes come before their effects: an agent that does not start explains a Lease that is not renewed, not the
 * other way round.
 */
const rows: readonly Row[] = [
  row('context', 'its context leads to its own cluster', {
    ...onWec,
    find: contextOfOtherCluster,
    sees: ({ wec, otherCluster }) => wec !== undefined || otherCluster !== undefined,
  }),
  row('not-deleted', 'it is not being deleted', { ...onHub, find: beingDeleted }),
  row('not-deregistering', 'no deregistration of it is unfinished', { ...onHub, find: beingDeregistered }),
  row('mailbox', 'its namespace on the ITS is not being deleted', { ...onHub, find: endingMailbox }),
  row('name', 'its cluster is registered under this name', { ...onWec, find: registeredAsAnother }),
  row('hub', 'its cluster is registered with this ITS', { ...onWec, find: registeredElsewhere }),
  row('namespaces', 'the namespaces of its agent are not being deleted', { ...onWec, find: endingAgentNamespace }),
  row('klusterlet', 'a Klusterlet is installed', { ...onWec, find: withoutKlusterlet, needs: ['wec-namespaces'] }),
  row('containers', 'operator and agent start', { ...onWec, find: stuckContainer }),
  row('nodes', 'operator and agent are scheduled', { ...onWec, find: withoutNode }),
  row('agent-pods', 'operator and agent have pods', { ...onWec, find: withoutAgent, needs: ['wec-namespaces'] }),
  row('announced', 'the ITS has its ManagedCluster', { ...onWec, find: missingManagedCluster }),
  row('signed', 'the ITS signs the certificates of its agent', { ...onHub, find: unsigned }),
  row('certificate', "its agent's certificate is valid", {
    ...onWec,
    find: expiredCertificate,
    sees: showsCertificate,
  }),
  row('renewal', 'its agent renews its certificate in time', {
    ...onWec,
    find: expiringCertificate,
    sees: showsCertificate,
    needs: ['wec-signed'],
  }),
  row('admission', 'the ITS admits its ManagedCluster', {
    ...{ ...onHub, find: silentWebhook, needs: ['its-hub-webhook'] },
  }),
  row('one-agent', 'no other agent asks for its name', { ...onHub, find: asksAgain }),
  row('hub-connection', 'its agent reaches the ITS', {
    ...onWec,
    find: cannotConnect,
    needs: [...running, 'wec-name', 'wec-hub', 'wec-announced', 'wec-certificate'],
  }),
  row('decision', 'no decision about it is pending', {
    ...{ ...onHub, find: waitsForDecision, needs: ['wec-mailbox'] },
  }),
  row('api-server', 'its API server is healthy', { ...onHub, find: unhealthyApiServer }),
  row('reports', 'its agent reports', {
    ...{ ...onHub, find: silentAgent, needs: reaching },
  }),
  row('registered', 'its registration is complete', {
    ...onHub,
    find: anyStage,
    needs: [
      ...['wec-not-deleted', 'wec-mailbox', 'wec-name', 'wec-hub', ...reaching, 'wec-announced', 'wec-signed'],
      ...['wec-admission', 'its-bootstrap-rights', 'wec-one-agent', 'wec-decision', 'wec-api-server', 'wec-reports'],
    ],
  }),
  row('work-rights', 'its agent may apply what its works contain', {
    ...onWec,
    find: worksRefused,
    needs: ['wec-klusterlet'],
  }),
  row('workload-namespaces', 'the namespaces of its workloads are not being deleted', {
    ...onWec,
    find: endingWorkloadNamespace,
    sees: ({ wec, endingOfWorks }) => wec !== undefined && endingOfWorks !== undefined,
  }),
  row('works-deleted', 'no work of it is blocked in its deletion', {
    ...{ ...onHub, find: heldWorks, needs: ['wec-not-deleted'] },
  }),
  row('works', 'its works are applied', {
    ...onHub,
    find: worksNotApplied,
    needs: [...running, 'wec-hub-connection', 'wec-reports', 'wec-work-rights', 'wec-workload-namespaces'],
  }),
  row('addons', 'its add-ons are available', {
    ...onHub,
    find: unavailableAddon,
    needs: [...reaching, 'wec-not-deleted', 'wec-api-server', 'wec-reports', 'wec-works'],
  }),
  row('lease', 'its agent renews its lease', {
    ...onHub,
    find: missedRenewal,
    needs: ['wec-not-deleted', ...reaching],
  }),
  row('versions', 'its agent has the version of the ITS', { ...onWec, find: versionsApart }),
  row('klusterlet-source', 'no work contains its Klusterlet', { ...onHub, find: returningKlusterlet }),
  row('operator-word', 'what its operator reports about the ITS is up to date', { ...onWec, find: outdatedReport }),
];

/** Why nothing of the cluster itself is visible. */
function whyNotVisible({ otherCluster, context, wec }: WecFindings): string {
  if (wec !== undefined) return `${wec.context} does not let you read it`;
  if (otherCluster !== undefined) return `the context ${otherCluster.context} leads to another cluster`;
  return context === undefined ? noWecAccess : `${context} does not answer`;
}

/** The checks of a WEC. */
export const wecChecks: readonly Check<WecFindings>[] = rows.map(({ find, side, sees, ...check }) => ({
  ...check,
  run(findings) {
    const isSeen = sees?.(findings) ?? (side === 'hub' || findings.wec !== undefined);
    if (!isSeen) return skipped(whyNotVisible(findings));
    const found = find(findings);
    if (found === undefined) return pass();
    return { status: found.severity ?? 'fail', problem: found };
  },
}));

/** Describes in one sentence what keeps a WEC from being available and working, with the next commands. */
export const diagnose = (findings: WecFindings): Problem | undefined => firstOf(rows, findings);

/** The causes without the unmet stage of the registration, which callers report themselves, and without what is not a cause. */
const causes = rows.filter(({ find }) => find !== anyStage && find !== outdatedReport);

/**
 * The cause that blocks a WEC whose registration is followed, as in `wec get` and doctor, from the last reading. Reads nothing.
 * @param its the context of its ITS
 */
export const verdictOf = ({ snapshot, reports }: JudgedReading<Registration>, its: string): Problem | undefined =>
  firstOf(causes, { ...snapshot, reports, mailbox: null, forbidden: new Set(), its });

function firstOf(of: readonly Row[], findings: WecFindings): Problem | undefined {
  for (const { find } of of) {
    const found = find(findings);
    if (found !== undefined) return found;
  }
  return undefined;
}
