import { mapConcurrently } from '../../core/concurrency.ts';
import { StellarError } from '../../core/errors.ts';
import { command, flagsOf, helpOf, run } from '../../core/next-step.ts';
import { by } from '../../core/text/words.ts';
import { errorOf, ifSeen, tryRead } from '../../kube/access.ts';
import { essenceOf, type Kube } from '../../kube/client/client.ts';
import {
  groupOf,
  groupResourceOf,
  type KubeObject,
  type ObjectMeta,
  type Resource,
  resources,
} from '../../kube/client/objects.ts';
import { listIfDefined, listServed } from '../../kube/served.ts';
import { originBindingLabel } from '../../ocm/model/kubestellar-names.ts';
import { isLeaving, type ManifestWork } from '../../ocm/model/manifest-works.ts';
import { describeObject, type ObjectView } from '../../ocm/model/object-ref.ts';
import { selectorOfSent } from '../../ocm/sender.ts';
import type { Wds } from '../../spaces/choose/open-wds.ts';
import { openWec, requireIts } from '../selection/unseen.ts';
import {
  agentManager,
  describePath,
  differencesOf,
  type FieldDifference,
  isWithin,
  leftOver,
  type Path,
  writerOf,
} from './compare-fields.ts';
import { type DifferingField, isLasting, type WorkloadDifference } from './difference.ts';
import { inNamespace } from './stages-in-wds.ts';
import { appliedState, type SentObject, sentObjects, viewOfSent } from './works.ts';

/** What is to be compared. */
export interface DiffRequest {
  /** Only this object. */
  object:
    | (Pick<ObjectView, 'kind' | 'group' | 'name'> & { namespace?: string | undefined })
    | undefined;
  /** Only what this policy sends. */
  policy: string | undefined;
  /** Only these WECs, with clients where a context was given; none for all. */
  wecs: readonly { name: string; kube: Kube | undefined }[];
}

/**
 * Compares what the works of a WDS say with what is on their WECs, as far as contexts are proven to lead there. It writes nothing.
 * @returns also why WECs that the user names could not be read
 * @throws StellarError `not-found` if nothing of what is asked for is sent; what hides the ITS
 */
export async function diffWorkloads(
  wds: Wds,
  { object, policy, wecs }: DiffRequest,
): Promise<{ items: WorkloadDifference[]; errors: StellarError[] }> {
  const its = requireIts(wds);
  const labelSelector = await selectorOfSent(wds, its, policy === undefined ? undefined : [policy]);
  const read = (namespace?: string) =>
    listServed<ManifestWork>(its, resources.manifestWorks, { labelSelector, namespace });
  const lists = wecs.length > 0 ? wecs.map(({ name }) => read(name)) : [read()];
  const works = (await Promise.all(lists)).flat();
  const sent = works.flatMap(sentObjects).filter(isAsked(object));
  if (sent.length === 0 && (object ?? policy) !== undefined)
    throw notSent(object ? describeObject(object) : `Policy ${policy}`, its, wds);
  const compared = await Promise.all(
    [...Map.groupBy(sent, wecOf)].map(async ([wec, ofWec]) => {
      const given = wecs.find(({ name }) => name === wec);
      const opened = await tryRead(() => openWec(wds, wec, { given: given?.kube }));
      const kube = ifSeen(opened);
      const error = errorOf(opened);
      const items = kube
        ? await mapConcurrently(ofWec, (each) => compare(kube, each))
        : ofWec.map((each) => unseen(each, error?.message ?? ''));
      return { items, errors: given && error ? [error] : [] };
    }),
  );
  return {
    items: compared.flatMap(({ items }) => items).sort(inOrder),
    errors: compared.flatMap(({ errors }) => errors),
  };
}

const inOrder = by<WorkloadDifference>((each) => `${describeObject(each)} ${each.wec}`);

const wecOf = ({ work }: SentObject) => work.metadata.namespace ?? '';

const notSent = (what: string, its: Kube, wds: Wds) =>
  new StellarError(
    'not-found',
    `${what} is in no work of ${wds.name} on ${its.cluster.context}.`,
    run(command`stellarctl policy list ${flagsOf(wds)}`, 'See what is sent'),
  );

