import { type Changes, changesFor, parseLabelChanges, withChanges } from '../../lib/core/changes.ts';
import type { ManagedCluster } from '../../lib/ocm/ocm-objects.ts';
import type { Approval, FoundValues } from '../../lib/wecs/values.ts';
import type { Its } from '../../lib/workloads/read-policies.ts';
import type { SideEffects, WecChange } from '../../lib/workloads/side-effects.ts';
import { confirming } from '../common/confirm.ts';
import { formatLabels } from '../common/labels.ts';
import { openPolicies } from '../common/policies-of-its.ts';
import type { Session } from '../common/session.ts';
import { describeReleased, describeSideEffects, removalsOf, unseenPolicies } from '../common/side-effects-text.ts';
import { isForPeople } from '../terminal/io.ts';
import { type Options, type ValueKind, valuesCommand } from './values.ts';

const labels: ValueKind<ManagedCluster, object> = {
  plural: 'labels',
  text: {
    description:
      "Changes labels of WECs with kubectl's rules: key=value sets, key- removes, and a label that has another value is changed only with --overwrite. In a value, {name} is the name of the WEC. All WECs are checked before anything is written. Before binding policies stop selecting a WEC, shows which workloads would be lost, and asks.",
    examples: [
      ['stellarctl label cluster1 cluster2 location-group=edge', 'label two WECs'],
      ['stellarctl label cluster1 location-group=core --overwrite', 'change a label'],
      ['stellarctl label cluster1 location-group-', 'remove a label'],
      ["stellarctl label --all 'name={name}'", 'give each WEC its own name as a label'],
      ['stellarctl label --all --list', 'list the labels of all WECs'],
    ],
  },
  listing: 'list the labels',
  parse: parseLabelChanges,
  open: async (hub) => (await import('../../lib/wecs/values.ts')).labelStore(hub),
  changesFor,
  approve: approveRemoval,
  async show(session, listed) {
    if (!isForPeople(session.output)) return;
    const found = listed.filter(({ error }) => error === undefined);
    await session.print({}, found, [
      { header: 'NAME', value: ({ name }) => name },
      { header: 'LABELS', value: ({ values }) => formatLabels(values) },
    ]);
  },
};

export const definition = valuesCommand(labels);

/**
 * Judges, before anything is written, how a change of labels affects binding policies. Asks for confirmation if policies stop
 * selecting WECs, and judges again after the answer: only confirmed losses are allowed.
 * @throws StellarError `not-confirmed`, `loss-unknown`, `interrupted`
 */
function approveRemoval(
  session: Session,
  its: Its,
  changes: Changes,
  { yes, maxRemoved }: Options,
): Approval<ManagedCluster> {
  const ask = confirming<SideEffects>(session, {
    show: (effects) => session.noteLines([...describeSideEffects(effects), ...describeReleased(effects)]),
    confirmations(effects) {
      const [details, unknown] = [describeReleased(effects), unseenPolicies(effects)];
      if (details.length + unknown.length === 0) return [];
      const asked = { verb: 'Change', doing: 'Changing', name: Object.keys(changes).join(','), yes };
      return [{ ...asked, oneWec: changed.length === 1, details, unknown, removals: removalsOf(effects, maxRemoved) }];
    },
  });
  let changed: WecChange[] = [];
  let approved: string[] | undefined;
  return async (found) => {
    changed = found.flatMap((wec) => labelChange(wec, changesFor(wec.name, changes)));
    if (changed.length === 0) return true;
    const { sideEffectsOf } = await import('../../lib/workloads/side-effects.ts');
    session.progress.waiting(its.context.name, 'reading its binding policies');
    const names = changed.map(({ name }) => name);
    const effects = sideEffectsOf(await openPolicies(session, its, names), changed);
    const losses = [
      ...describeReleased(effects, Number.POSITIVE_INFINITY),
      ...unseenPolicies(effects).map(({ what }) => what),
    ];
    if (losses.length > 0 && !approved) await (await import('../../lib/wecs/values.ts')).requireToLabel(its.kube);
    const more = approved && losses.filter((loss) => !approved?.includes(loss));
    if (more?.length === 0) return true;
    approved = losses;
    return !(await ask(effects, more ?? [])) || yes === true;
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
