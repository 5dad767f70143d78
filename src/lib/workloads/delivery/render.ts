import { StellarError } from '../../core/errors.ts';
import { command, partial } from '../../core/next-step.ts';
import { isObject } from '../../core/text/formats.ts';
import type { Kube } from '../../kube/client/client.ts';
import {
  byName,
  type ConfigMap,
  groupOf,
  type KubeObject,
  resources,
} from '../../kube/client/objects.ts';
import { type DiscoveredKind, discoverKinds } from '../../kube/discovery.ts';
import { listIfDefined, listServed } from '../../kube/served.ts';
import { getManagedCluster, listProperties } from '../../ocm/hub/find-wecs.ts';
import {
  effectiveProperties,
  isExpanded,
  isTransformOf,
  sentObject,
} from '../../ocm/model/customization.ts';
import { inProperties } from '../../ocm/model/kubestellar-names.ts';
import type { ManifestWork } from '../../ocm/model/manifest-works.ts';
import { describeObject } from '../../ocm/model/object-ref.ts';
import type { ManagedCluster } from '../../ocm/model/ocm-objects.ts';
import { selectorOfSent } from '../../ocm/sender.ts';
import type { Wds } from '../../spaces/choose/open-wds.ts';
import { requireIts } from '../selection/unseen.ts';
import { isAsked } from './diff.ts';
import { noSuchObject } from './stages-in-wds.ts';
import type { CustomTransform } from './transforms.ts';
import { findObject, type NamedObject } from './workload.ts';
import { keyOfSent, type SentObject, sentObjects, viewOfSent } from './works.ts';

/**
 * The manifest of an object in its work for a WEC, or, if there is none, as the transport of KubeStellar 0.30 would make it.
 * @returns also the work that has it, undefined if it is made from the object in the WDS; and what is not known to be as the
 * transport would send it @throws StellarError `not-found`; what hides the ITS
 */
export async function render(named: NamedObject, wec: string, wds: Wds) {
  const its = requireIts(wds);
  const { kind, ref } = await findObject(named, wds);
  const labelSelector = await selectorOfSent(wds, its);
  const [cluster, works] = await Promise.all([
    getManagedCluster(its, wec),
    listServed<ManifestWork>(its, resources.manifestWorks, { namespace: wec, labelSelector }),
  ]);
  const sent = works.flatMap(sentObjects).find(isAsked(ref));
  if (sent !== undefined)
    return { manifest: sent.object as KubeObject, work: sent.work.metadata.name, errors: [] };
  const [object, transforms, configMap] = await Promise.all([
    wds.kube.get(kind, ref.name, { namespace: ref.namespace }),
    listIfDefined<CustomTransform>(wds.kube, resources.customTransforms),
    its.get<ConfigMap>(resources.propertyConfigMaps, wec, inProperties),
  ]);
  if (object === undefined) throw noSuchObject(ref, wds);
  const removed = (transforms ?? [])
    .filter(isTransformOf(ref))
    .flatMap(({ spec }) => spec?.remove ?? []);
  const properties = effectiveProperties(wec, cluster, configMap);
  const values = new Map(properties.map(({ key, value }) => [key, value]));
  const { manifest, open } = asSent(object, removed, values);
  const errors = open.map(({ field, missing }) =>
    unfilled(`${describeObject(ref)}: ${field}`, missing, wec, its),
  );
  return { manifest, work: undefined, errors };
}

/** What the transport would send for an object to a WEC; undefined if that cannot be predicted. @param sent as a work has it */
type Predict = (sent: SentObject['object'], wec: string) => KubeObject | undefined;

/**
 * Reads what the works of a policy are made from: objects, transforms and properties. What the WDS no longer has, and templates that this
 * program does not fill, cannot be predicted.
 */
export async function predictManifests(
  works: readonly ManifestWork[],
  wds: Wds,
  its: Kube,
): Promise<Predict> {
  const wanted = works.flatMap(sentObjects).map(({ object }) => viewOfSent(object));
  const isWanted = (kind: DiscoveredKind) =>
    wanted.some((each) => each.kind === kind.kind && each.group === groupOf(kind.apiVersion));
  const kinds = (await discoverKinds(wds.kube)).filter(isWanted);
  const [lists, transforms, clusters, properties] = await Promise.all([
    Promise.all(kinds.map((kind) => listServed<KubeObject>(wds.kube, kind))),
    listIfDefined<CustomTransform>(wds.kube, resources.customTransforms),
    listServed<ManagedCluster>(its, resources.managedClusters),
    listProperties(its),
  ]);
  const clusterOf = byName(clusters);
  const objects = new Map(
    kinds.flatMap((kind, index) =>
      (lists[index] ?? []).map((object) => {
        const ref = { group: groupOf(kind.apiVersion), resource: kind.plural };
        const removed = (transforms ?? [])
          .filter(isTransformOf(ref))
          .flatMap(({ spec }) => spec?.remove ?? []);
        // Items of a list do not say their kind.
        const whole = { ...object, apiVersion: kind.apiVersion, kind: kind.kind };
        return [keyOfSent(viewOfSent(whole)), { whole, removed }];
      }),
    ),
  );
  return (sent, wec) => {
    const { whole, removed } = objects.get(keyOfSent(viewOfSent(sent))) ?? {};
    if (whole === undefined || removed === undefined || whole.apiVersion !== sent.apiVersion)
      return undefined;
    const values = effectiveProperties(wec, clusterOf.get(wec), properties.get(wec));
    const filled = asSent(whole, removed, new Map(values.map(({ key, value }) => [key, value])));
    return filled.open.length > 0 ? undefined : plain(filled.manifest);
  };
}

