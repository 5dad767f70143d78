import { type Changes, withChanges } from '../../lib/engine/changes.ts';
import { command } from '../../lib/engine/command-line.ts';
import { StellarError } from '../../lib/engine/errors.ts';
import { run } from '../../lib/engine/next-step.ts';
import type { WecProperties } from '../../lib/hub/customization.ts';
import type { Kube } from '../../lib/kube/client/client.ts';
import type { SelectedContext } from '../../lib/kube/kubeconfig/kubeconfig.ts';
import { partialReader } from '../../lib/kube/partial-reader.ts';
import type { ManagedCluster } from '../../lib/model/ocm-objects.ts';
import type { Approval, FoundValues } from '../../lib/wecs/values.ts';
import type { SideEffects, WecChange } from '../../lib/workloads/policies/side-effects.ts';
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

/** The command line of the removal. */
interface Removal {
  changes: Changes;
  positional: readonly string[];
  options: {
    yes?: boolean;
    dryRun?: boolean;
    all?: boolean;
    selector?: string;
    overwrite?: boolean;
    maxRemoved?: number;
  };
}

export type ChangesOf<Source> = (found: readonly FoundValues<Source>[]) => Promise<WecChange[]>;

/**
 * Judges, before anything is written, how a change affects binding policies and templates. Asks for confirmation if policies stop
 * selecting WECs or templates break, and judges again after the answer: only confirmed losses are allowed.
 * @throws StellarError `not-confirmed`, `interrupted`
 */
export function approveRemoval<Source>(
  session: Session,
  its: { kube: Kube; context: SelectedContext },
  typed: readonly string[],
  removal: Removal,
  changesOf: ChangesOf<Source>,
): Approval<Source> {
  const approved = new Set<string>();
  return async (found) => {
    const changes = await changesOf(found);
    if (changes.length === 0) return true;
    const { sideEffectsOf } = await import('../../lib/workloads/policies/side-effects.ts');
    session.progress.waiting(its.context.name, 'reading its binding policies');
    const policies = await openPolicies(
      session,
      its,
      changes.map(({ name }) => name),
    );
    const sideEffects = await sideEffectsOf(policies, changes);
    const released = describeReleased(sideEffects);
    if (approved.size === 0)
      for (const line of [...describeSideEffects(sideEffects), ...released]) session.progress.note(line);
    const { lostProperties } = await import('../../lib/workloads/policies/broken-templates.ts');
    const isHarmless = changes.every(({ name, before, after }) => lostProperties(name, before, after).length === 0);
    const lost = isHarmless ? [] : unprovenEffects(sideEffects);
    const unknown = changes.some(({ before, after }) => before.cluster !== after.cluster)
      ? unseenPolicies(sideEffects)
      : [];
    const unsent = [...released, ...unknown.map(({ what }) => what)];
    if ([...lost, ...unsent].every((loss) => approved.has(loss))) return true;
    // What is unknown is asked about once, templates included.
    if (unknown.length > 0) for (const line of describeBroken(sideEffects.broken)) session.progress.note(line);
    else if (lost.some((loss) => !approved.has(loss))) await askBeforeLoss(session, its, typed, removal, sideEffects);
    const { yes, dryRun, maxRemoved } = removal.options;
    const keys = Object.keys(removal.changes).join(',');
    if (!dryRun && unsent.length > 0)
      await confirm(session, {
        ...{ verb: 'Change', doing: 'Changing', name: keys, yes, details: released, unknown },
        removals: removalsOf(sideEffects, maxRemoved),
      });
    for (const loss of [...lost, ...unsent]) approved.add(loss);
    return yes === true || dryRun === true;
  };
}

/** Changes that remove labels or give them another value. A WEC without these labels is not affected. */
export function labelChanges(hub: Kube, changes: Changes): ChangesOf<ManagedCluster> {
  return async (found) => {
    const { mapConcurrently, concurrentRequests } = await import('../../lib/engine/concurrency.ts');
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
    const { lostProperties } = await import('../../lib/workloads/policies/broken-templates.ts');
    return found.flatMap(({ name, source }) => {
      const { configMap } = source ?? {};
      if (source === undefined || configMap === undefined) return [];
      const after = { ...source, configMap: { ...configMap, data: withChanges(configMap.data ?? {}, changes) } };
      return lostProperties(name, source, after).length === 0 ? [] : { name, before: source, after };
    });
  };
}

/** What could not be read may need what is removed. */
const unprovenEffects = ({ broken, unread }: SideEffects): string[] => [
  ...unread.map(({ wds }) => `the templates of ${wds}`),
  ...broken.flatMap(({ policy, object, keys, wecs, others }) =>
    [...wecs, ...others].map((wec) => JSON.stringify([policy.wds, policy.name, object, keys, wec])),
  ),
];

async function askBeforeLoss(
  session: Session,
  its: { context: SelectedContext },
  typed: readonly string[],
  { changes, positional, options }: Removal,
  { broken }: SideEffects,
): Promise<void> {
  const { canAsk } = await import('../../lib/terminal/prompt.ts');
  const details = describeBroken(broken);
  const removed = Object.keys(changes).filter((key) => changes[key] === null);
  const keys = [...new Set(broken.length > 0 ? broken.flatMap((template) => template.keys) : removed)].join(',');
  const effect = broken.length > 0 ? 'breaks templates of workloads' : 'may break templates of workloads';
  const isSettled = options.yes === true || options.dryRun === true;
  if (!isSettled && !canAsk(session.io)) {
    const target = options.all ? ['--all'] : options.selector === undefined ? [] : ['-l', options.selector];
    const words = [...positional, ...target, ...(options.overwrite ? ['--overwrite'] : [])];
    throw new StellarError('not-confirmed', `Removing ${keys} ${effect}; nothing was changed.`, {
      details,
      next: [run(command`stellarctl ${typed} ${words} --yes --its ${its.context.name}`, 'To remove it anyway')],
    });
  }
  session.progress.note(`Removing ${keys} ${effect}${details.length > 0 ? ':' : '.'}`);
  for (const line of details) session.progress.note(`  ${line}`);
  await confirm(session, { verb: 'Remove', doing: 'Removing', name: keys, yes: isSettled });
}
