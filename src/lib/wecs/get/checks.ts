import { type Check, pass, skipped } from '../../engine/checks.ts';
import type { Evidence, Problem } from '../../engine/problem.ts';
import { noWecAccess } from '../registration/checks.ts';
import { expiredCertificate, expiringCertificate, unsigned, validityOfAgent } from './certificates.ts';
import { unhealthyApiServer, versionsApart } from './cluster-checks.ts';
import { cannotConnect } from './connection.ts';
import { beingDeleted, beingDeregistered, endingAgentNamespace, endingMailbox } from './deletion.ts';
import {
  anyStage,
  asksAnew,
  type Findings,
  missedRenewal,
  registeredAsAnother,
  silentAgent,
  silentWebhook,
  stuckContainer,
  waitsForDecision,
  withoutAgent,
  withoutNode,
} from './diagnosis.ts';
import { forgottenByHub, registeredElsewhere, withoutKlusterlet } from './lost-registration.ts';
import { returningKlusterlet, unavailableAddon, worksNotApplied, worksRefused } from './mailbox-checks.ts';
import { ofSeveral } from './of-several.ts';
import { byContradiction, outdatedWord } from './outdated-word.ts';
import {
  byAddon,
  byAgentNamespace,
  byAvailability,
  byCertificate,
  byDeletion,
  byKlusterlet,
  byKlusterletWork,
  byLease,
  byMailbox,
  byNodelessPod,
  byPods,
  byRecordedUid,
  byRequests,
  byUnsignedRequest,
} from './seen-by.ts';
import { strangerAtContext } from './stranger.ts';

interface Row extends Omit<Check<Findings>, 'look'> {
  /** Where it shows. What shows on the WEC alone is not seen without its context. */
  side: 'hub' | 'wec';
  /** Whether there is anything to judge by, where that is not the side alone. */
  sees?: (findings: Findings) => boolean;
  /** What it is judged by. */
  seenBy?: (findings: Findings) => Evidence[];
  /** @returns what is wrong, if anything is */
  find: (findings: Findings) => Problem | undefined;
}

const showsCertificate = (findings: Findings): boolean =>
  findings.wec !== undefined || validityOfAgent(findings) !== undefined;

const running = ['wec-namespaces', 'wec-klusterlet', 'wec-containers', 'wec-nodes', 'wec-agent-pods'];
const reaching = [...running, 'wec-certificate', 'wec-hub-connection'];

type Definition = Omit<Row, 'id' | 'title'>;
const row = (id: string, title: string, definition: Definition): Row => ({ id: `wec-${id}`, title, ...definition });
const onHub = { side: 'hub' } as const;
const onWec = { side: 'wec' } as const;

/**
 * What should be so of a WEC. Causes come before what follows from them: an agent that does not start explains a lease that has
 * stopped, and not the other way round.
 */
