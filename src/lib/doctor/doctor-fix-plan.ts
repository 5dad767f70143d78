import { type Finding, isNotable } from '../core/checks.ts';
import { failureOf, type StellarError } from '../core/errors.ts';
import { type Progress, silentProgress } from '../core/progress.ts';
import { keyOf, type Remedy, type Write } from '../core/remedy.ts';
import type { Run } from '../core/run.ts';
import { accessHub, type HubAccess } from '../ocm/hub-access.ts';
import type { SpaceTools } from '../spaces/space-tools.ts';
import type { JoinPlan } from '../wecs/join-plan.ts';
import { outdatedBy } from '../wecs/reregister-causes.ts';
import { planFor, planReregistration, planRestart } from '../wecs/reregister-fix.ts';
import { planControllerRestart, planCredentialRenewal } from '../workloads/renew-credentials.ts';
import type { Examined, Its, Subject } from './subject.ts';

/** The planned fix of one finding. */
export interface PlannedFix {
  subject: Subject;
  /** The id of the check. */
  check: string;
  code: string;
  writes: readonly Write[];
  /** Why there are none. */
  refused?: StellarError;
  apply: Remedy['apply'];
}

/** Plans fixes for findings: reads only. A fix that several findings require is planned once. */
export class FixPlanner {
  readonly #spaces: SpaceTools | undefined;
  readonly #run: Run;
  readonly #hubs = new Map<string, Promise<HubAccess>>();
  /** One for all findings of a WEC in one reading. */
  readonly #joinPlans = new WeakMap<Examined, Promise<JoinPlan>>();

  constructor(spaces: SpaceTools | undefined, run: Run) {
    this.#spaces = spaces;
    // The progress of a registration is not a result here.
    this.#run = { ...run, progress: { ...silentProgress, ...notingSteps(run.progress) } };
  }

  async plan(examined: readonly Examined[]): Promise<PlannedFix[]> {
    const planned = await Promise.all(
      examined.flatMap((each) => each.findings.map((finding) => this.#planOne(each, finding))),
    );
    const open = planned.filter((fix) => fix !== undefined);
    const known = new Set<string>();
    return open.filter(({ writes, refused }) => {
      const keys = writes.map(keyOf);
      const isNew = refused !== undefined || keys.some((key) => !known.has(key));
      for (const key of keys) known.add(key);
      return isNew;
    });
  }

  /** @returns undefined if there is nothing to fix, or if its prerequisites were not given */
  async #planOne(examined: Examined, finding: Finding): Promise<PlannedFix | undefined> {
    if (!isNotable(finding)) return undefined;
    const { code } = finding.problem;
    const about = { subject: examined.subject, check: finding.id, code };
    try {
      const remedy = await this.#remedyOf(code, examined);
      return remedy && { ...about, ...remedy };
    } catch (error) {
      return { ...about, writes: [], refused: failureOf(error), apply: async () => {} };
    }
  }

  async #remedyOf(code: string, examined: Examined): Promise<Remedy | undefined> {
    const fixer = fixerOf(code);
    const { subject, reached } = examined;
    if (fixer?.of === 'space') return this.#spaces && fixer.plan(subject.name, this.#spaces, this.#run);
    if (fixer === undefined || reached === undefined) return undefined;
    const access = await this.#accessOf(reached.its);
    const read = this.#joinPlans.get(examined) ?? planFor(access, { name: subject.name, kube: reached.wec }, this.#run);
    this.#joinPlans.set(examined, read);
    return fixer.plan(access, await read, this.#run);
  }

  /** Once for all WECs of an ITS. */
  #accessOf({ kube, context }: Its): Promise<HubAccess> {
    const known = this.#hubs.get(context.name) ?? accessHub(kube, context, undefined);
    this.#hubs.set(context.name, known);
    return known;
  }
}

function notingSteps(progress: Progress): Partial<Progress> {
  return {
    note: (text) => progress.note(text),
    changed: (subject, text) => progress.changed(subject, text),
    reached: (subject, text, took) => progress.reached(subject, text, took),
    waiting: (subject, text) => progress.waiting(subject, text),
  };
}

/** Whether a finding could be fixed if the context of its WEC were given. */
export const lacksContext = ({ subject, reached, findings }: Examined): boolean =>
  subject.kind === 'wec' &&
  reached === undefined &&
  findings.some((finding) => isNotable(finding) && fixerOf(finding.problem.code) !== undefined);

/**
 * How to fix a finding without a user's decision. Both plans only read; undefined if nothing needs fixing.
 * @throws StellarError for an obstacle to the fix
 */
type Fixer =
  | { of: 'wec'; plan: (access: HubAccess, plan: JoinPlan, run: Run) => Promise<Remedy | undefined> }
  | { of: 'space'; plan: (name: string, tools: SpaceTools, run: Run) => Promise<Remedy | undefined> };

/** Problems of spaces that need no decision, by their codes. */
const ofSpaces: Readonly<Record<string, Fixer>> = {
  'external-token-expiring': { of: 'space', plan: planCredentialRenewal },
  'external-token-expired': { of: 'space', plan: planCredentialRenewal },
  'its-credentials-outdated': { of: 'space', plan: planControllerRestart },
};

/** @returns undefined if a user decides */
function fixerOf(code: string): Fixer | undefined {
  if (Object.hasOwn(ofSpaces, code)) return ofSpaces[code];
  // A restart may resolve these.
  if (code === 'agent-silent' || code === 'lease-overdue') return { of: 'wec', plan: planRestart };
  const outdated = outdatedBy(code);
  if (outdated === undefined) return undefined;
  return { of: 'wec', plan: (access, plan, run) => planReregistration(access, plan, outdated, run) };
}
