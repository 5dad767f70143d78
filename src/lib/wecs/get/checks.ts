import { type Check, pass, skipped } from '../../engine/checks.ts';
import type { Problem } from '../../engine/problem.ts';
import { noWecAccess } from '../registration/checks.ts';
import {
  anyStage,
  asksAnew,
  beingDeleted,
  beingDeregistered,
  cannotConnect,
  type Findings,
  forgottenByHub,
  missedRenewal,
  registeredAsAnother,
  silentAgent,
  silentWebhook,
  stuckContainer,
  waitsForDecision,
  withoutAgent,
  withoutKlusterlet,
  worksNotApplied,
} from './diagnosis.ts';

interface Row {
  id: string;
  title: string;
  /** Where it shows. What shows on the WEC alone is not seen without its context. */
  side: 'hub' | 'wec';
  needs?: readonly string[];
  /** @returns what is wrong, if anything is */
  find: (findings: Findings) => Problem | undefined;
}

const running = ['wec-klusterlet', 'wec-containers', 'wec-agent-pods'];

/**
 * What should be so of a WEC. Causes come before what follows from them: an agent that does not start explains a lease that has
 * stopped, and not the other way round.
 */
const rows: readonly Row[] = [
  { id: 'wec-not-deleted', title: 'it is not being deleted', side: 'hub', find: beingDeleted },
  { id: 'wec-not-deregistering', title: 'no deregistration of it is half done', side: 'hub', find: beingDeregistered },
  { id: 'wec-name', title: 'its cluster is registered under this name', side: 'wec', find: registeredAsAnother },
  { id: 'wec-klusterlet', title: 'a Klusterlet is installed', side: 'wec', find: withoutKlusterlet },
  { id: 'wec-containers', title: 'operator and agent start', side: 'wec', find: stuckContainer },
  { id: 'wec-agent-pods', title: 'operator and agent have pods', side: 'wec', find: withoutAgent },
  { id: 'wec-announced', title: 'the ITS has its ManagedCluster', side: 'wec', find: forgottenByHub },
  {
    ...{ id: 'wec-admission', title: 'the ITS admits its ManagedCluster', side: 'hub', find: silentWebhook },
    needs: ['its-hub-webhook'],
  },
  { id: 'wec-one-agent', title: 'no other agent asks for its name', side: 'hub', find: asksAnew },
  {
    ...{ id: 'wec-hub-connection', title: 'its agent reaches the ITS', side: 'wec', find: cannotConnect },
    needs: [...running, 'wec-name', 'wec-announced'],
  },
  { id: 'wec-decision', title: 'no decision about it is open', side: 'hub', find: waitsForDecision },
  {
    ...{ id: 'wec-reports', title: 'its agent reports', side: 'hub', find: silentAgent },
    needs: [...running, 'wec-hub-connection'],
  },
  {
    ...{ id: 'wec-registered', title: 'its registration is complete', side: 'hub', find: anyStage },
    needs: [
      ...running,
      ...['wec-not-deleted', 'wec-name', 'wec-announced', 'wec-admission'],
      ...['wec-one-agent', 'wec-hub-connection', 'wec-decision', 'wec-reports'],
    ],
  },
  {
    ...{ id: 'wec-works', title: 'its works are applied', side: 'hub', find: worksNotApplied },
    needs: [...running, 'wec-hub-connection', 'wec-reports'],
  },
  {
    ...{ id: 'wec-lease', title: 'its agent renews its lease', side: 'hub', find: missedRenewal },
    needs: [...running, 'wec-hub-connection'],
  },
];

/** The checks of a WEC. */
export const wecChecks = (findings: Findings): Check[] =>
  rows.map(({ find, side, ...check }) => ({
    ...check,
    look() {
      if (side === 'wec' && findings.wec === undefined) return skipped(noWecAccess);
      const found = find(findings);
      return found === undefined ? pass() : { status: found.severity ?? 'fail', problem: found };
    },
  }));

/** Says in one sentence what keeps a WEC from being available and working, and what to type. */
export function diagnose(findings: Findings): Problem | undefined {
  for (const { find } of rows) {
    const found = find(findings);
    if (found !== undefined) return found;
  }
  return undefined;
}
