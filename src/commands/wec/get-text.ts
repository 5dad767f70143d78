import { count } from '../../lib/engine/counts.ts';
import { formatAge } from '../../lib/engine/duration.ts';
import type { Style } from '../../lib/terminal/style.ts';
import { formatTable } from '../../lib/terminal/table.ts';
import type { ConditionView, Mailbox, PodView, StageView, WecView } from '../../lib/wecs/get/view.ts';
import { imageVersion } from '../../lib/wecs/klusterlet/image.ts';
import { hubConnectionType, readHubConnection } from '../../lib/wecs/registration/hub-connection.ts';
import { registrationStages } from '../../lib/wecs/registration/stages.ts';

/** What a section of the text is made with. */
interface Page {
  style: Style;
  /** Milliseconds since the epoch, by the cluster's clock. */
  now: number;
  /** Says also what goes without saying. */
  wide: boolean;
}

/** Everything about a WEC as lines for people: the stages first, then what belongs to the WEC, then what is wrong. */
export function describeWec(view: WecView, now: number, style: Style, wide: boolean): string[] {
  const page: Page = { style, now, wide };
  const lines = [
    headline(view, now),
    ...stageLines(view, page),
    ...section('labels', wrap(pairsOf(Object.entries(view.labels)))),
    ...section('properties', wrap(pairsOf(view.properties.map(({ key, value }) => [key, value])))),
    ...section(
      'add-ons',
      (view.mailbox?.addons ?? []).map((addon) => addonLine(addon, style)),
    ),
    ...section('requests', requestLines(view, now)),
    ...section('conditions', conditionLines(view.conditions, { ...page, failed: hasFailed(view) })),
    ...section('klusterlet', klusterletLines(view, page)),
    ...section('pods', podLines(view.wec?.pods ?? [], page)),
    ...section(
      'not seen',
      view.unseen.map(({ what, on, why }) => `${what} on ${on}: ${why}`),
    ),
    ...(view.diagnosis === null ? [] : [view.diagnosis.wrong]),
  ];
  return lines.map((line) => line.trimEnd());
}

function headline({ name, its, kubernetesVersion, created, agent }: WecView, now: number): string {
  const kind = [agent.mode, agent.version].filter((part) => part !== null).join(', ');
  const facts = [
    kubernetesVersion,
    created === null ? null : `registered ${ago(created, now)}`,
    agent.id === null ? null : `agent ${agent.id.slice(0, 8)}`,
  ].filter((fact) => fact !== null);
  return `${name} on ${its}   ${facts.join(' · ')}${kind === '' ? '' : ` (${kind})`}`;
}

/** Stages that belong together share a line while all is well. */
const stageGroups = [...Map.groupBy(registrationStages, ({ group }) => group).values()];

function stageLines(view: WecView, page: Page): string[] {
  const { style } = page;
  // Where nothing has failed, the first stage that is awaited keeps the others.
  const firstAwaited = hasFailed(view) ? undefined : view.stages.find(({ state }) => state === 'waiting');
  const lines = stageGroups.flatMap((group) => {
    const stages = view.stages.filter((stage) => group.some(({ id }) => id === stage.id));
    const met = stages.filter(({ state }) => state === 'met');
    const text = [...met.map(({ title }) => title), ...met.flatMap(({ id }) => evidenceOf(id, view, page))].join(' · ');
    const held = stages.filter((stage) => stage.state === 'failed' || stage === firstAwaited);
    return [
      ...(met.length === 0 ? [] : [`  ${style.ok} ${text}`]),
      ...held.map(({ state, title, why = '' }) => `  ${state === 'failed' ? style.bad : style.dot} ${title}   ${why}`),
    ];
  });
  const later = view.stages.filter((stage) => stage.state === 'waiting' && stage !== firstAwaited);
  return [
    ...lines,
    ...(later.length === 0 ? [] : [style.faint(`  - not yet: ${later.map(({ title }) => title).join(', ')}`)]),
    ...unseenLines(view.stages, style),
  ];
}

const hasFailed = ({ stages }: WecView): boolean => stages.some(({ state }) => state === 'failed');

/** Stages of which nothing can be said, together where the reason is the same. */
function unseenLines(stages: readonly StageView[], { faint }: Style): string[] {
  const unseen = stages.filter(({ state }) => state === 'unseen');
  return [...new Set(unseen.map(({ why }) => why))].map((why) => {
    const titles = unseen.filter((stage) => stage.why === why).map(({ title }) => title);
    return faint(`  - not seen: ${titles.join(', ')} (${why})`);
  });
}

