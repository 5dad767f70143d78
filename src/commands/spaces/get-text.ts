import { command, partial, textOf } from '../../lib/core/next-step.ts';
import { versionWords } from '../../lib/ocm/versions/running-versions.ts';
import type { SpaceView } from '../../lib/spaces/get-space.ts';
import { age, section, stageLines } from '../common/lines.ts';
import type { Style } from '../terminal/style.ts';

/** Formats a space as human-readable lines. */
export function spaceLines(view: SpaceView, now: number, style: Style): string[] {
  const facts = [
    view.type,
    view.context && `context ${view.context}`,
    view.server,
    `created ${age(view.created, now)} ago`,
  ];
  return [
    `${view.name} on ${view.hosting}   ${facts.filter((fact) => fact).join(' · ')}`,
    ...stageLines(view.stages, style).map((line) => `  ${line}`),
    ...(view.its === undefined ? [] : itsRows(view, view.its)),
    ...section(
      'published',
      view.publishedServer ? [`${view.publishedServer} (kube-public/cluster-info)`] : [],
    ),
    ...section('hooks', [view.hooks.join(', ')]),
    ...section('versions', [versionWords(view.versions).join(' · ')]),
    ...(view.diagnosis === null
      ? []
      : [view.diagnosis.problem, ...view.diagnosis.log.map((line) => `    ${line}`)]),
  ];
}

function itsRows({ name, hosting }: SpaceView, its: NonNullable<SpaceView['its']>) {
  if (its.name !== null)
    return section('ITS', [its.named ? its.name : `${its.name} (the only one; it is not named)`]);
  const repair = command`stellarctl wds repair ${name} --hosting-context ${hosting} --its ITS`;
  const why = 'unknown: there is none, or there are several and it names none';
  return section('ITS', [why, textOf(partial(repair, 'Bind it to one'))]);
}
