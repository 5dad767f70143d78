import { command } from '../../lib/engine/command-line.ts';
import { formatAge } from '../../lib/engine/duration.ts';
import type { StageView } from '../../lib/engine/stages.ts';
import type { SpaceView } from '../../lib/spaces/get-space.ts';
import type { SpaceRole } from '../../lib/spaces/names.ts';
import { isForPeople } from '../../lib/terminal/io.ts';
import type { Style } from '../../lib/terminal/style.ts';
import { versionWords } from '../../lib/versions/version-words.ts';
import type { Definition } from '../shell/define.ts';
import { type HostingOptions, hostingContextOption } from '../shell/options.ts';
import { section, wrap } from '../views/lines.ts';

/** `its get` and `wds get`. */
export function spaceGetCommand(role: SpaceRole): Definition<HostingOptions> {
  const noun = role.toUpperCase();
  return {
    description: `Shows the stages of the ${noun}, on the hosting cluster and inside it, with the evidence for each. The last lines say what is wrong, with the log of what failed, and the command that fixes it.`,
    timeout: '30s',
    examples: [
      [command`stellarctl ${role} get ${role}1`, 'its stages'],
      [command`stellarctl ${role} get ${role}1 -o json`, 'the same for scripts'],
    ],
    arguments: [['<name>', `the name of the ${noun}`]],
    options: [hostingContextOption()],
    async run(session, _options, [name = '']) {
      const { getSpace } = await import('../../lib/spaces/get-space.ts');
      const tools = await session.spaceTools();
      const view = await getSpace(name, role, tools);
      await session.show(view, (style) => describeSpace(view, tools.hosting.now(), style));
      if (isForPeople(session.output) && view.diagnosis?.next) session.next(view.diagnosis.next);
    },
  };
}

/** Formats a space as human-readable lines. */
function describeSpace(view: SpaceView, now: number, style: Style): string[] {
  const facts = [
    view.type,
    view.context && `context ${view.context}`,
    view.server,
    `created ${formatAge(now - Date.parse(view.created))} ago`,
  ];
  return [
    `${view.name} on ${view.hosting}   ${facts.filter((fact) => fact).join(' · ')}`,
    ...stageLines(view.stages, style),
    ...(view.its === undefined ? [] : [row('ITS', itsText(view))]),
    ...(view.publishedServer ? [row('published', `${view.publishedServer} (kube-public/cluster-info)`)] : []),
    row('hooks', view.hooks.join(', ')),
    ...section('versions', wrap(versionWords(view.versions), ' · ')),
    ...(view.diagnosis === null ? [] : diagnosisLines(view.diagnosis)),
  ];
}

function diagnosisLines({ problem, log, hint, next }: NonNullable<SpaceView['diagnosis']>): string[] {
  // A hint that is a complete command is printed last, as in every command.
  return [problem, ...log.map((line) => `    ${line}`), ...(hint !== null && next === null ? [hint] : [])];
}

/** Shows a reason that several stages share once. */
function stageLines(stages: readonly StageView[], style: Style): string[] {
  const shown = new Set<string>();
  return stages.map(({ state, title, why }) => {
    const symbol = { met: style.ok, failed: style.bad, waiting: style.dot, 'not-visible': '?' }[state];
    const isNews = why !== undefined && !shown.has(why);
    if (isNews) shown.add(why);
    return `  ${symbol} ${title}${isNews ? `   ${why}` : ''}`;
  });
}

function itsText({ its, name, hosting }: SpaceView): string {
  const repair = command`stellarctl wds repair ${name} --hosting-context ${hosting} --its ITS`;
  if (!its?.name) return `unknown: there is none, or there are several and it names none. Bind it to one: ${repair}`;
  return its.named ? its.name : `${its.name} (the only one; it is not named)`;
}

const row = (head: string, text: string): string => `  ${head.padEnd(10)}  ${text}`;
