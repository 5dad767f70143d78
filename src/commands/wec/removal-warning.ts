import { type Changes, withChanges } from '../../lib/core/changes.ts';
import type { Kube } from '../../lib/kube/client/client.ts';
import type { SelectedContext } from '../../lib/kube/kubeconfig/kubeconfig.ts';
import type { ManagedCluster } from '../../lib/ocm/ocm-objects.ts';
import type { Approval, FoundValues } from '../../lib/wecs/values.ts';
import type { WecChange } from '../../lib/workloads/side-effects.ts';
import { confirm } from '../common/confirm.ts';
import { openPolicies } from '../common/policies-of-its.ts';
import type { Session } from '../common/session.ts';
import { describeReleased, describeSideEffects, removalsOf, unseenPolicies } from '../common/side-effects-text.ts';

/** What the command line says about the change. */
export interface Removal {
  changes: Changes;
  options: { yes?: boolean; dryRun?: boolean; maxRemoved?: number };
}

/**
 * Judges, before anything is written, how a change of labels affects binding policies. Asks for confirmation if policies stop
 * selecting WECs, and judges again after the answer: only confirmed losses are allowed.
 * @throws StellarError `not-confirmed`, `loss-unknown`, `interrupted`
 */
export function approveRemoval(
  session: Session,
  its: { kube: Kube; context: SelectedContext },
  { changes, options: { yes, dryRun, maxRemoved } }: Removal,
): Approval<ManagedCluster> {
  const approved = new Set<string>();
  return async (found) => {
    const changed = found.flatMap((wec) => labelChange(wec, changes));
    if (changed.length === 0) return true;
    const { sideEffectsOf } = await import('../../lib/workloads/side-effects.ts');
    session.progress.waiting(its.context.name, 'reading its binding policies');
    const names = changed.map(({ name }) => name);
    const sideEffects = await sideEffectsOf(await openPolicies(session, its, names), changed);
    const details = describeReleased(sideEffects);
    const effects = approved.size === 0 ? describeSideEffects(sideEffects) : [];
    for (const line of [...effects, ...details.filter((loss) => !approved.has(loss))]) session.progress.note(line);
    const unknown = unseenPolicies(sideEffects);
    const losses = [...details, ...unknown.map(({ what }) => what)];
    if (losses.every((loss) => approved.has(loss))) return true;
    if (!dryRun)
      await confirm(session, {
        ...{ verb: 'Change', doing: 'Changing', name: Object.keys(changes).join(','), yes, details, unknown },
        removals: removalsOf(sideEffects, maxRemoved),
      });
    for (const loss of losses) approved.add(loss);
    return yes === true || dryRun === true;
  };
}

/** A change that removes labels of a WEC or gives them another value. A WEC without these labels is not affected. */
function labelChange({ name, source }: FoundValues<ManagedCluster>, changes: Changes): WecChange[] {
  const before = source?.metadata.labels ?? {};
  const isAffected = Object.entries(changes).some(
    ([key, value]) => Object.hasOwn(before, key) && before[key] !== value,
  );
  return isAffected ? [{ name, before, after: withChanges(before, changes) }] : [];
}
