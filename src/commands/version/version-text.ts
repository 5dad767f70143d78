import type { VersionsView } from '../../lib/installation/versions.ts';
import { versionWords } from '../../lib/ocm/versions/running-versions.ts';
import { aligned } from '../terminal/output.ts';
import type { Style } from '../terminal/style.ts';

/** Formats the running versions, and whether they are compatible, as human-readable lines. @param client version of stellarctl */
export function describeVersions(
  client: string,
  view: VersionsView | undefined,
  style: Style,
): string[] {
  const clientLine = ['stellarctl', client];
  if (view === undefined) return aligned([clientLine]);
  const { hosting, itses, wdses, wecs, fits, problems } = view;
  const hooks = hosting?.hooksVersion ? [`KubeStellar hooks ${hosting.hooksVersion}`] : [];
  const rows = [
    clientLine,
    ...(hosting === null
      ? []
      : [[hosting.name, [...versionWords(hosting.versions), ...hooks].join(' · ')]]),
    ...Object.entries({ ITS: itses, WDS: wdses, WEC: wecs }).flatMap(([kind, parts]) =>
      parts.map(({ name, versions }) => [`${kind} ${name}`, versionWords(versions).join(' · ')]),
    ),
  ];
  return [...aligned(rows), ...judgement(fits, problems, style)];
}

function judgement(fits: boolean | null, problems: VersionsView['problems'], { ok, bad }: Style) {
  if (fits === null) return ['? Not everything is visible: whether they fit together is unknown.'];
  return fits
    ? [`${ok} These versions fit together.`]
    : problems.map(({ problem }) => `${bad} ${problem}`);
}