/** Whether an object of a work is the wanted one, and stays. */
export const isAsked =
  (wanted: DiffRequest['object']) =>
  ({ object }: SentObject) => {
    if (isLeaving(object)) return false;
    const { kind, group, namespace = null, name } = viewOfSent(object);
    return (
      wanted === undefined ||
      (wanted.kind === kind &&
        wanted.group === group &&
        (wanted.namespace ?? null) === namespace &&
        wanted.name === name)
    );
  };

function unseen(sent: SentObject, why: string): WorkloadDifference {
  const { work, object } = sent;
  return {
    ...viewOfSent(object),
    wec: wecOf(sent),
    policy: work.metadata.labels?.[originBindingLabel] ?? null,
    state: 'unseen',
    why,
    createOnly: isCreateOnly(work, object),
    differs: [],
    left: [],
    ...helpOf([]),
  };
}

/** The strategy of an agent that creates an object and then leaves it (ocm work/v1, UpdateStrategyTypeCreateOnly). */
const createOnly = 'CreateOnly';

const isCreateOnly = ({ spec }: ManifestWork, { metadata }: SentObject['object']) =>
  spec?.manifestConfigs?.some(
    ({ resourceIdentifier: of, updateStrategy }) =>
      updateStrategy?.type === createOnly &&
      of?.name === metadata?.name &&
      (of?.namespace ?? '') === (metadata?.namespace ?? ''),
  ) === true;

/**
 * Compares one object. What only seems to differ is settled by the WEC's API server, which stores nothing.
 * @param sent with the whole manifest, which WorksOfWds does not keep
 */
export async function compare(kube: Kube, sent: SentObject): Promise<WorkloadDifference> {
  const resource = resourceOf(sent);
  const { name, namespace } = viewOfSent(sent.object);
  const read = () => kube.get(resource as Resource, name, { namespace: namespace ?? undefined });
  const live = await tryRead(async () => resource && (await read()));
  return live.state === 'seen' ? compareWith(kube, sent, live.value) : unseen(sent, live.why);
}

/** The kind of an object, as its agent has found it; undefined until the agent reports it. */
function resourceOf({ object, manifest }: SentObject): Resource | undefined {
  const { resource: plural, version } = manifest?.resourceMeta ?? {};
  if (plural === undefined || version === undefined) return undefined;
  const { apiVersion = '', kind = '', metadata: { namespace } = {} } = object;
  return { apiVersion, kind, plural, namespaced: namespace !== undefined };
}

/** @param live what the WEC has; undefined if it is not there */
async function compareWith(
  kube: Kube,
  sent: SentObject,
  live: KubeObject | undefined,
): Promise<WorkloadDifference> {
  const resource = resourceOf(sent);
  if (resource === undefined) return unseen(sent, 'its agent has not reported it yet');
  const view = { ...unseen(sent, ''), why: null };
  if (live === undefined) return { ...view, state: 'missing' };
  const manifest = sent.object as KubeObject;
  const settled = await tryRead(async () =>
    isWithin(manifest, live)
      ? []
      : differencesOf(essenceOf(await kube.tryApply(resource, manifest)), essenceOf(live)),
  );
  if (settled.state !== 'seen') return unseen(sent, settled.why);
  const differs = settled.value.map((each) => fieldView(each, live, resource.kind === 'Secret'));
  const left = leftOver(manifest, live);
  const state = differs.length + left.length > 0 ? 'different' : 'equal';
  return {
    ...view,
    state,
    differs,
    left: left.map(describePath),
    ...helpOf(
      state === 'equal' || view.createOnly
        ? []
        : toCorrect(kube, resource, { manifest, live, left }),
    ),
  };
}

/**
 * What corrects on the WEC itself what the agent never does: it takes nothing away, and updates no pull secrets. A list that another
 * program has written stays.
 */
