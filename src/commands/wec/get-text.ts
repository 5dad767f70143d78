import { count } from '../../lib/core/text/words.ts';
import { imageVersion } from '../../lib/kube/image.ts';
import { hubConnectionType, readHubConnection } from '../../lib/ocm/hub/hub-connection.ts';
import { versionWords } from '../../lib/ocm/versions/running-versions.ts';
import type { WecView } from '../../lib/wecs/get.ts';
import type { Mailbox } from '../../lib/wecs/registration/mailbox.ts';
import { registrationStages } from '../../lib/wecs/registration/registration-stages.ts';
import type { ConditionView } from '../../lib/wecs/registration/wec-view.ts';
import { age, section, unknown } from '../common/lines.ts';
import { aligned } from '../terminal/output.ts';
import type { Style } from '../terminal/style.ts';

/** Formats a WEC as human-readable lines: the stages first, then what belongs to the WEC, then the problems. */
export function describeWec(view: WecView, now: number, style: Style, wide: boolean): string[] {
  const { mailbox, wec, diagnosis } = view;
  const addons = (mailbox?.addons ?? []).map((addon) => addonLine(addon, style));
  const conditionsOf = (conditions: readonly ConditionView[]) =>
    conditionLines(conditions, now, style, {
      wide,
      bad: isAnyFailed(view) ? style.bad : style.dot,
    });
  const lines = [
    headline(view, now),
    ...wecStageLines(view, now, style),
    ...section('labels', [labelWords(Object.entries(view.labels))]),
    ...section('properties', [labelWords(view.properties.map(({ key, value }) => [key, value]))]),
    ...section('add-ons', addons),
    ...section('requests', linesOfRequests(view, now)),
    ...section('conditions', conditionsOf(view.conditions)),
    ...section('klusterlet', [
      ...klusterletLines(view, style),
      ...(wec?.klusterlet ? conditionsOf(wec.klusterlet.conditions) : []),
    ]),
    ...section('pods', podLines(wec?.pods ?? [], style)),
    ...unknown(view.notVisible.map(({ what, on, why }) => ({ what: `${what} on ${on}`, why }))),
    ...(diagnosis === null ? [] : [diagnosis.problem]),
  ];
  return lines.map((line) => line.trimEnd());
}

function headline({ name, its, kubernetesVersion, created, agent }: WecView, now: number) {
  const facts = factsOf(
    kubernetesVersion,
    created && `registered ${age(created, now)} ago`,
    agent.id && `agent ${agent.id.slice(0, 8)}`,
  );
  return `${name} on ${its}   ${facts}`;
}

const factsOf = (...facts: (string | null)[]) => facts.filter((fact) => fact !== null).join(' · ');

function addonLine(
  { name, available, reason }: Mailbox['addons'][number],
  { ok, bad, dot }: Style,
) {
  if (available === true) return `${ok} ${name}`;
  return `${available === false ? bad : dot} ${name}   ${reason || 'has not reported'}`;
}

const linesOfRequests = ({ requests }: WecView, now: number) =>
  aligned(
    requests.map(({ name, state, agent, created, renewal }) => [
      name,
      state,
      agent === null ? '' : `agent ${agent.slice(0, 8)}`,
      `${renewal ? 'renewal ' : ''}asked ${age(created, now)} ago`,
    ]),
  );

/** Shows problems on separate lines, and the rest in as few lines as possible unless wide output is requested. */
function conditionLines(
  conditions: readonly ConditionView[],
  now: number,
  { ok }: Style,
  { wide, bad }: { wide: boolean; bad: string },
) {
  const ageOf = ({ since }: ConditionView) => (since === null ? '' : age(since, now));
  const explained = conditions.filter(({ healthy }) => wide || !healthy);
  // Of what is not degraded, the word would alarm.
  const plain = conditions
    .flatMap((each) =>
      !wide && each.healthy ? `${each.type.replace(/Degraded$/, '')} ${ageOf(each)}` : [],
    )
    .join(' · ');
  const rows = explained.map((condition) => {
    const { type, status, reason } = condition;
    return [type, ageOf(condition), `${status}, ${reason}: ${shortMessage(condition)}`];
  });
  return [
    ...aligned(rows).map((line, index) => `${explained[index]?.healthy ? ok : bad} ${line}`),
    plain === '' ? '' : `${ok} ${plain}`,
  ];
}

const shortMessage = (condition: ConditionView) =>
  condition.type === hubConnectionType
    ? readHubConnection(condition).error.words
    : condition.message;

