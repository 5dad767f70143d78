import { type Changes, changesFor, parseLabelChanges, withChanges } from '../../lib/core/changes.ts';
import type { ManagedCluster } from '../../lib/ocm/ocm-objects.ts';
import type { FoundValues } from '../../lib/wecs/values.ts';
import type { Its } from '../../lib/workloads/read-policies.ts';
import type { WecChange } from '../../lib/workloads/side-effects.ts';
import { formatLabels } from '../common/labels.ts';
import { isForPeople } from '../terminal/io.ts';
import { type ValueKind, valuesCommand } from './values.ts';

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
  lossesOf: labelChanges,
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

/** A change that removes labels of a WEC or gives them another value. A WEC without these labels is not affected. */
async function labelChanges(
  its: Its,
  found: readonly FoundValues<ManagedCluster>[],
  changes: Changes,
): Promise<WecChange[]> {
  const { lostProperties } = await import('../../lib/ocm/customization.ts');
  const { readProperties } = await import('../../lib/wecs/properties.ts');
  const configMaps = Object.values(changes).includes(null) ? await readProperties(its.kube) : new Map();
  return found.flatMap(({ name, source }) => {
    const before = source?.metadata.labels ?? {};
    const own = changesFor(name, changes);
    const isAffected = Object.entries(own).some(([key, value]) => Object.hasOwn(before, key) && before[key] !== value);
    if (source === undefined || !isAffected) return [];
    const after = withChanges(before, own);
    const cluster = { ...source, metadata: { ...source.metadata, labels: after } };
    const configMap = configMaps.get(name);
    const lacks = lostProperties(name, { cluster: source, configMap }, { cluster, configMap });
    return { name, before, after, lacks };
  });
}
