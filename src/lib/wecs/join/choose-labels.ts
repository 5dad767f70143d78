import { changeWords } from '../../engine/changes.ts';
import { command } from '../../engine/command-line.ts';
import type { Run } from '../../engine/run.ts';
import type { HubAccess } from '../hub/hub-access.ts';
import { hasJoined } from '../registration/hub-evidence.ts';
import { keptLabels, labelsOf } from './kept-labels.ts';
import type { JoinOptions } from './options.ts';
import type { JoinPlan } from './preflight.ts';

/**
 * Labels and annotations are lost with a ManagedCluster: given, or asked for where somebody can be asked, or named.
 * @returns what to set instead of what was given; undefined where nobody was asked
 */
export async function chooseLabels(
  { its }: HubAccess,
  { name, wecBefore, hubBefore, lost }: JoinPlan,
  { labels, annotations = {}, askLabels }: JoinOptions,
  { progress }: Run,
): Promise<Record<string, string> | undefined> {
  if (hubBefore === undefined || hasJoined(hubBefore)) return undefined;
  const { managedCluster } = hubBefore;
  const noted = keptLabels(wecBefore.klusterlet);
  const there = managedCluster === undefined ? undefined : labelsOf(managedCluster);
  const kept = { labels: less(noted.labels, there?.labels), annotations: less(noted.annotations, there?.annotations) };
  const isNone = Object.keys({ ...kept.labels, ...kept.annotations }).length === 0;
  // After an interruption nothing but what was noted tells of the registration before.
  if (isNone && (lost === undefined || managedCluster !== undefined)) return undefined;
  const asked =
    Object.keys({ ...labels, ...annotations }).length > 0 ? undefined : await askLabels?.(name, kept.labels);
  const set = { ...labels, ...asked };
  const open = changeWords(kept.labels).filter((word) => !changeWords(set).includes(word));
  const openAnnotations = changeWords(kept.annotations).filter((word) => !changeWords(annotations).includes(word));
  if (asked === undefined && open.length > 0)
    progress.note(
      `${name}: labels that it had when it was last joined are not on ${its} any more: ${open.join(', ')}. To set them: ${command`stellarctl label ${name} ${open} --its ${its}`}`,
    );
  if (openAnnotations.length > 0)
    progress.note(`${name}: annotations that it had are not on ${its} any more: ${openAnnotations.join(', ')}`);
  if (
    asked === undefined &&
    Object.keys({ ...kept.labels, ...kept.annotations, ...labels, ...annotations }).length === 0
  )
    progress.note(
      `${name}: labels and annotations that its ManagedCluster had are lost with it, and none were noted on the cluster when it was last joined. To set labels: ${command`stellarctl label ${name} KEY=VALUE --its ${its}`}`,
    );
  return asked;
}

const less = (values: Record<string, string>, others: Record<string, string> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(values).filter(([key, value]) => others[key] !== value));
