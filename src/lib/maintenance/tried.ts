import { isDeepStrictEqual } from 'node:util';
import { noForecast } from '../forecast/read-forecast.ts';
import { unlessStatus } from '../kube/client/errors.ts';
import { type ForeseenKube, foreseen } from '../kube/client/foreseen.ts';
import { type KubeObject, resources, typeMeta } from '../kube/client/objects.ts';
import { retryConflicts } from '../kube/writes.ts';
import type { PolicySpec } from '../ocm/model/kubestellar-names.ts';
import type { AppliedValues, TriedFields, TriedObject } from '../spaces/space/controllers-run.ts';
import type { Labels } from '../workloads/selection/label-selectors.ts';
import { requireIts } from '../workloads/selection/unseen.ts';
import type { RestartPlan } from './restart-plan.ts';

/** Marks a WEC that is registered only to be tried. */
const marker = 'stellarctl.kubestellar.io/rehearsal';

/** The labels of a WEC that change. @param before undefined for a WEC that is not registered @param applied see TriedObject */
export function triedLabels(
  name: string,
  before: Labels | undefined,
  after: Labels,
  applied?: AppliedValues,
): TriedObject {
  const of = { kind: 'WEC', name, wds: null } as const;
  if (before === undefined) return { ...of, before: null, after: { ...after, [marker]: 'true' } };
  return { ...of, ...changedFields(before, after), ...(applied && { applied }) };
}

/** Whether anything of it is to be written. */
export const isTried = ({ before, after }: TriedObject) =>
  before === null || Object.keys(after).length > 0;

/** The fields of the `spec` of a policy that change. @param before undefined if there is none */
export const triedPolicy = (
  name: string,
  wds: string,
  before: PolicySpec | undefined,
  after: PolicySpec,
): TriedObject => ({
  ...{ kind: 'policy', name, wds },
  ...(before === undefined
    ? { before: null, after: { ...after } }
    : changedFields({ ...before }, { ...after })),
});

function changedFields(before: TriedFields, after: TriedFields) {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) => !isDeepStrictEqual(before[key], after[key]),
  );
  const pick = (fields: TriedFields): TriedFields =>
    Object.fromEntries(keys.map((key) => [key, fields[key] ?? null]));
  return { before: pick(before), after: pick(after) };
}

/**
 * Writes what a rehearsal tries in a WDS or its ITS, or takes it back. What another program has changed since stays.
 * @throws StellarError what hides the ITS
 */
export async function setTried(
  { name, wds }: Pick<RestartPlan, 'name' | 'wds'>,
  tried: readonly TriedObject[],
  to: 'before' | 'after',
): Promise<void> {
  for (const each of to === 'after' ? tried : tried.toReversed()) {
    if (each.wds !== null && each.wds !== name) continue;
    const kube = each.wds === null ? requireIts(wds) : wds.kube;
    // Nothing is sent until the Bindings are proven.
    await setOne(foreseen(kube, noForecast), each, to);
  }
}

const kinds = { WEC: resources.managedClusters, policy: resources.bindingPolicies };

async function setOne(
  kube: ForeseenKube,
  { kind, name, before, after, applied }: TriedObject,
  to: 'before' | 'after',
): Promise<void> {
  const [from, wanted] = to === 'after' ? [before, after] : [after, before];
  const resource = kinds[kind];
  const place = (fields: TriedFields): { metadata?: object; spec?: object } =>
    kind === 'WEC' ? { metadata: { labels: fields } } : { spec: fields };
  await retryConflicts(kube, async () => {
    const present = await kube.get<KubeObject & { spec?: object }>(resource, name);
    if (present === undefined && from === null && wanted !== null) {
      const { metadata, ...rest } = place(wanted);
      const object = { ...typeMeta(resource), ...rest, metadata: { name, ...metadata } };
      await unlessStatus(kube.create(resource, object), 409);
    }
    if (present === undefined || from === null) return;
    const fields: TriedFields = { ...(kind === 'WEC' ? present.metadata.labels : present.spec) };
    const isStill = (key: string) => isDeepStrictEqual(fields[key] ?? null, from[key]);
    if (wanted === null) {
      if (!Object.keys(from).every(isStill)) return;
      await kube.delete(resource, present);
      // A join follows, under the same name.
      while (kind === 'WEC' && (await kube.get(resource, name))) await kube.pause(500);
      return;
    }
    const changed = Object.fromEntries(Object.entries(wanted).filter(([key]) => isStill(key)));
    const { uid, resourceVersion } = present.metadata;
    const { metadata, ...patch } = place(changed);
    if (Object.keys(changed).length > 0)
      await kube.merge(resource, name, {
        ...patch,
        metadata: { uid, resourceVersion, ...metadata },
      });
    if (to === 'after' || applied === undefined) return;
    const now = { ...fields, ...changed };
    const labels = Object.fromEntries(
      Object.entries(applied.labels).filter(([key, value]) => now[key] === value),
    );
    const { manager, annotations } = applied;
    await kube.applyAs(manager, { ...typeMeta(resource), metadata: { name, labels, annotations } });
  });
}
