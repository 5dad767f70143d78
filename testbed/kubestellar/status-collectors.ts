import { isDeepStrictEqual } from 'node:util';
import type { Api } from '../kube/api.ts';
import { isNotFound } from '../kube/errors.ts';
import { Informer } from '../kube/informer.ts';
import type { KubeObject } from '../kube/objects.ts';
import { statusCollectors } from '../kube/resources.ts';
import { checkExpression } from './cel.ts';

const pauses = { first: 200, last: 1_000 };

interface NamedExpression {
  name: string;
  def: string;
}

export interface CollectorSpec {
  filter?: string;
  select?: NamedExpression[];
  groupBy?: NamedExpression[];
  combinedFields?: { name: string; type: string; subject?: string }[];
  /** Not read, by the real one either. */
  limit: number;
}

interface StatusCollector extends KubeObject {
  spec: CollectorSpec;
  status?: { observedGeneration: number; errors?: string[] };
}

/** The StatusCollectors of a WDS. Errors of one are in its status, and it then counts as absent. */
export class StatusCollectors {
  readonly synced: Promise<void>;
  readonly #all: Informer<StatusCollector>;
  readonly #listeners: ((name: string) => void)[] = [];

  constructor(wds: Api, log: (line: string) => void, signal: AbortSignal) {
    const note = (collector: StatusCollector, change: string, before?: StatusCollector) => {
      if (before?.metadata.generation === collector.metadata.generation) return;
      if (change !== 'deleted') void report(wds, collector).catch(({ message }: Error) => log(message));
      for (const listener of this.#listeners) listener(collector.metadata.name);
    };
    this.#all = new Informer<StatusCollector>(wds, statusCollectors, { onChange: note, pauses }, signal);
    this.synced = this.#all.synced;
  }

  /** A listener gets the name of each collector that is created, changed or deleted. */
  onChange(listener: (name: string) => void): void {
    this.#listeners.push(listener);
  }

  /** The spec of a collector, if it exists and is valid. */
  find(name: string): CollectorSpec | undefined {
    const { spec } = this.#all.items.get(name) ?? {};
    return spec && errorsOf(spec).length === 0 ? spec : undefined;
  }
}

/** The generation is never recorded. */
async function report(wds: Api, { metadata, spec, status }: StatusCollector): Promise<void> {
  const errors = errorsOf(spec);
  if (isDeepStrictEqual(errors, status?.errors ?? [])) return;
  const body = { status: { observedGeneration: 0, errors: errors.length > 0 ? errors : null } };
  await wds.patch(statusCollectors, metadata.name, body, { subresource: 'status' }).catch((error) => {
    if (!isNotFound(error)) throw error;
  });
}

/** The errors of a collector, in the words of kubestellar pkg/status/statuscollector.go. */
function errorsOf({ filter, select = [], groupBy = [], combinedFields = [] }: CollectorSpec): string[] {
  const errors: string[] = [];
  if (select.length > 0 && (groupBy.length > 0 || combinedFields.length > 0))
    errors.push('groupBy and combinedFields must be empty if select is not');
  if (combinedFields.length === 0 && groupBy.length > 0) errors.push('groupBy must be empty if combinedFields is');
  if (errors.length > 0) return errors;
  const check = (what: string, text: string) => {
    try {
      checkExpression(text);
    } catch (error) {
      errors.push(`${what} invalid: ${(error as Error).message}`);
    }
  };
  if (filter !== undefined) check('filter expression', filter);
  for (const { name, def } of select) check(`select expression (${name})`, def);
  for (const { name, def } of groupBy) check(`groupBy expression (${name})`, def);
  for (const { name, type, subject } of combinedFields) {
    const what = `combinedField expression (${name})`;
    if (type === 'COUNT') {
      if (subject !== undefined) errors.push(`${what} invalid: subject must be nil for ${type} type`);
    } else if (subject === undefined) errors.push(`${what} invalid: subject must be set`);
    else check(`${what} subject`, subject);
  }
  return errors;
}
