import { type Check, pass, skipped } from '../../engine/checks.ts';
import type { Evidence, Problem } from '../../engine/problem.ts';
import { byCondition, byField } from '../../kube/evidence.ts';
import { noWecAccess } from '../registration/checks.ts';
import { hubConnectionType } from '../registration/hub-connection.ts';
import { bootstrapRequests } from '../registration/hub-evidence.ts';
import { podProblem } from '../registration/wec-pods.ts';
import { cannotConnect } from './connection.ts';
import {
  anyStage,
  asksAnew,
  beingDeleted,
  beingDeregistered,
  type Findings,
  missedRenewal,
  registeredAsAnother,
  silentAgent,
  silentWebhook,
  stuckContainer,
  waitsForDecision,
  withoutAgent,
  worksNotApplied,
} from './diagnosis.ts';
import { expiredCertificate, forgottenByHub, registeredElsewhere, withoutKlusterlet } from './lost-registration.ts';
import { ofSeveral } from './of-several.ts';
import { byContradiction, outdatedWord } from './outdated-word.ts';

interface Row extends Omit<Check<Findings>, 'look'> {
  /** Where it shows. What shows on the WEC alone is not seen without its context. */
  side: 'hub' | 'wec';
  /** What it is judged by. */
  seenBy?: (findings: Findings) => Evidence[];
  /** @returns what is wrong, if anything is */
  find: (findings: Findings) => Problem | undefined;
}

const byKlusterlet = ({ wec }: Findings): Evidence[] =>
  wec === undefined ? [] : byCondition('Klusterlet', wec.klusterlet, hubConnectionType, wec.context);

const byAvailability = ({ hub, its }: Findings): Evidence[] =>
  byCondition('ManagedCluster', hub?.managedCluster, 'ManagedClusterConditionAvailable', its);

const byLease = ({ hub, its }: Findings): Evidence[] =>
  hub?.lease === undefined ? [] : [byField('Lease', hub.lease, 'renewTime', its, { since: hub.lease.spec?.renewTime })];

function byDeletion({ hub, its }: Findings): Evidence[] {
  const cluster = hub?.managedCluster;
  if (cluster === undefined) return [];
  const { deletionTimestamp: since, finalizers = [] } = cluster.metadata;
  const held = byField('ManagedCluster', cluster, 'deletionTimestamp', its, { status: finalizers.join(', '), since });
  return [held, ...byCondition('ManagedCluster', cluster, 'Deleting', its)];
}

const byRequests = ({ hub, its }: Findings): Evidence[] =>
  (hub === undefined ? [] : bootstrapRequests(hub)).map(({ name, state, created }) => ({
    ...{ object: `CertificateSigningRequest ${name}`, on: its, condition: 'state' },
    ...{ status: state, since: new Date(created).toISOString() },
  }));

function byPods({ wec, now }: Findings): Evidence[] {
  const stuck = podProblem(wec?.pods ?? [], now);
  if (wec === undefined || stuck === undefined) return [];
  return [byField('Pod', stuck.pod, 'containerStatuses', wec.context, { status: stuck.why })];
}

const running = ['wec-klusterlet', 'wec-containers', 'wec-agent-pods'];

type Definition = Omit<Row, 'id' | 'title'>;
const row = (id: string, title: string, definition: Definition): Row => ({ id: `wec-${id}`, title, ...definition });

/**
 * What should be so of a WEC. Causes come before what follows from them: an agent that does not start explains a lease that has
 * stopped, and not the other way round.
 */
const rows: readonly Row[] = [
  row('not-deleted', 'it is not being deleted', { side: 'hub', find: beingDeleted, seenBy: byDeletion }),
  row('not-deregistering', 'no deregistration of it is half done', { side: 'hub', find: beingDeregistered }),
  row('name', 'its cluster is registered under this name', { side: 'wec', find: registeredAsAnother }),
  row('hub', 'its cluster is registered with this ITS', { side: 'wec', find: registeredElsewhere }),
  row('klusterlet', 'a Klusterlet is installed', { side: 'wec', find: withoutKlusterlet }),
  row('containers', 'operator and agent start', { side: 'wec', find: stuckContainer, seenBy: byPods }),
  row('agent-pods', 'operator and agent have pods', { side: 'wec', find: withoutAgent }),
  row('announced', 'the ITS has its ManagedCluster', { side: 'wec', find: forgottenByHub }),
  row('certificate', "its agent's certificate is valid", { side: 'wec', find: expiredCertificate }),
  row('admission', 'the ITS admits its ManagedCluster', {
    side: 'hub',
    find: silentWebhook,
    needs: ['its-hub-webhook'],
  }),
  row('one-agent', 'no other agent asks for its name', { side: 'hub', find: asksAnew, seenBy: byRequests }),
  row('hub-connection', 'its agent reaches the ITS', {
    ...{ side: 'wec', find: cannotConnect, seenBy: byKlusterlet },
    needs: [...running, 'wec-name', 'wec-hub', 'wec-announced', 'wec-certificate', 'its-bootstrap-rights'],
  }),
  row('decision', 'no decision about it is open', { side: 'hub', find: waitsForDecision, seenBy: byRequests }),
  row('reports', 'its agent reports', {
    ...{ side: 'hub', find: silentAgent, needs: [...running, 'wec-certificate', 'wec-hub-connection'] },
    seenBy: (findings) => [...byAvailability(findings), ...byLease(findings)],
  }),
  row('registered', 'its registration is complete', {
    ...{ side: 'hub', find: anyStage },
    needs: [
      ...[
        ...running,
        'wec-not-deleted',
        'wec-name',
        'wec-hub',
        'wec-announced',
        'wec-certificate',
        'wec-admission',
        'its-bootstrap-rights',
      ],
      ...['wec-one-agent', 'wec-hub-connection', 'wec-decision', 'wec-reports'],
    ],
  }),
  row('works', 'its works are applied', {
    ...{ side: 'hub', find: worksNotApplied },
    needs: [...running, 'wec-hub-connection', 'wec-reports'],
  }),
  row('lease', 'its agent renews its lease', {
    ...{ side: 'hub', find: missedRenewal, seenBy: byLease },
    needs: [...running, 'wec-certificate', 'wec-hub-connection'],
  }),
  row('operator-word', 'what its operator says of the ITS is up to date', {
    ...{ side: 'wec', find: outdatedWord, seenBy: byContradiction },
  }),
];

/** The checks of a WEC. */
export const wecChecks: readonly Check<Findings>[] = rows.map(({ find, seenBy, side, ...check }) => ({
  ...check,
  look(findings) {
    if (side === 'wec' && findings.wec === undefined) return skipped(noWecAccess);
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