function toCorrect(
  { cluster: { context } }: Kube,
  { apiVersion, plural: resource, kind }: Resource,
  {
    manifest,
    live,
    left,
  }: {
    manifest: KubeObject & Partial<Record<(typeof pulled)[number], unknown>>;
    live: KubeObject;
    left: readonly Path[];
  },
) {
  const { metadata } = manifest;
  const of = [groupResourceOf({ group: groupOf(apiVersion), resource }), metadata.name];
  const at = ['--context', context, ...inNamespace(metadata)];
  const removed = ([verb, map]: readonly [string, string]) => {
    const keys = left.flatMap(([, part, key = '']) => (part === map ? `${key.slice(2)}-` : []));
    return keys.length === 0
      ? []
      : run(command`kubectl ${at} ${verb} ${of} ${keys}`, 'Remove what its work no longer has');
  };
  const own = pulled.filter(
    (field) =>
      manifest[field] && (writerOf(live, [`f:${field}`])?.manager ?? agentManager) === agentManager,
  );
  const patch = JSON.stringify(Object.fromEntries(own.map((field) => [field, manifest[field]])));
  return [
    ...[['label', 'f:labels'] as const, ['annotate', 'f:annotations'] as const].flatMap(removed),
    ...(kind === 'ServiceAccount' && own.length > 0
      ? [run(command`kubectl ${at} patch ${of} --patch ${patch}`, 'Write what its work has')]
      : []),
  ];
}

/** The fields of a ServiceAccount that the agent writes only when it creates one. */
const pulled = ['imagePullSecrets', 'secrets'] as const;

/** Of so many objects of a WEC, a dry run settles whether they differ. */
const mostTried = 20;

const keyOfSent = ({ namespace, name }: Pick<ObjectMeta, 'namespace' | 'name'>) =>
  `${namespace ?? ''}/${name}`;

/** The objects of a kind that are not on their WEC as they were sent, at first sight. */
async function suspectsIn(kube: Kube, ofKind: readonly SentObject[]) {
  const [first] = ofKind as [SentObject];
  const resource = resourceOf(first);
  if (resource === undefined) return [];
  const wanted = new Set(ofKind.map(({ object }) => keyOfSent(object.metadata as ObjectMeta)));
  // The items of a list do not say their kind.
  const { apiVersion, kind } = resource;
  const trim = (object: KubeObject) =>
    wanted.has(keyOfSent(object.metadata))
      ? { ...object, apiVersion, kind }
      : { metadata: { name: '' } };
  const all = (await listIfDefined(kube, resource, { trim })) ?? [];
  const found = new Map(all.map((object) => [keyOfSent(object.metadata), object]));
  return ofKind.flatMap((sent) => {
    const manifest = sent.object as KubeObject;
    const live = found.get(keyOfSent(manifest.metadata));
    const isPlain = live && isWithin(manifest, live) && leftOver(manifest, live).length === 0;
    return isPlain ? [] : { sent, live };
  });
}

/**
 * The applied objects of works that a WEC lacks or has otherwise, and that its agent does not correct: with one list of each kind, and
 * a dry run for what seems to differ.
 * @returns also how many of those that seem to differ were not compared
 */
export async function lastingDifferences(
  kube: Kube,
  works: readonly ManifestWork[],
): Promise<{ items: WorkloadDifference[]; more: number }> {
  const applied = works
    .flatMap(sentObjects)
    .filter((sent) => !isLeaving(sent.object) && appliedState(sent)?.status === 'True')
    .filter(({ work, object }) => !isCreateOnly(work, object));
  const kinds = [...Map.groupBy(applied, (sent) => JSON.stringify(resourceOf(sent))).values()];
  const suspects = await mapConcurrently(kinds, (ofKind) => suspectsIn(kube, ofKind));
  const open = suspects.flat();
  const compared = await mapConcurrently(open.slice(0, mostTried), async ({ sent, live }) => {
    const difference = await compareWith(kube, sent, live);
    const differs = difference.state === 'different' || difference.state === 'missing';
    return differs && isLasting(difference, sent.work, kube.now()) ? [difference] : [];
  });
  return { items: compared.flat(), more: Math.max(0, open.length - mostTried) };
}

function fieldView(
  { path, work, wec }: FieldDifference,
  live: KubeObject,
  isSecret: boolean,
): DifferingField {
  const { manager = null, time = null } = writerOf(live, path) ?? {};
  const values = isSecret ? {} : { work: work ?? null, wec: wec ?? null };
  return { field: describePath(path), ...values, by: manager, since: time };
}
