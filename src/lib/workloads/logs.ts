import { changeWords } from '../core/changes.ts';
import { pause } from '../core/deadline.ts';
import { StellarError } from '../core/errors.ts';
import { command, run as nextStep } from '../core/next-step.ts';
import type { Run } from '../core/run.ts';
import { errorOf, ifSeen, tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import {
  type KubeObject,
  type ObjectMeta,
  type Pod,
  pathOf,
  resources,
} from '../kube/client/objects.ts';
import { podsOf } from '../kube/pods.ts';
import { provenWec } from '../ocm/find-wecs.ts';
import { type Binding, destinationsOf } from '../ocm/kubestellar-api.ts';
import { describeObject, isBoundBy } from '../ocm/object-ref.ts';
import { flagsOf, type OpenWds } from '../spaces/open-wds.ts';
import { requireIts } from './unseen.ts';
import { findObject, type NamedObject } from './workload.ts';

/** A line of a container's log. The fields are an interface: docs/output.md. */
export interface LogLine {
  wec: string;
  pod: string;
  container: string;
  /** RFC 3339, with nanoseconds, by the clock of the node. */
  time: string;
  line: string;
}

/** What to read of each log. */
export interface LogRequest {
  /** Only the containers of this name. */
  container: string | undefined;
  follow: boolean;
  tailLines: number | undefined;
  sinceSeconds: number | undefined;
}

/** An object of a WDS on a WEC. */
export interface LogSource {
  wec: string;
  kube: Kube;
  object: Awaited<ReturnType<typeof findObject>>;
}

/**
 * Finds the clusters whose logs are to be read.
 * @param given the WECs that the user names, with clients where a context was given; none for all that get the object
 * @returns also why some of them cannot be read
 * @throws StellarError `not-found` if no WEC gets the object
 */
export async function findSources(
  named: NamedObject,
  wds: OpenWds,
  given: readonly { name: string; kube: Kube | undefined }[],
): Promise<{ sources: LogSource[]; errors: StellarError[] }> {
  const object = await findObject(named, wds);
  const bindings = (await wds.kube.list<Binding>(resources.bindings)) ?? [];
  const sending = bindings.filter((binding) => isBoundBy(binding, object.ref));
  const all = [...new Set(sending.flatMap(destinationsOf))]
    .sort()
    .map((name) => ({ name, kube: undefined }));
  const wecs = given.length > 0 ? given : all;
  if (wecs.length === 0) {
    const what = describeObject({ kind: object.ref.kind, metadata: object.ref });
    const get = command`stellarctl workload get ${`${named.kind}/${named.name}`} -n ${named.namespace} ${flagsOf(wds)}`;
    throw new StellarError('not-found', `${what} is sent to no WEC.`, {
      next: [nextStep(get, 'See why')],
    });
  }
  const prove = async ({ name, kube }: (typeof given)[number]) =>
    provenWec(name, requireIts(wds), kube ? [kube] : await wds.contextsNamed?.(name));
  const proofs = await Promise.all(wecs.map((wec) => tryRead(() => prove(wec))));
  const sources = proofs.flatMap((proof, index) => {
    const kube = ifSeen(proof);
    return kube === undefined ? [] : [{ wec: wecs[index]?.name ?? '', kube, object }];
  });
  return { sources, errors: proofs.flatMap((proof) => errorOf(proof) ?? []) };
}

/** How often it is asked for new pods, and for a container that has started again. */
const lookAgainMs = 2000;

/**
 * Reads the logs of all pods of an object on one WEC. With `follow` also those of pods that start later, until all pods have ended or
 * the deadline.
 * @param emit gets each line as it comes
 * @throws StellarError `not-found` if the WEC does not have the object, or nothing of it runs
 */
export async function readLogs(
  source: LogSource,
  request: LogRequest,
  emit: (line: LogLine) => void,
  run: Pick<Run, 'deadline' | 'signal'>,
): Promise<void> {
  const started = new Set<string>();
  const reading: Promise<void>[] = [];
  let failure: unknown;
  const fail = (error: unknown) => {
    failure ??= error;
  };
  for (;;) {
    const pods = await podsOfObject(source);
    for (const pod of pods)
      for (const container of containersOf(pod, request)) {
        const key = `${pod.metadata.uid} ${container}`;
        if (started.has(key)) continue;
        started.add(key);
        reading.push(readContainer(source, pod, container, request, emit, run).catch(fail));
      }
    const isLast = !request.follow || (pods.length > 0 && pods.every(hasEnded));
    await (isLast ? Promise.all(reading) : pause(lookAgainMs, run.deadline, run.signal));
    if (failure !== undefined) throw failure;
    if (isLast && started.size === 0) throw nothingRuns(source, request, pods.length);
    if (isLast || run.deadline.passed) return;
  }
}

const hasEnded = ({ status }: Pod): boolean =>
  status?.phase === 'Succeeded' || status?.phase === 'Failed';

async function podsOfObject({ kube, object: { kind, ref }, wec }: LogSource): Promise<Pod[]> {
  const { name, namespace } = ref;
  type Selecting = KubeObject & { spec?: { selector?: { matchLabels?: Record<string, string> } } };
  const present = await kube.get<Selecting>(kind, name, { namespace });
  if (present === undefined)
    throw new StellarError(
      'not-found',
      `${wec} has no ${describeObject({ kind: ref.kind, metadata: ref })}.`,
    );
  if (kind.kind === 'Pod') return [present as Pod];
  const labelSelector = changeWords(present.spec?.selector?.matchLabels ?? {}).join() || undefined;
  const pods = (await kube.list<Pod>(resources.pods, { namespace, labelSelector })) ?? [];
  return labelSelector === undefined ? podsOf(name, pods) : pods;
}

/** The containers that have a log: those that have started, if it was in an earlier run. */
const containersOf = ({ status }: Pod, { container }: LogRequest): string[] =>
  [
    ...(container === undefined ? [] : (status?.initContainerStatuses ?? [])),
    ...(status?.containerStatuses ?? []),
  ]
    .filter(
      ({ state, lastState }) => state?.waiting === undefined || lastState?.terminated !== undefined,
    )
    .map(({ name }) => name)
    .filter((name) => container === undefined || name === container);

function nothingRuns(
  { wec, object: { ref } }: LogSource,
  { container = '' }: LogRequest,
  pods: number,
): StellarError {
  const what = describeObject({ kind: ref.kind, metadata: ref });
  const has =
    pods === 0 ? 'pods' : ['container', container, 'that has started'].filter(Boolean).join(' ');
  return new StellarError('not-found', `${what} has no ${has} on ${wec}.`);
}

/** In characters: a line without an end must not fill the memory. */
const longestLine = 1_000_000;

/**
 * The log of a container, line by line with its times, as it comes.
 * @param query of the API server: container, follow, tailLines, sinceSeconds, sinceTime
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
    rest = (lines.at(-1) ?? '').length > longestLine ? '' : (lines.pop() ?? '');
    yield* lines.map(timed);
  }
  if (rest !== '') yield timed(rest);
}

/** A line with its time before it. */
function timed(text: string): { time: string; line: string } {
  const end = text.indexOf(' ');
  return { time: text.slice(0, end), line: text.slice(end + 1) };
}

async function readContainer(
  { wec, kube }: LogSource,
  { metadata }: Pod,
  container: string,
  { follow, tailLines, sinceSeconds }: LogRequest,
  emit: (line: LogLine) => void,
  { deadline, signal }: Pick<Run, 'deadline' | 'signal'>,
): Promise<void> {
  let last = '';
  for (;;) {
    const text = (value: number | undefined) => value?.toString();
    const begin = last
      ? { sinceTime: last }
      : { tailLines: text(tailLines), sinceSeconds: text(sinceSeconds) };
    try {
      for await (const { time, line } of linesOf(kube, metadata, {
        container,
        follow: String(follow),
        ...begin,
      })) {
        // The API server takes whole seconds.
        if (time <= last) continue;
        last = time;
        emit({ wec, pod: metadata.name, container, time, line });
      }
    } catch (error) {
      // One that has not started, or whose connection was lost, is read later; whether the cluster answers, the list of pods shows.
      const code = error instanceof StellarError ? error.code : '';
      if (!follow || !['api-error', 'unreachable', 'not-found'].includes(code)) throw error;
    }
    if (!follow || deadline.passed) return;
    await pause(lookAgainMs, deadline, signal);
    const pod = await kube.get<Pod>(resources.pods, metadata.name, {
      namespace: metadata.namespace,
    });
    if (pod === undefined || pod.metadata.uid !== metadata.uid || hasEnded(pod)) return;
  }
}
