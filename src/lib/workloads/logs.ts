import { changeWords } from '../core/changes.ts';
import { pause, rfc3339, type Waiting } from '../core/deadline.ts';
import { failureOf, StellarError } from '../core/errors.ts';
import { advice, command, flagsOf, run as nextStep } from '../core/next-step.ts';
import { errorOf, ifSeen, tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import {
  type KubeObject,
  type LabelSelector,
  type ObjectMeta,
  type Pod,
  pathOf,
  resources,
} from '../kube/client/objects.ts';
import { podsOf } from '../kube/pods.ts';
import { listServed } from '../kube/served.ts';
import { describeObject } from '../ocm/model/object-ref.ts';
import type { Wds } from '../spaces/choose/open-wds.ts';
import { findObject, type NamedObject, wecsSentTo } from './delivery/workload.ts';
import { isEmpty, matches } from './selection/label-selectors.ts';
import { openWec } from './selection/unseen.ts';

/** A line of a container's log. The fields are an interface: docs/output.md. */
export interface LogLine {
  wec: string;
  pod: string;
  container: string;
  /** RFC 3339, with nanoseconds, by the clock of the node. */
  time: string;
  line: string;
}

/** Gets each line as it comes, with its instant: a text, in the order of time. */
type EmitLine = (line: LogLine, instant: string) => void;

/** What to read of each log. */
export interface LogRequest {
  /** Only the containers of this name. */
  container: string | undefined;
  follow: boolean;
  /** Of containers that have started again: the log of the run before. */
  previous: boolean | undefined;
  tailLines: number | undefined;
  sinceSeconds: number | undefined;
}

/** An object of a WDS on a WEC. */
export type LogSource = Awaited<ReturnType<typeof findSources>>['sources'][number];

/**
 * Finds the clusters whose logs are to be read.
 * @param given the WECs that the user names, with clients where a context was given; none for all that get the object
 * @returns also why some of them cannot be read
 * @throws StellarError `not-found` if no WEC gets the object
 */
export async function findSources(
  named: NamedObject,
  wds: Wds,
  given: readonly { name: string; kube: Kube | undefined }[],
) {
  const object = await findObject(named, wds);
  const all = await wecsSentTo(object.ref, wds);
  const wecs = given.length > 0 ? given : all.map((name) => ({ name, kube: undefined }));
  if (wecs.length === 0) {
    const what = describeObject(object.ref);
    throw new StellarError(
      'not-found',
      `${what} is sent to no WEC.`,
      nextStep(
        command`stellarctl workload get ${`${named.kind}/${named.name}`} -n ${named.namespace} ${flagsOf(wds)}`,
        'See why',
      ),
    );
  }
  const open = async ({ name, kube }: (typeof given)[number]) => ({
    wec: name,
    kube: await openWec(wds, name, { given: kube }),
    object,
  });
  const opened = await Promise.all(wecs.map((wec) => tryRead(() => open(wec))));
  return {
    sources: opened.flatMap((source) => ifSeen(source) ?? []),
    errors: opened.flatMap((source) => errorOf(source) ?? []),
  };
}

/** How often it is asked for new pods, and for a container that has started again. */
const lookAgainMs = 2000;

/**
 * Reads the logs of all pods of an object on one WEC. With `follow` also those of pods that start later, until all pods have ended or
 * the deadline.
 * @throws StellarError `not-found` if the WEC does not have the object, or nothing of it runs
 */
export async function readLogs(
  source: LogSource,
  request: LogRequest,
  emit: EmitLine,
  run: Waiting,
): Promise<void> {
  const started = new Set<string>();
  const reading: Promise<void>[] = [];
  let failure: unknown;
  const fail = (error: unknown) => {
    failure ??= error;
  };
  let length = 0;
  const emitCounted: EmitLine = (line, instant) => {
    length += line.line.length;
    if (!request.follow && length > longestLog)
      throw new StellarError(
        'api-error',
        `The logs on ${source.wec} are longer than 50 MB.`,
        advice('Read less of it: --tail LINES'),
      );
    emit(line, instant);
  };
  for (;;) {
    const pods = await podsOfObject(source);
    for (const pod of pods)
      for (const container of containersOf(pod, request)) {
        const key = `${pod.metadata.uid} ${container}`;
        if (started.has(key)) continue;
        started.add(key);
        reading.push(
          readContainer({ ...source, pod, container }, request, emitCounted, run).catch(fail),
        );
      }
    const isLast = !request.follow || (pods.length > 0 && pods.every(hasEnded));
    await (isLast ? Promise.all(reading) : pause(lookAgainMs, run));
    if (failure !== undefined) throw failure;
    if (isLast && started.size === 0) throw nothingRuns(source, request, pods.length);
    if (isLast || run.deadline.passed) return;
  }
}

const hasEnded = ({ status }: Pod) => status?.phase === 'Succeeded' || status?.phase === 'Failed';

export async function podsOfObject({
  kube,
  object: { kind, ref },
  wec,
}: LogSource): Promise<Pod[]> {
  const { name, namespace } = ref;
  type Selecting = KubeObject & { spec?: { selector?: LabelSelector } };
  const present = await kube.get<Selecting>(kind, name, { namespace });
  if (present === undefined)
    throw new StellarError('not-found', `${wec} has no ${describeObject(ref)}.`);
  if (kind.kind === 'Pod') return [present as Pod];
  const selector = present.spec?.selector ?? {};
  const labelSelector = changeWords(selector.matchLabels ?? {}).join() || undefined;
  const pods = await listServed<Pod>(kube, resources.pods, { namespace, labelSelector });
  return isEmpty(selector)
    ? podsOf(name, pods)
    : pods.filter(({ metadata }) => matches(selector, metadata.labels ?? {}));
}

/** The containers that have a log: those that have started, if it was in an earlier run. */
const containersOf = ({ status }: Pod, { container, previous }: LogRequest) =>
  [
    ...(container === undefined ? [] : (status?.initContainerStatuses ?? [])),
    ...(status?.containerStatuses ?? []),
  ]
    .filter(
      ({ state, lastState }) =>
        (!previous && state?.waiting === undefined) || lastState?.terminated !== undefined,
    )
    .map(({ name }) => name)
    .filter((name) => container === undefined || name === container);

function nothingRuns(
  { wec, object: { ref } }: LogSource,
  { container = '', previous }: LogRequest,
  pods: number,
) {
  const what = describeObject(ref);
  const has =
    pods === 0
      ? 'pods'
      : `${`container ${container}`.trim()} that has ${previous ? 'run before' : 'started'}`;
  return new StellarError('not-found', `${what} has no ${has} on ${wec}.`);
}

/** In characters: neither a line nor the logs of a WEC must fill the memory. */
const longestLine = 1_000_000;
const longestLog = 50_000_000;

/**
 * The log of a container, line by line with its times, as it comes.
 * @param query of the API server: container, follow, previous, tailLines, sinceSeconds, sinceTime
 */
async function* linesOf(
  kube: Kube,
  { namespace, name }: ObjectMeta,
  query: Record<string, string | undefined>,
) {
  const path = pathOf(resources.pods, { namespace, name, subresource: 'log' });
  let rest = '';
  for await (const piece of kube.stream(path, { timestamps: 'true', ...query })) {
    const lines = `${rest}${piece}`.split('\n');
    rest = (lines.pop() ?? '').slice(0, longestLine);
    yield* lines.map(timed);
  }
  if (rest !== '') yield timed(rest);
}

/** A line with its time before it; without, if it has none. */
function timed(text: string) {
  const [time = ''] = text.split(' ', 1);
  const instant = instantOf(time);
  return instant === ''
    ? { time: '', line: text, instant }
    : { time, line: text.slice(time.length + 1), instant };
}

/** Texts in the order of the instants that times of RFC 3339 name, in any zone; empty for what is no time. */
export function instantOf(time: string): string {
  const [, seconds, fraction = '', zone] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(time) ?? [];
  const ms = Date.parse(`${seconds}${zone}`);
  return Number.isNaN(ms) ? '' : `${rfc3339(ms)}${fraction.replace(/0+$/, '')}`;
}

type ContainerLog = LogSource & { pod: Pod; container: string };

async function readContainer(log: ContainerLog, request: LogRequest, emit: EmitLine, run: Waiting) {
  const shown = { instant: '', time: '', lines: 0 };
  for (;;) {
    try {
      await readOn(log, request, emit, shown);
    } catch (error) {
      if (request.follow && run.deadline.passed) return;
      if (!request.follow || !mayPass(error)) throw error;
    }
    if (!request.follow || run.deadline.passed) return;
    await pause(lookAgainMs, run);
    if (!(await isStillThere(log.kube, log.pod.metadata))) return;
  }
}

/** @param shown the latest instant, as it was written too, and how many lines with it have been shown */
async function readOn(
  { wec, kube, pod: { metadata }, container }: ContainerLog,
  { follow, previous, tailLines, sinceSeconds }: LogRequest,
  emit: EmitLine,
  shown: { instant: string; time: string; lines: number },
) {
  const begin = shown.time
    ? { sinceTime: shown.time }
    : { tailLines: tailLines?.toString(), sinceSeconds: sinceSeconds?.toString() };
  // The API server takes whole seconds, and so sends these once more.
  let { lines: known, instant: until } = shown;
  for await (const { time, line, instant } of linesOf(kube, metadata, {
    container,
    follow: String(follow),
    previous: previous ? 'true' : undefined,
    ...begin,
  })) {
    if (instant && (instant < until || (instant === until && known-- > 0))) continue;
    if (instant > shown.instant) Object.assign(shown, { instant, time, lines: 0 });
    if (instant === shown.instant) shown.lines += 1;
    emit(
      { wec, pod: metadata.name, container, time: time || shown.time, line },
      instant || shown.instant,
    );
  }
}

/** A container that has not started, or whose connection was lost, is read later; whether the cluster answers, the list of pods shows. */
const mayPass = (error: unknown) =>
  ['api-error', 'unreachable', 'not-found'].includes(failureOf(error).code);

async function isStillThere(kube: Kube, { name, namespace, uid }: ObjectMeta) {
  const pod = await kube.get<Pod>(resources.pods, name, { namespace });
  return pod !== undefined && pod.metadata.uid === uid && !hasEnded(pod);
}