function klusterletLines({ name, wec, notVisible, versions }: WecView, { faint }: Style) {
  if (wec === null) {
    const tried = notVisible.some(({ what }) => what === 'everything');
    return tried
      ? []
      : [faint(`not checked, version unknown: give the context of the cluster, ${name}=CONTEXT`)];
  }
  if (wec.klusterlet === null) return [];
  const { clusterName, mode, hub } = wec.klusterlet;
  return [
    factsOf(
      `registers ${wec.context} as ${clusterName ?? '(no name)'}`,
      mode,
      hub === null ? null : `hub ${hub}`,
      ...versionWords(versions),
    ),
  ];
}

function podLines(pods: NonNullable<WecView['wec']>['pods'], { ok, bad, dot }: Style) {
  const rows = pods.map(({ namespace, name, phase, images, waitingReason, restarts }) => [
    `${namespace}/${name}`,
    phase,
    images.flatMap((image) => imageVersion(image) ?? []).join(', '),
    waitingReason ?? (restarts === 0 ? '' : count(restarts, 'restart')),
  ]);
  return aligned(rows).map((line, index) => {
    const pod = pods[index];
    return `${pod?.ready ? ok : pod?.waitingReason ? bad : dot} ${line}`;
  });
}

/** Quotes values with spaces, and shows multi-line values on one line. */
function labelWords(entries: readonly (readonly [string, string])[]) {
  return entries
    .map(([key, value]) => `${key}=${/[\s"]/.test(value) ? JSON.stringify(value) : value}`)
    .sort()
    .join(' ');
}

/** Related stages share a line while they are all met. */
const stageGroups = [...Map.groupBy(registrationStages, ({ group }) => group).values()];

const isAnyFailed = ({ stages }: WecView) => stages.some(({ state }) => state === 'failed');

/** Formats the stages of a registration with their evidence. @param now milliseconds since the epoch, by the ITS's clock */
function wecStageLines(view: WecView, now: number, style: Style) {
  const awaited = view.stages.filter(({ state }) => state === 'waiting');
  // If nothing has failed, the first stage that is waiting blocks the others.
  const keeping = isAnyFailed(view) ? undefined : awaited[0];
  const lines = stageGroups.flatMap((group) => {
    const stages = view.stages.filter((stage) => group.some(({ id }) => id === stage.id));
    const met = stages.filter(({ state }) => state === 'met');
    const text = [
      ...met.map(({ title }) => title),
      ...met.flatMap(({ id }) => evidenceOf(id, view, now)),
    ].join(' · ');
    const blockers = stages.filter((stage) => stage.state === 'failed' || stage === keeping);
    return [
      ...(met.length === 0 ? [] : [`  ${style.ok} ${text}`]),
      ...blockers.map(
        ({ state, title, why = '' }) =>
          `  ${state === 'failed' ? style.bad : style.dot} ${title}   ${why}`,
      ),
    ];
  });
  const later = awaited.filter((stage) => stage !== keeping);
  const hidden = view.stages.filter(({ state }) => state === 'not-visible');
  const unseen = Map.groupBy(hidden, ({ why }) => why);
  const titlesOf = (stages: readonly { title: string }[]) =>
    stages.map(({ title }) => title).join(', ');
  return [
    ...lines,
    ...(later.length === 0 ? [] : [style.faint(`  - not yet: ${titlesOf(later)}`)]),
    // Group stages with the same reason.
    ...[...unseen].map(([why, stages]) =>
      style.faint(`  - not visible: ${titlesOf(stages)} (${why})`),
    ),
  ];
}

/** Returns the evidence that a stage is met, besides its title. */
function evidenceOf(stage: string, { mailbox, lease }: WecView, now: number) {
  if (stage === 'accepted' && mailbox !== null) return [describeMailbox(mailbox)];
  if (stage === 'available' && lease?.renewed)
    return [
      `lease renewed ${age(lease.renewed, now)} ago${lease.overdue ? `, due every ${lease.durationSeconds}s` : ''}`,
    ];
  return [];
}

function describeMailbox({ namespace, works }: Mailbox) {
  const sum = works.reduce((total, { count }) => total + count, 0);
  if (sum === 0) return `mailbox ${namespace} is empty`;
  const origins = works.map(({ wds, binding, addon, count, failed }) => {
    const origin =
      wds !== null ? `${wds}: ${binding ?? '?'}` : addon !== null ? `add-on ${addon}` : 'others';
    const number = works.length > 1 ? ` ${count}` : '';
    return `${origin}${number}${failed.length === 0 ? '' : `, ${failed.length} not applied`}`;
  });
  return `mailbox ${namespace} holds ${count(sum, 'work')} (${origins.join('; ')})`;
}
