import { mapConcurrently } from '../../core/concurrency.ts';
import { failureOf, StellarError } from '../../core/errors.ts';
import { command, run } from '../../core/next-step.ts';
import { errorOf, ifSeen, tryRead } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { groupOf, type KubeObject, type Resource, resources } from '../../kube/client/objects.ts';
import { originBindingLabel } from '../../ocm/model/kubestellar-names.ts';
import { isLeaving, type ManifestWork } from '../../ocm/model/manifest-works.ts';
import { describeObject, type ObjectView } from '../../ocm/model/object-ref.ts';
import { flagsOf, type Wds } from '../../spaces/choose/open-wds.ts';
import { openWec, requireIts } from '../selection/unseen.ts';
import {
  describePath,
  differencesOf,
  type FieldDifference,
  isWithin,
  leftOver,
  writerOf,
} from './compare-fields.ts';
import { type SentObject, selectorOfSent, sentObjects } from './works.ts';

/** An object of a work beside what is on its WEC. The fields are an interface: docs/output.md. */
export interface WorkloadDifference extends ObjectView {
  wec: string;
  /** The policy that sends it; null for a work whose policy is not known. */
  policy: string | null;
  /** missing: the WEC does not have it. unseen: it could not be compared. */
  state: 'equal' | 'different' | 'missing' | 'unseen';
  /** Why it could not be compared. */
  why: string | null;
  /** With createOnly, a WEC that has the object keeps its own version: a difference is no fault. */
  createOnly: boolean;
  differs: DifferingField[];
  /** What the agent has applied, and the work no longer has. */
  left: string[];
}

export interface DifferingField {
  /** As `spec.containers[web].image`. */
  field: string;
  /** As the work says; absent for a Secret. */
  work?: unknown;
  wec?: unknown;
  /** Who wrote it on the WEC last, and when; null if that is not recorded. */
  by: string | null;
  since: string | null;
}

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
  const labelSelector = selectorOfSent(wds, policy === undefined ? undefined : [policy]);
  const read = (namespace?: string) =>
    its.list<ManifestWork>(resources.manifestWorks, { labelSelector, namespace });
  const lists = wecs.length > 0 ? wecs.map(({ name }) => read(name)) : [read()];
  const works = (await Promise.all(lists)).flatMap((list) => list ?? []);
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

const wecOf = ({ work }: SentObject): string => work.metadata.namespace ?? '';

const notSent = (what: string, its: Kube, wds: Wds): StellarError =>
  new StellarError('not-found', `${what} is in no work of ${wds.name} on ${its.cluster.context}.`, {
    next: [run(command`stellarctl policy list ${flagsOf(wds)}`, 'See what is sent')],
  });

const inOrder = (a: WorkloadDifference, b: WorkloadDifference): number =>
  [describeObject(a), a.wec].join(' ') < [describeObject(b), b.wec].join(' ') ? -1 : 1;

const isAsked =
  (wanted: DiffRequest['object']) =>
  ({ object }: SentObject): boolean => {
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

const viewOfSent = ({
  apiVersion = '',
  kind = '',
  metadata: { name = '', namespace } = {},
}: SentObject['object']): ObjectView => ({
  kind,
  group: groupOf(apiVersion),
  namespace: namespace ?? null,
  name,
});

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
  };
}

/** The strategy of an agent that creates an object and then leaves it (ocm work/v1, UpdateStrategyTypeCreateOnly). */
const createOnly = 'CreateOnly';

const isCreateOnly = ({ spec }: ManifestWork, { metadata }: SentObject['object']): boolean =>
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
  const view = unseen(sent, 'its agent has not reported it yet');
  const { resource: plural, version } = sent.manifest?.resourceMeta ?? {};
  const { apiVersion = '', kind = '' } = sent.object;
  if (plural === undefined || version === undefined) return view;
  const namespaced = view.namespace !== null;
  const resource: Resource = { apiVersion, kind, plural, namespaced };
  const manifest = sent.object as KubeObject;
  try {
    const live = await kube.get(resource, view.name, { namespace: view.namespace ?? undefined });
    if (live === undefined) return { ...view, state: 'missing', why: null };
    const differs = isWithin(manifest, live)
      ? []
      : differencesOf(essence(await kube.tryApply(resource, manifest)), essence(live));
    const left = leftOver(manifest, live);
    const isDifferent = differs.length + left.length > 0;
    return {
      ...view,
      state: isDifferent ? 'different' : 'equal',
      why: null,
      differs: differs.map((each) => fieldView(each, live, kind === 'Secret')),
      left: left.map(describePath),
    };
  } catch (error) {
    return { ...view, why: failureOf(error).why };
  }
}

/** Without what a write alone changes. */
function essence({ metadata, ...rest }: KubeObject): object {
  const { managedFields: _, resourceVersion: __, generation: ___, ...kept } = metadata;
  return { ...rest, metadata: kept };
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
