import { type Changes, withChanges } from '../../lib/core/changes.ts';
import type { Kube } from '../../lib/kube/client/client.ts';
import type { SelectedContext } from '../../lib/kube/kubeconfig/kubeconfig.ts';
import { partialReader } from '../../lib/kube/partial-reader.ts';
import type { WecProperties } from '../../lib/ocm/customization.ts';
import type { ManagedCluster } from '../../lib/ocm/ocm-objects.ts';
import type { Approval, FoundValues } from '../../lib/wecs/values.ts';
import type { WecChange } from '../../lib/workloads/side-effects.ts';
import { confirm } from '../common/confirm.ts';
import { openPolicies } from '../common/policies-of-its.ts';
import type { Session } from '../common/session.ts';
import {
  describeBroken,
  describeReleased,
  describeSideEffects,
  removalsOf,
  unseenPolicies,
} from '../common/side-effects-text.ts';

/** What the command line says about the change. */
interface Removal {
  changes: Changes;
  options: { yes?: boolean; dryRun?: boolean; maxRemoved?: number };
}

export type ChangesOf<Source> = (found: readonly FoundValues<Source>[]) => Promise<WecChange[]>;

/**
 * Judges, before anything is written, how a change affects binding policies and templates. Asks for confirmation if policies stop
 * selecting WECs or templates break, and judges again after the answer: only confirmed losses are allowed.
 * @throws StellarError `not-confirmed`, `loss-unknown`, `interrupted`
 */
export function approveRemoval<Source>(
  session: Session,
  its: { kube: Kube; context: SelectedContext },
  { changes, options: { yes, dryRun, maxRemoved } }: Removal,
  changesOf: ChangesOf<Source>,
): Approval<Source> {
  const approved = new Set<string>();
  return async (found) => {
    const changed = await changesOf(found);
    if (changed.length === 0) return true;
    const { sideEffectsOf } = await import('../../lib/workloads/side-effects.ts');
    session.progress.waiting(its.context.name, 'reading its binding policies');
    const names = changed.map(({ name }) => name);
    const sideEffects = await sideEffectsOf(await openPolicies(session, its, names), changed);
    const details = [...describeBroken(sideEffects.broken), ...describeReleased(sideEffects)];
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

/** Changes that remove labels or give them another value. A WEC without these labels is not affected. */
export function labelChanges(hub: Kube, changes: Changes): ChangesOf<ManagedCluster> {
  return async (found) => {
    const { mapConcurrently, concurrentRequests } = await import('../../lib/core/concurrency.ts');
    const { getPropertiesOf } = await import('../../lib/wecs/properties.ts');
    const concerned = found.flatMap(({ source }) => (source && replaces(changes, source) ? source : []));
    // For a user who is not allowed to read the ConfigMaps, templates that a ConfigMap may keep valid count as broken.
    const reader = partialReader(hub);
    return mapConcurrently(concerned, concurrentRequests, async (cluster) => {
      const { name, labels = {} } = cluster.metadata;
      const configMap = await getPropertiesOf(reader, name);
      const after = { ...cluster, metadata: { ...cluster.metadata, labels: withChanges(labels, changes) } };
      return { name, before: { cluster, configMap }, after: { cluster: after, configMap } };
    });
  };
}

const replaces = (changes: Changes, { metadata: { labels = {} } }: ManagedCluster): boolean =>
  Object.entries(changes).some(([key, value]) => Object.hasOwn(labels, key) && labels[key] !== value);

/** Changes that remove properties from a ConfigMap that no other source has. */
export function propertyChanges(changes: Changes): ChangesOf<WecProperties> {
  return async (found) => {
    const { lostProperties } = await import('../../lib/workloads/broken-templates.ts');
    return found.flatMap(({ name, source }) => {
      const { configMap } = source ?? {};
      if (source === undefined || configMap === undefined) return [];
      const after = { ...source, configMap: { ...configMap, data: withChanges(configMap.data ?? {}, changes) } };
      return lostProperties(name, source, after).length === 0 ? [] : { name, before: source, after };
    });
  };
}