/** As JSON has it: without fields that are undefined. */
const plain = (object: KubeObject) => JSON.parse(JSON.stringify(object)) as KubeObject;

/** @param what the field of an object @param missing the property that it asks for, if it is a template that is filled */
function unfilled(what: string, missing: string | undefined, wec: string, its: Kube) {
  if (missing === undefined)
    return new StellarError(
      'expression-invalid',
      `${what} has a template that stellarctl does not fill: only {{.PROPERTY}}.`,
    );
  return new StellarError(
    'workload-blocked',
    `${what} asks for property ${missing}, which ${wec} lacks.`,
    partial(
      command`stellarctl wec properties ${wec} ${`${missing}=VALUE`} --its ${its.cluster.context}`,
      'Set it',
    ),
  ).with({ problem: 'property-missing' });
}

/** A field whose template is not filled, and the property that is missing for it. */
interface OpenField {
  field: string;
  missing?: string;
}

/**
 * An object as the transport sends it to a WEC.
 * @param removed JSONPath expressions of CustomTransforms @param properties those of the WEC
 */
export function asSent(
  object: KubeObject,
  removed: readonly string[],
  properties: ReadonlyMap<string, string>,
) {
  const manifest = structuredClone(sentObject(object)) as KubeObject & Fields;
  if (object.kind === 'Service' && object.apiVersion === 'v1') cleanService(manifest);
  if (object.kind === 'Job' && object.apiVersion === 'batch/v1') cleanJob(manifest);
  for (const path of removed) removeField(manifest, namesIn(path));
  const open: OpenField[] = [];
  const filled = isExpanded(object) ? filling(properties, open)('', manifest) : manifest;
  return { manifest: filled as KubeObject, open };
}

type Fields = Record<string, unknown>;

const removeFrom = (of: unknown, keys: readonly string[]) => {
  if (isObject(of)) for (const key of keys) delete of[key];
};

/** KubeStellar keeps a node port with this annotation only (kubestellar v0.30.0, pkg/transport/generic/filtering/service.go). */
const preserveAnnotation = 'control.kubestellar.io/preserve';

function cleanService({ metadata, spec }: KubeObject & Fields) {
  if (!isObject(spec)) return;
  const fields = ['ipFamilies', 'externalTrafficPolicy', 'internalTrafficPolicy'];
  removeFrom(spec, [...fields, 'ipFamilyPolicy', 'sessionAffinity']);
  if (spec.clusterIP !== 'None') delete spec.clusterIP;
  const { clusterIPs, ports } = spec;
  const none = Array.isArray(clusterIPs) ? clusterIPs.filter((ip) => ip === 'None') : [];
  if (none.length > 0) spec.clusterIPs = none;
  else delete spec.clusterIPs;
  if (metadata.annotations?.[preserveAnnotation] === 'nodeport' || !Array.isArray(ports)) return;
  spec.ports = ports.map((port) => (isObject(port) ? { ...port, nodePort: null } : port));
}

/** What an API server and the Job controller add to a Job (kubestellar v0.30.0, pkg/transport/generic/filtering/job.go). */
function cleanJob({ metadata, spec }: KubeObject & Fields) {
  const own = ['controller-uid', 'batch.kubernetes.io/controller-uid'];
  removeFrom(metadata.annotations, ['batch.kubernetes.io/job-tracking']);
  removeFrom(metadata.labels, own);
  if (!isObject(spec)) return;
  removeFrom(spec, ['selector', 'suspend']);
  const { template } = spec;
  if (isObject(template) && isObject(template.metadata)) removeFrom(template.metadata.labels, own);
}

/** The names in a JSONPath expression, as far as KubeStellar reads them: `$`, then `.name` and `["any name"]`; none if it does not. */
function namesIn(path: string) {
  const step = /\.([\p{L}_][\p{L}\p{N}_]*)|\["((?:[^"\\]|\\.)*)"\]/gu;
  const found = [...path.matchAll(step)];
  const isWhole = `$${found.map(([text]) => text).join('')}` === path;
  return isWhole ? found.map(([, name, quoted]) => name ?? String(JSON.parse(`"${quoted}"`))) : [];
}

function removeField(object: Fields, names: readonly string[]) {
  const last = names.at(-1);
  const parent = names
    .slice(0, -1)
    .reduce<unknown>((of, name) => (isObject(of) ? of[name] : undefined), object);
  if (last !== undefined) removeFrom(parent, [last]);
}

/** Fills `{{.PROPERTY}}` in all strings but keys (kubestellar v0.30.0, pkg/customize). @param open gets the fields that stay */
const filling = (properties: ReadonlyMap<string, string>, open: OpenField[]) =>
  function fill(field: string, value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item, index) => fill(`${field}[${index}]`, item));
    if (isObject(value))
      return Object.fromEntries(
        Object.entries(value).map(([key, of]) => [
          key,
          fill(field === '' ? key : `${field}.${key}`, of),
        ]),
      );
    if (typeof value !== 'string' || !value.includes('{{')) return value;
    const asked = [...value.matchAll(plainAction)].map(([, key = '']) => key);
    const missing = asked.find((key) => !properties.has(key));
    const isPlain = !value.replace(plainAction, '').includes('{{');
    if (isPlain && missing === undefined)
      return value.replace(plainAction, (_, key: string) => properties.get(key) ?? '');
    open.push(isPlain && missing !== undefined ? { field, missing } : { field });
    return value;
  };

const plainAction = /\{\{\s*\.([A-Za-z_]\w*)\s*\}\}/g;