/** What beside its title shows that a stage is met. */
function evidenceOf(stage: string, { mailbox, lease }: WecView, { now }: Page): string[] {
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

const shortMessage = (condition: ConditionView): string =>
  condition.type === hubConnectionType ? readHubConnection(condition).error.words : condition.message;

function addonLine({ name, available, reason }: Mailbox['addons'][number], { ok, bad, dot }: Style): string {
  if (available === true) return `${ok} ${name}`;
  return `${available === false ? bad : dot} ${name}   ${reason || 'has not reported'}`;
}

function requestLines({ requests }: WecView, now: number): string[] {
  return formatTable(
    [
      { header: '', value: ({ name }) => name },
      { header: '', value: ({ state }) => state },
      { header: '', value: ({ agent }) => (agent === null ? '' : `agent ${agent.slice(0, 8)}`) },
      { header: '', value: ({ created, renewal }) => `${renewal ? 'renewal ' : ''}asked ${ago(created, now)}` },
    ],
    requests,
    { headers: false },
  );
}

/** What is not as it should be on lines of its own; the rest in as few lines as possible, unless asked for. */
function conditionLines(conditions: readonly ConditionView[], page: Page & { failed: boolean }): string[] {
  const { style, now, wide, failed } = page;
  const age = ({ since }: ConditionView) => (since === null ? '' : formatAge(now - Date.parse(since)));
  const explained = conditions.filter(({ good }) => wide || !good);
  const lines = formatTable(
    [
      { header: '', value: ({ type }) => type },
      { header: '', value: age },
      {
        header: '',
        value: (condition) => `${condition.status}, ${condition.reason}: ${shortMessage(condition)}`,
      },
    ],
    explained,
    { headers: false },
  );
  const mark = ({ good }: ConditionView) => (good ? style.ok : failed ? style.bad : style.dot);
  const plain = conditions.filter((condition) => !explained.includes(condition));
  return [
    ...explained.map((condition, index) => `${mark(condition)} ${lines[index]}`),
    ...wrap(
      plain.map((condition) => `${condition.type} ${age(condition)}`),
      ' · ',
    ).map((line) => `${style.ok} ${line}`),
  ];
}

function klusterletLines(view: WecView, page: Page): string[] {
  const { name, wec, unseen } = view;
  if (wec === null) {
    const tried = unseen.some(({ what }) => what === 'everything');
    return tried ? [] : [page.style.faint(`not looked at: give the context of the cluster, ${name}=CONTEXT`)];
  }
  if (wec.klusterlet === null) return [];
  const { clusterName, mode, hub, conditions } = wec.klusterlet;
  const facts = [
    `registers ${wec.context} as ${clusterName ?? '(no name)'}`,
    mode,
    hub === null ? null : `hub ${hub}`,
    wec.operatorVersion === null ? null : `operator ${wec.operatorVersion}`,
  ].filter((fact) => fact !== null);
  return [facts.join(' · '), ...conditionLines(conditions, { ...page, failed: hasFailed(view) })];
}

function podLines(pods: readonly PodView[], { style }: Page): string[] {
  const lines = formatTable(
    [
      { header: '', value: ({ namespace, name }) => `${namespace}/${name}` },
      { header: '', value: ({ phase }) => phase },
      { header: '', value: ({ images }) => images.flatMap((image) => imageVersion(image) ?? []).join(', ') },
      {
        header: '',
        value: ({ restarts, stuck }) => stuck ?? (restarts === 0 ? '' : count(restarts, 'restart')),
      },
    ],
    pods,
    { headers: false },
  );
  return lines.map((line, index) => {
    const pod = pods[index];
    return `${pod?.ready ? style.ok : pod?.stuck ? style.bad : style.dot} ${line}`;
  });
}

const titleWidth = 10;

/** A title, and lines beside it. Nothing where there are none. */
function section(title: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => `  ${(index === 0 ? title : '').padEnd(titleWidth)}  ${line}`);
}

/** Values with spaces are quoted, and those with several lines shown in one. */
function pairsOf(entries: readonly (readonly [string, string])[]): string[] {
  return entries.map(([key, value]) => `${key}=${/[\s"]/.test(value) ? JSON.stringify(value) : value}`).sort();
}

const lineWidth = 100;

/** Words in as few lines as have room for them. */
function wrap(words: readonly string[], separator = ' '): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)}${separator}${word}`;
    if (lines.length > 0 && longer.length <= lineWidth) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

const ago = (time: string, now: number): string => `${formatAge(now - Date.parse(time))} ago`;
