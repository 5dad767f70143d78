import type { Api } from '../kube/api.ts';
import { withCondition } from '../kube/conditions.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import { Informer } from '../kube/informer.ts';
import type { Condition } from '../kube/objects.ts';
import { bindings } from '../kube/resources.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import { type Binding, objectsOf } from './bindings.ts';
import type { StatusCollectors } from './status-collectors.ts';

/**
 * The time from a change of a Binding's spec to its condition. The transport controller, which removes conditions, was seen to
 * write in between; if status is requested, before that.
 */
const reactions = { plain: 0, withStatus: 2_000 };

const pauses = { first: 200, last: 1_000 };

/**
 * Stands in for the part of KubeStellar's status controller that reports on Bindings whether their StatusCollectors exist and are
 * valid.
 */
export class BindingConditions {
  readonly #wds: Api;
  readonly #bindings: Informer<Binding>;
  readonly #collectors: StatusCollectors;
  readonly #queue: WorkQueue;

  constructor(wds: Api, collectors: StatusCollectors, log: (line: string) => void, signal: AbortSignal) {
    this.#wds = wds;
    this.#collectors = collectors;
    this.#queue = new WorkQueue(
      (name) => this.#sync(name),
      signal,
      (name, { message }) => log(`failed to update status for Binding ${name}: ${message}`),
    );
    const onChange = (binding: Binding, change: string, before?: Binding) => {
      if (change === 'deleted' || before?.metadata.generation === binding.metadata.generation) return;
      const reaction = asksForStatus(binding) ? reactions.withStatus : reactions.plain;
      this.#queue.addAfter(binding.metadata.name, reaction);
    };
    this.#bindings = new Informer<Binding>(wds, bindings, { onChange, pauses }, signal);
    collectors.onChange((name) => {
      for (const binding of this.#bindings.items.values())
        if (collectorsOf(binding).includes(name)) this.#queue.addAfter(binding.metadata.name, reactions.withStatus);
    });
  }

  async #sync(name: string): Promise<void> {
    await Promise.all([this.#bindings.synced, this.#collectors.synced]);
    const binding = this.#bindings.items.get(name);
    if (!binding || binding.metadata.deletionTimestamp) return;
    const { status = {}, metadata } = binding;
    const missing = collectorsOf(binding).filter((collector) => !this.#collectors.find(collector));
    const conditions = withCondition(status.conditions ?? [], availability(missing));
    if (conditions === status.conditions) return;
    const { resourceVersion } = metadata;
    const body = { metadata: { resourceVersion }, status: { observedGeneration: 0, ...status, conditions } };
    await this.#wds.patch(bindings, name, body, { subresource: 'status' }).catch((error) => {
      if (isConflict(error)) this.#queue.add(name);
      else if (!isNotFound(error)) throw error;
    });
  }
}

function availability(missing: readonly string[]): Condition {
  const type = 'StatusCollectorsAvailable';
  if (missing.length === 0) {
    return { type, status: 'True', reason: 'ReconcileSuccess', message: 'All StatusCollector(s) are available' };
  }
  const message = `Missing StatusCollector(s) [${missing.join(' ')}]`;
  return { type, status: 'False', reason: 'ReconcileError', message };
}

function collectorsOf({ spec }: Binding): string[] {
  return [...new Set(objectsOf(spec).flatMap((object) => object.statusCollectors ?? []))].sort();
}

function asksForStatus({ spec }: Binding): boolean {
  return objectsOf(spec).some(
    (object) => object.statusCollectors || object.wantSingletonReportedState || object.wantMultiWECReportedState,
  );
}
