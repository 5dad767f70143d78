import { parseLabelChanges } from '../../lib/ocm/labels.ts';
import type { ManagedCluster } from '../../lib/ocm/ocm-objects.ts';
import { formatLabels } from '../common/labels.ts';
import { isForPeople } from '../terminal/io.ts';
import { approveRemoval } from './removal-warning.ts';
import { type ValueKind, valuesCommand } from './values.ts';

const labels: ValueKind<ManagedCluster, object> = {
  plural: 'labels',
  text: {
    description:
      "Changes labels of WECs with kubectl's rules: key=value sets, key- removes, and a label that has another value is changed only with --overwrite. All WECs are checked before anything is written. Before binding policies stop selecting a WEC, shows which workloads would be lost, and asks.",
    examples: [
      ['stellarctl label cluster1 cluster2 location-group=edge', 'label two WECs'],
      ['stellarctl label cluster1 location-group=core --overwrite', 'change a label'],
      ['stellarctl label cluster1 location-group-', 'remove a label'],
      ['stellarctl label --all --list', 'list the labels of all WECs'],
    ],
  },
  listing: 'list the labels',
  parse: parseLabelChanges,
  open: async (hub) => (await import('../../lib/wecs/label.ts')).labelStore(hub),
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
