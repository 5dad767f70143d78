import { count } from '../../lib/engine/counts.ts';
import type { Style } from '../../lib/terminal/style.ts';
import type { Mailbox, WecView } from '../../lib/wecs/get/view.ts';
import { registrationStages } from '../../lib/wecs/registration/stages.ts';
import { ago } from '../common/lines.ts';

/** Related stages share a line while they are all met. */
const stageGroups = [...Map.groupBy(registrationStages, ({ group }) => group).values()];

export const hasFailed = ({ stages }: WecView): boolean => stages.some(({ state }) => state === 'failed');

/** Formats the stages of a registration with their evidence. @param now milliseconds since the epoch, by the ITS's clock */
export function stageLines(view: WecView, now: number, style: Style): string[] {
  const awaited = view.stages.filter(({ state }) => state === 'waiting');
  // If nothing has failed, the first stage that is waiting blocks the others.
  const keeping = hasFailed(view) ? undefined : awaited[0];
  const lines = stageGroups.flatMap((group) => {
    const stages = view.stages.filter((stage) => group.some(({ id }) => id === stage.id));
    const met = stages.filter(({ state }) => state === 'met');
    const text = [...met.map(({ title }) => title), ...met.flatMap(({ id }) => evidenceOf(id, view, now))].join(' · ');
    const held = stages.filter((stage) => stage.state === 'failed' || stage === keeping);
    return [
      ...(met.length === 0 ? [] : [`  ${style.ok} ${text}`]),
      ...held.map(({ state, title, why = '' }) => `  ${state === 'failed' ? style.bad : style.dot} ${title}   ${why}`),
    ];
  });
  const later = awaited.filter((stage) => stage !== keeping);
  const unseen = Map.groupBy(
    view.stages.filter(({ state }) => state === 'not-visible'),
    ({ why }) => why,
  );
  const titlesOf = (stages: readonly { title: string }[]) => stages.map(({ title }) => title).join(', ');
  return [
    ...lines,
    ...(later.length === 0 ? [] : [style.faint(`  - not yet: ${titlesOf(later)}`)]),
    // Group stages with the same reason.
    ...[...unseen].map(([why, stages]) => style.faint(`  - not visible: ${titlesOf(stages)} (${why})`)),
  ];
}

/** Returns the evidence that a stage is met, besides its title. */
function evidenceOf(stage: string, { mailbox, lease }: WecView, now: number): string[] {
  if (stage === 'accepted' && mailbox !== null) return [describeMailbox(mailbox)];
  if (stage === 'available' && lease?.renewed)
    return [`lease renewed ${ago(lease.renewed, now)}${lease.overdue ? `, due every ${lease.durationSeconds}s` : ''}`];
  return [];
}

function describeMailbox({ namespace, works }: Mailbox): string {
  const sum = works.reduce((total, { count }) => total + count, 0);
  if (sum === 0) return `mailbox ${namespace} is empty`;
  const origins = works.map(({ wds, binding, addon, count, failed }) => {
    const origin = wds !== null ? `${wds}: ${binding ?? '?'}` : addon !== null ? `add-on ${addon}` : 'others';
    const number = works.length > 1 ? ` ${count}` : '';
    return `${origin}${number}${failed.length === 0 ? '' : `, ${failed.length} not applied`}`;
  });
  return `mailbox ${namespace} holds ${count(sum, 'work')} (${origins.join('; ')})`;
}
