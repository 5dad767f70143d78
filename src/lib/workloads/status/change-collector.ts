import { isDeepStrictEqual } from 'node:util';
import { command } from '../../engine/command-line.ts';
import { forName, type NamedResult } from '../../engine/each-name.ts';
import { StellarError } from '../../engine/errors.ts';
import { run as nextStep } from '../../engine/next-step.ts';
import type { Run } from '../../engine/run.ts';
import { resources } from '../../kube/resources.ts';
import type { OpenWds } from '../../spaces/open-wds.ts';
import {
  type CollectorSpec,
  combinators,
  defaultLimit,
  type Preset,
  presets,
  type StatusCollector,
} from './collector.ts';
import { getCollector } from './collectors.ts';

/** A collector as it is asked for on a command line; columns are NAME=EXPRESSION. */
export interface CollectorRequest {
  preset?: Preset | undefined;
  filter?: string | undefined;
  select: readonly string[];
  groupBy: readonly string[];
  /** NAME=COUNT, or NAME=TYPE:EXPRESSION. */
  combine: readonly string[];
  limit?: number | undefined;
}

/** @throws StellarError `usage` */
export function collectorSpec({ preset, filter, select, groupBy, combine, limit }: CollectorRequest): CollectorSpec {
  const own = {
    ...(filter === undefined ? {} : { filter }),
    ...(select.length === 0 ? {} : { select: select.map(readColumn) }),
    ...(groupBy.length === 0 ? {} : { groupBy: groupBy.map(readColumn) }),
    ...(combine.length === 0 ? {} : { combinedFields: combine.map(readCombination) }),
  };
  const isOwn = select.length + combine.length > 0;
  if ((preset === undefined) !== isOwn)
    throw new StellarError(
      'usage',
      'Give either --preset, or columns: --select NAME=EXPRESSION, --combine NAME=COUNT.',
    );
  if (select.length > 0 && combine.length + groupBy.length > 0)
    throw new StellarError('usage', '--select makes a row for each WEC; --combine and --group-by make one for many.');
  return { ...(preset && presets[preset]), ...own, limit: limit ?? defaultLimit };
}

function readColumn(text: string): { name: string; def: string } {
  const [, name, def] = /^([^=\s]+)=(?!=)(.+)$/s.exec(text) ?? [];
  if (name === undefined || def === undefined) throw new StellarError('usage', `"${text}" is not NAME=EXPRESSION.`);
  return { name, def };
}

function readCombination(text: string): NonNullable<CollectorSpec['combinedFields']>[number] {
  const { name, def } = readColumn(text);
  const [, word = def, subject] = /^([A-Z]+):(.+)$/s.exec(def) ?? [];
  const type = combinators.find((each) => each === word);
  if (type === undefined || (type === 'COUNT') !== (subject === undefined))
    throw new StellarError(
      'usage',
      `"${text}" is not NAME=COUNT or NAME=${combinators.slice(1).join('|')}:EXPRESSION.`,
    );
  return { name, type, ...(subject === undefined ? {} : { subject }) };
}

export interface CollectorResult extends NamedResult {
  wds: string;
  changed: boolean;
}

/** One that is there already with the same columns stays as it is. @throws StellarError `name-taken` */
export async function createCollector(
  name: string,
  spec: CollectorSpec,
  wds: OpenWds,
  run: Run,
): Promise<CollectorResult> {
  const present = await wds.kube.get<StatusCollector>(resources.statusCollectors, name);
  if (present !== undefined && !isDeepStrictEqual(withoutEmpty(present.spec), withoutEmpty(spec)))
    throw new StellarError(
      'name-taken',
      `${wds.name} already has a different StatusCollector ${name}. Nothing was written.`,
      {
        next: [nextStep(command`stellarctl collector get ${name} --wds ${wds.name}`, 'See what it does')],
      },
    );
  const result: CollectorResult = { name, wds: wds.name, changed: false };
  return forName(result, run, async () => {
    const { apiVersion, kind } = resources.statusCollectors;
    const collector: StatusCollector = { apiVersion, kind, metadata: { name }, spec };
    result.changed = present === undefined && (await wds.kube.apply(collector)) !== 'unchanged';
    if (!run.dryRun) run.progress.done(name, result.changed ? 'created' : 'already exists; nothing to do');
  });
}

const withoutEmpty = (spec: CollectorSpec = {}): object =>
  Object.fromEntries(Object.entries(spec).filter(([, value]) => !Array.isArray(value) || value.length > 0));

/** @throws StellarError `has-dependents` where policies name it, `not-found` */
export async function deleteCollector(
  name: string,
  { force }: { force?: boolean | undefined },
  wds: OpenWds,
  run: Run,
): Promise<CollectorResult> {
  const { collector, view } = await getCollector(wds, name);
  if (view.usedBy.length > 0 && !force)
    throw new StellarError(
      'has-dependents',
      `Binding policies of ${wds.name} name StatusCollector ${name}: ${view.usedBy.join(', ')}. Without it they have an error; their other collectors still report.`,
      {
        next: [nextStep(command`stellarctl collector delete ${name} --force --wds ${wds.name}`, 'Delete it anyway')],
      },
    );
  const result: CollectorResult = { name, wds: wds.name, changed: false };
  return forName(result, run, async () => {
    result.changed = await wds.kube.delete(resources.statusCollectors, name, { uid: collector.metadata.uid });
    if (!run.dryRun) run.progress.done(name, 'deleted');
  });
}
