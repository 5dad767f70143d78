import type { Remedy } from '../../engine/remedy.ts';
import type { Run } from '../../engine/run.ts';
import type { HubAccess } from '../../hub/hub-access.ts';
import { planControllerRestart, planCredentialRenewal } from '../../maintenance/renew-credentials.ts';
import type { SpaceTools } from '../../spaces/tools.ts';
import type { JoinPlan } from '../../wecs/join/preflight.ts';
import { planRenewal, planRestart, type Renewed } from '../../wecs/join/remedies.ts';

/**
 * How to fix a finding without a user's decision. `reportedByOperatorOnly`: the WEC's operator is the only evidence for the finding.
 * Both plans only read; undefined if nothing needs fixing (any more).
 * @throws StellarError for an obstacle to the fix
 */
export type Fixer =
  | {
      of: 'wec';
      reportedByOperatorOnly?: true;
      plan: (access: HubAccess, plan: JoinPlan, run: Run) => Promise<Remedy | undefined>;
    }
  | { of: 'space'; plan: (name: string, tools: SpaceTools, run: Run) => Promise<Remedy | undefined> };

const renewing = (renewed: Renewed): Fixer => ({
  of: 'wec',
  plan: (access, plan, run) => planRenewal(access, plan, renewed, run),
  // Its secrets and the ITS itself show the rest.
  ...(renewed === 'address' && { reportedByOperatorOnly: true }),
});

/** By the code of a finding. All other findings are left to the user. */
const fixers: Readonly<Record<string, Fixer>> = {
  'token-expired': renewing('credentials'),
  'token-revoked': renewing('credentials'),
  'bootstrap-secret-missing': renewing('credentials'),
  'certificate-expired': renewing('credentials'),
  'certificate-rejected': renewing('credentials'),
  'managed-cluster-missing': renewing('credentials'),
  'authority-wrong': renewing('address'),
  'authority-missing': renewing('address'),
  'authority-changed': renewing('address'),
  'certificate-of-other-name': renewing('address'),
  'hub-unresolvable': renewing('address'),
  'hub-refuses': renewing('address'),
  'hub-silent': renewing('address'),
  'hub-not-reached': renewing('address'),
  'hub-address-loopback': renewing('address'),
  'not-announced': renewing('announcement'),
  'requests-piled-up': renewing('requests'),
  'agent-silent': { of: 'wec', plan: planRestart },
  'lease-overdue': { of: 'wec', plan: planRestart },
  'external-token-expiring': { of: 'space', plan: planCredentialRenewal },
  'external-token-expired': { of: 'space', plan: planCredentialRenewal },
  'its-credentials-outdated': { of: 'space', plan: planControllerRestart },
};

export const fixerOf = (code: string): Fixer | undefined => (Object.hasOwn(fixers, code) ? fixers[code] : undefined);

export function isReportedByOperatorOnly(code: string): boolean {
  const fixer = fixerOf(code);
  return fixer?.of === 'wec' && fixer.reportedByOperatorOnly === true;
}
