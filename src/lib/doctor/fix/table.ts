import type { Remedy } from '../../engine/remedy.ts';
import type { Run } from '../../engine/run.ts';
import type { HubAccess } from '../../hub/hub-access.ts';
import { planControllerRestart, planCredentialRenewal } from '../../maintenance/renew-credentials.ts';
import type { SpaceTools } from '../../spaces/tools.ts';
import type { JoinPlan } from '../../wecs/join/plan.ts';
import { outdatedBy } from '../../wecs/reregister/causes.ts';
import { planReregistration, planRestart } from '../../wecs/reregister/fix.ts';

/**
 * How to fix a finding without a user's decision. Both plans only read; undefined if nothing needs fixing.
 * @throws StellarError for an obstacle to the fix
 */
export type Fixer =
  | { of: 'wec'; plan: (access: HubAccess, plan: JoinPlan, run: Run) => Promise<Remedy | undefined> }
  | { of: 'space'; plan: (name: string, tools: SpaceTools, run: Run) => Promise<Remedy | undefined> };

/** Problems of spaces that need no decision, by their codes. */
const ofSpaces: Readonly<Record<string, Fixer>> = {
  'external-token-expiring': { of: 'space', plan: planCredentialRenewal },
  'external-token-expired': { of: 'space', plan: planCredentialRenewal },
  'its-credentials-outdated': { of: 'space', plan: planControllerRestart },
};

/** @returns undefined if a user decides */
export function fixerOf(code: string): Fixer | undefined {
  if (Object.hasOwn(ofSpaces, code)) return ofSpaces[code];
  // A restart may resolve these.
  if (code === 'agent-silent' || code === 'lease-overdue') return { of: 'wec', plan: planRestart };
  const outdated = outdatedBy(code);
  if (outdated === undefined) return undefined;
  return { of: 'wec', plan: (access, plan, run) => planReregistration(access, plan, outdated, run) };
}
