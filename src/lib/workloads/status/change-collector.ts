import { StellarError } from '../../core/errors.ts';
import { command, flagsOf, run as nextStep } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import type { Foreseen } from '../../kube/client/foreseen.ts';
import { namesOf, resources } from '../../kube/client/objects.ts';
import { listIfDefined, listServed } from '../../kube/served.ts';
import type { BindingPolicy } from '../../ocm/model/kubestellar-names.ts';
import type { Wds } from '../../spaces/choose/open-wds.ts';
import { deleteReported, getReported, type ObjectResult } from '../selection/create-object.ts';
import {
  type CollectorSpec,
  combinators,
  defaultLimit,
  type Preset,
  presets,
  type StatusCollector,
} from './returned-status.ts';

/** A collector as requested on the command line. Columns are NAME=EXPRESSION. */
export interface CollectorRequest {
  preset?: Preset | undefined;
  filter?: string | undefined;
  column: readonly string[];
  groupBy: readonly string[];
  /** NAME=COUNT, or NAME=TYPE:EXPRESSION. */
  combine: readonly string[];
  limit?: number | undefined;
}

/** @throws StellarError `usage`, also for an invalid expression */
export function collectorSpec({
  preset,
  filter,
  column,
  groupBy,
  combine,
  limit,
}: CollectorRequest): CollectorSpec {
  if ((preset === undefined) !== column.length + combine.length > 0)
    throw wrong(
      'Give either --preset, or columns: --column NAME=EXPRESSION, --combine NAME=COUNT.',
    );
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0))
    throw wrong('--limit is not a number of rows, from 1 on.');
  const spec: CollectorSpec = {
    ...(preset && presets[preset]),
    ...(filter === undefined ? {} : { filter }),
    ...(column.length === 0 ? {} : { select: column.map(splitColumn) }),
    ...(groupBy.length === 0 ? {} : { groupBy: groupBy.map(splitColumn) }),
    ...(combine.length === 0 ? {} : { combinedFields: combine.map(readCombination) }),
    limit: limit ?? defaultLimit,
  };
  if (spec.select !== undefined && (spec.combinedFields ?? spec.groupBy) !== undefined)
    throw wrong('--column makes a row for each WEC; --combine and --group-by make one for many.');
  return spec;
}

const wrong = (message: string) => new StellarError('usage', message);

function splitColumn(text: string) {
  const [, name, def] = /^([^=\s]+)=(?!=)(.+)$/s.exec(text) ?? [];
  if (name === undefined || def === undefined) throw wrong(`"${text}" is not NAME=EXPRESSION.`);
  return { name, def };
}

function readCombination(text: string): NonNullable<CollectorSpec['combinedFields']>[number] {
  const { name, def } = splitColumn(text);
  const [, word = def, subject] = /^([A-Z]+):(.+)$/s.exec(def) ?? [];
  const type = combinators.find((each) => each === word);
  if (type === undefined || (type === 'COUNT') !== (subject === undefined))
    throw wrong(
      `"${text}" is not NAME=COUNT or NAME=${combinators.slice(1).join('|')}:EXPRESSION.`,
    );
  return { name, type, ...(subject === undefined ? {} : { subject }) };
}

/** @throws StellarError `has-dependents` if policies name it, `not-found` */
export async function deleteCollector(
  name: string,
  { force }: { force?: boolean | undefined },
  wds: Wds,
  seen: Foreseen,
  run: Run,
): Promise<ObjectResult> {
  const { collector, view } = await getCollector(wds, name);
  if (view.usedBy.length === 0 || force)
    return deleteReported('collector', collector, wds, seen, run);
  throw new StellarError(
    'has-dependents',
    `Binding policies of ${wds.name} name StatusCollector ${name}: ${view.usedBy.join(', ')}. Without it they have an error; their other collectors still report.`,
    nextStep(
      command`stellarctl collector delete ${name} --force ${flagsOf(wds)}`,
      'Delete it anyway',
    ),
  );
}

/** Returns the command that makes a policy request what a collector returns. */
export const toUseCollector = (name: string, wds: Wds) =>
  command`stellarctl policy create NAME --clusters SELECTOR --status ${name} ${flagsOf(wds)}`;

/** A StatusCollector, and the policies that use it. The fields are an interface: docs/output.md. */
export type CollectorView = ReturnType<typeof collectorView>;

/** Lists the StatusCollectors of a WDS. */
export async function listCollectors({ kube }: Wds): Promise<CollectorView[]> {
  const [collectors = [], policies] = await Promise.all([
    listIfDefined<StatusCollector>(kube, resources.statusCollectors),
    listServed<BindingPolicy>(kube, resources.bindingPolicies),
  ]);
  return collectors.map((collector) => collectorView(collector, policies));
}

/** @throws StellarError `not-found` */
export async function getCollector(wds: Wds, name: string) {
  const [collector, policies] = await Promise.all([
    getReported<StatusCollector>('collector', name, wds),
    listServed<BindingPolicy>(wds.kube, resources.bindingPolicies),
  ]);
  return { collector, view: collectorView(collector, policies) };
}

function collectorView(
  { metadata: { name }, spec = {}, status }: StatusCollector,
  policies: readonly BindingPolicy[],
) {
  const { select = [], groupBy = [], combinedFields = [] } = spec;
  const columns = [...groupBy, ...select, ...combinedFields].map((column) => column.name);
  const users = policies.filter((policy) =>
    policy.spec?.downsync?.some(({ statusCollectors }) => statusCollectors?.includes(name)),
  );
  return {
    name,
    /** Columns of the tables that it produces. */
    columns,
    /** Names of policies. */
    usedBy: namesOf(users).sort(),
    /** Expressions that KubeStellar cannot evaluate. */
    errors: status?.errors ?? [],
    spec,
  };
}
