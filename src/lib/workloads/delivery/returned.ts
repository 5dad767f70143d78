import { changeWords, labelValueProblem } from '../../core/changes.ts';
import { type Access, ifSeen, through, tryRead, whyUnseen } from '../../kube/access.ts';
import { byName, conditionOf, type KubeObject, resources } from '../../kube/client/objects.ts';
import { listIfDefined } from '../../kube/served.ts';
import { combinedStatusLabels } from '../../ocm/model/kubestellar-names.ts';
import type { ObjectView } from '../../ocm/model/object-ref.ts';
import type { ManagedCluster } from '../../ocm/model/ocm-objects.ts';
import type { Wds } from '../../spaces/choose/open-wds.ts';
import { readInventory, unseenOf, type ViewWithErrors } from '../selection/unseen.ts';
import { statusKey, type WorkStatus } from '../status/returned-status.ts';
import { listSent } from './delivery.ts';
import { noSuchObject } from './stages-in-wds.ts';
import { findObject, type NamedObject, wecsSentTo } from './workload.ts';

interface ReturnedStatus {
  wec: string;
  status: Readonly<Record<string, unknown>> | null;
  /** Since when the WEC has not been available, RFC 3339, so that its status may be old; null if it is, or that is unknown. */
  unavailableSince: string | null;
}

/** The statuses that WECs returned for an object. The fields are an interface: docs/output.md. */
export interface ReturnedView extends ObjectView {
  wds: string;
  /** Null if the ITS cannot be read; `why` shows the reason. */
  wecs: ReturnedStatus[] | null;
  why: string | null;
  combined: CombinedTable[];
}

/** Namespace of the CombinedStatuses of cluster-scoped objects (kubestellar v0.30.0, pkg/status). */
const reportNamespace = 'kubestellar-report';

type Ref = Awaited<ReturnType<typeof findObject>>['ref'];

/** @throws StellarError `not-found` for a kind that the WDS does not serve */
export async function getReturned(
  named: NamedObject,
  wds: Wds,
): Promise<ViewWithErrors<ReturnedView>> {
  const found = await findObject(named, wds);
  const { group, namespace, name, kind } = found.ref;
  const sentTo = await wecsSentTo(found.ref, wds);
  const [object, statuses, combined, inventory] = await Promise.all([
    wds.kube.get(found.kind, name, { namespace }),
    statusesOf(found.ref, wds),
    tryRead(() => combinedOf(found.ref, wds)),
    readInventory(wds),
  ]);
  const visible = ifSeen(statuses);
  const clusters = byName(ifSeen(inventory) ?? []);
  const wecs =
    visible && new Map(visible.map(({ metadata, status }) => [metadata.namespace ?? '', status]));
  const names = [...new Set([...(wecs?.keys() ?? []), ...sentTo])].sort();
  const unseen = [
    ...unseenOf('statuses of WECs', statuses),
    ...unseenOf('combined statuses', combined),
  ];
  return {
    view: {
      name,
      namespace: namespace ?? null,
      kind,
      group,
      wds: wds.name,
      wecs: wecs
        ? names.map((wec) => ({
            wec,
            status: wecs.get(wec) ?? null,
            unavailableSince: unavailableSince(clusters.get(wec)),
          }))
        : null,
      why: whyUnseen(statuses) ?? null,
      combined: (ifSeen(combined) ?? []).flatMap((each) =>
        tablesOf(each, each.metadata.labels?.[combinedStatusLabels.policy] ?? ''),
      ),
    },
    errors: [
      ...unseen.map(({ error }) => error),
      ...(object === undefined ? [noSuchObject(found.ref, wds)] : []),
    ],
  };
}

function unavailableSince(cluster: ManagedCluster | undefined): string | null {
  const { status, lastTransitionTime = null } =
    conditionOf(cluster, 'ManagedClusterConditionAvailable') ?? {};
  return status === 'True' ? null : lastTransitionTime;
}

/** Finds CombinedStatuses by label: an object whose name is no valid label value has none. */
async function combinedOf(
  { group, resource, namespace, name }: Ref,
  { kube }: Wds,
): Promise<CombinedStatus[]> {
  if (labelValueProblem(name) !== undefined) return [];
  const labels = { [combinedStatusLabels.group]: group, [combinedStatusLabels.resource]: resource };
  const all = await listIfDefined<CombinedStatus>(kube, resources.combinedStatuses, {
    namespace: namespace ?? reportNamespace,
    labelSelector: changeWords({ ...labels, [combinedStatusLabels.name]: name }).join(),
  });
  return all ?? [];
}

/** Finds WorkStatuses by object: two policies that send an object to one WEC share its WorkStatus. */
async function statusesOf(ref: Ref, wds: Wds): Promise<Access<WorkStatus[]>> {
  const key = statusKey('', ref);
  const isOf = ({ spec }: WorkStatus) => statusKey('', spec?.sourceRef ?? {}) === key;
  // Keep nothing of the many others.
  const trim = (object: KubeObject) => (isOf(object) ? object : { metadata: { name: '' } });
  const all = await listSent<WorkStatus>(wds, resources.workStatuses, trim);
  return through(all, (statuses) => statuses.filter(isOf));
}

/** control.kubestellar.io/v1alpha1 CombinedStatus: the results of StatusCollectors for one object. */
interface CombinedStatus extends KubeObject {
  results?: { name: string; columnNames: string[]; rows?: { columns: ReturnedColumn[] }[] }[];
}

interface ReturnedColumn {
  type: string;
  string?: string;
  /** A number, as text. */
  float?: string;
  bool?: boolean;
  object?: unknown;
  array?: unknown;
}

type Cell = string | number | boolean | null | object;

/** The result of a collector. The fields are an interface: docs/output.md. */
export interface CombinedTable {
  policy: string;
  collector: string;
  columns: string[];
  rows: Cell[][];
}

const tablesOf = ({ results = [] }: CombinedStatus, policy: string): CombinedTable[] =>
  results.map(({ name, columnNames, rows = [] }) => ({
    policy,
    collector: name,
    columns: columnNames,
    rows: rows.map(({ columns }) => columns.map(cellOf)),
  }));

function cellOf({ type, string, float, bool, object, array }: ReturnedColumn): Cell {
  if (type === 'Number' && float !== undefined) return Number(float);
  return string ?? bool ?? object ?? array ?? null;
}