const rows: readonly Row[] = [
  row('context', 'its context leads to its own cluster', {
    ...{ ...onWec, find: strangerAtContext, seenBy: byRecordedUid },
    sees: ({ wec, stranger }) => wec !== undefined || stranger !== undefined,
  }),
  row('not-deleted', 'it is not being deleted', { ...onHub, find: beingDeleted, seenBy: byDeletion }),
  row('not-deregistering', 'no deregistration of it is unfinished', { ...onHub, find: beingDeregistered }),
  row('mailbox', 'its namespace on the ITS is not being deleted', {
    ...{ ...onHub, find: endingMailbox, seenBy: byMailbox },
  }),
  row('name', 'its cluster is registered under this name', { ...onWec, find: registeredAsAnother }),
  row('hub', 'its cluster is registered with this ITS', { ...onWec, find: registeredElsewhere }),
  row('namespaces', 'the namespaces of its agent are not being deleted', {
    ...{ ...onWec, find: endingAgentNamespace, seenBy: byAgentNamespace },
  }),
  row('klusterlet', 'a Klusterlet is installed', { ...onWec, find: withoutKlusterlet, needs: ['wec-namespaces'] }),
  row('containers', 'operator and agent start', { ...onWec, find: stuckContainer, seenBy: byPods }),
  row('nodes', 'operator and agent are scheduled', { ...onWec, find: withoutNode, seenBy: byNodelessPod }),
  row('agent-pods', 'operator and agent have pods', { ...onWec, find: withoutAgent, needs: ['wec-namespaces'] }),
  row('announced', 'the ITS has its ManagedCluster', { ...onWec, find: forgottenByHub }),
  row('signed', 'the ITS signs the certificates of its agent', {
    ...{ ...onHub, find: unsigned, seenBy: byUnsignedRequest },
  }),
  row('certificate', "its agent's certificate is valid", {
    ...{ ...onWec, find: expiredCertificate, seenBy: byCertificate, sees: showsCertificate },
  }),
  row('renewal', 'its agent renews its certificate in time', {
    ...{ ...onWec, find: expiringCertificate, seenBy: byCertificate, sees: showsCertificate },
    needs: ['wec-signed'],
  }),
  row('admission', 'the ITS admits its ManagedCluster', {
    ...{ ...onHub, find: silentWebhook, needs: ['its-hub-webhook'] },
  }),
  row('one-agent', 'no other agent asks for its name', { ...onHub, find: asksAnew, seenBy: byRequests }),
  row('hub-connection', 'its agent reaches the ITS', {
    ...{ ...onWec, find: cannotConnect, seenBy: byKlusterlet },
    needs: [...running, 'wec-name', 'wec-hub', 'wec-announced', 'wec-certificate'],
  }),
  row('decision', 'no decision about it is pending', {
    ...{ ...onHub, find: waitsForDecision, seenBy: byRequests, needs: ['wec-mailbox'] },
  }),
  row('api-server', 'its API server is healthy', { ...onHub, find: unhealthyApiServer, seenBy: byAvailability }),
  row('reports', 'its agent reports', {
    ...{ ...onHub, find: silentAgent, needs: reaching },
    seenBy: (findings) => [...byAvailability(findings), ...byLease(findings)],
  }),
  row('registered', 'its registration is complete', {
    ...{ ...onHub, find: anyStage },
    needs: [
      ...['wec-not-deleted', 'wec-mailbox', 'wec-name', 'wec-hub', ...reaching, 'wec-announced', 'wec-signed'],
      ...['wec-admission', 'its-bootstrap-rights', 'wec-one-agent', 'wec-decision', 'wec-api-server', 'wec-reports'],
    ],
  }),
  row('work-rights', 'its agent may apply what its works contain', {
    ...{ ...onWec, find: worksRefused },
    needs: ['wec-klusterlet'],
  }),
  row('works', 'its works are applied', {
    ...{ ...onHub, find: worksNotApplied },
    needs: [...running, 'wec-hub-connection', 'wec-reports', 'wec-work-rights'],
  }),
  row('addons', 'its add-ons are available', {
    ...{ ...onHub, find: unavailableAddon, seenBy: byAddon },
    needs: [...reaching, 'wec-not-deleted', 'wec-api-server', 'wec-reports', 'wec-works'],
  }),
  row('lease', 'its agent renews its lease', {
    ...{ ...onHub, find: missedRenewal, seenBy: byLease },
    needs: ['wec-not-deleted', ...reaching],
  }),
  row('versions', 'its agent has the version of the ITS', { ...onWec, find: versionsApart }),
  row('klusterlet-source', 'no work contains its Klusterlet', {
    ...{ ...onHub, find: returningKlusterlet, seenBy: byKlusterletWork },
  }),
  row('operator-word', 'what its operator reports about the ITS is up to date', {
    ...{ ...onWec, find: outdatedWord, seenBy: byContradiction },
  }),
];

/** Why nothing of the cluster itself is seen. */
function blindness({ stranger, context }: Findings): string {
  if (stranger !== undefined) return `the context ${stranger.context} leads to another cluster`;
  return context === undefined ? noWecAccess : `${context} does not answer`;
}

/** The checks of a WEC. */
export const wecChecks: readonly Check<Findings>[] = rows.map(({ find, seenBy, side, sees, ...check }) => ({
  ...check,
  look(findings) {
    const isSeen = sees?.(findings) ?? (side === 'hub' || findings.wec !== undefined);
    if (!isSeen) return skipped(blindness(findings));
    const found = find(findings);
    if (found === undefined) return pass();
    const problem = { ...found, evidence: seenBy?.(findings), ofSeveral: ofSeveral[found.code] };
    return { status: found.severity ?? 'fail', problem };
  },
}));

/** Says in one sentence what keeps a WEC from being available and working, and what to type. */
export const diagnose = (findings: Findings): Problem | undefined => firstOf(rows, findings);

/** The same without the stage of its registration that is not met, for who says that anyway, and without what is no cause. */
export const causeOf = (findings: Findings): Problem | undefined =>
  firstOf(
    rows.filter(({ find }) => find !== anyStage && find !== outdatedWord),
    findings,
  );

function firstOf(of: readonly Row[], findings: Findings): Problem | undefined {
  for (const { find } of of) {
    const found = find(findings);
    if (found !== undefined) return found;
  }
  return undefined;
}
