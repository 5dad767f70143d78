import {
  type Changes,
  changesFor,
  formatLabels,
  parseLabelChanges,
} from '../../lib/core/changes.ts';
import type { Its } from '../../lib/ocm/hub/its.ts';
import type { ManagedCluster } from '../../lib/ocm/model/ocm-objects.ts';
import type { FoundValues } from '../../lib/wecs/values/values.ts';
import { type ValueKind, valuesCommand } from './values.ts';

const labelKind: ValueKind<ManagedCluster> = {
  plural: 'labels',
  text: {
    description:
      "Changes labels of WECs with kubectl's rules: key=value sets, key- removes, and a label that has another value is changed only with --overwrite. In a value, {name} is the name of the WEC. All WECs are checked before anything is written. Before binding policies stop selecting a WEC, shows which workloads would be lost, asks, and lets KubeStellar try it while nothing is sent.",
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
  open: async (hub) => (await import('../../lib/wecs/values/values.ts')).labelStore(hub),
  changesFor,
  effectsOf: effectsOfLabels,
  async show(session, listed) {
    if (!session.isForPeople) return;
    const found = listed.filter(({ error }) => error === undefined);
    await session.print({}, found, {
      NAME: ({ name }) => name,
      LABELS: ({ values }) => formatLabels(values),
    });
  },
};

export const definition = valuesCommand(labelKind);

/** Policies may select by a label, and by its absence. */
async function effectsOfLabels(
  its: Its,
  found: readonly FoundValues<ManagedCluster>[],
  changes: Changes,
) {
  const { labelChanges } = await import('../../lib/wecs/values/label-changes.ts');
  return labelChanges(
    its.kube,
    found.flatMap(({ name, source: cluster }) =>
      cluster ? { name, cluster, labels: changesFor(name, changes) } : [],
    ),
  );
}
