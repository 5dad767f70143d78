import {
  type AnyObject,
  type Api,
  ApiError,
  discover,
  type Plane,
  type Resource,
  until,
} from '../../../testbed/index.ts';

/** Kinds that appear and disappear by themselves, or record events. */
const passing = new Set([
  'events',
  'pods',
  'replicasets',
  'leases',
  'endpoints',
  'endpointslices',
  'controllerrevisions',
  'ipaddresses',
]);

/**
 * All lasting objects of a plane, by kind, namespace and name, each with its content, without what differs between registrations
 * (IDs, times, keys, tokens, certificates) and without status.
 */
export async function inventoryOf({ admin }: Plane): Promise<Record<string, unknown>> {
  const inventory: Record<string, unknown> = {};
  for (const resource of await discover(admin)) {
    if (passing.has(resource.plural)) continue;
    for (const object of await listed(admin, resource)) {
      if (isEmptied(resource, object)) continue;
      const { namespace = '', name, generateName } = object.metadata;
      const key = `${resource.plural} ${namespace}/${generateName ? `${generateName}*` : name}`;
      inventory[key] = lasting(object);
    }
  }
  return inventory;
}

/** The same of a hub that has a WDS on it, without what belongs to the WDS (`bindWorkload`). */
export async function inventoryOfHub(hub: Plane): Promise<Record<string, unknown>> {
  const isOfWds =
    /^(bindingpolicies|bindings) |-space$|-space\/|kubestellar-report|\.control\.kubestellar\.io$|^namespaces \/customization-properties$|customization-properties\/(default|kube-root-ca\.crt)$/;
  return Object.fromEntries(
    Object.entries(await inventoryOf(hub)).filter(([key]) => !isOfWds.test(key)),
  );
}

/**
 * Kubernetes applies the rules of an aggregated role while it believes that the role exists, and so recreates a role that was just
 * deleted, without rules (clusterrole-aggregation-controller, seen).
 */
const isEmptied = ({ plural }: Resource, { rules, aggregationRule }: AnyObject) =>
  plural === 'clusterroles' && rules === null && aggregationRule === undefined;

/** A kind whose definition was just created is not served for a moment. */
async function listed(admin: Api, resource: Resource): Promise<AnyObject[]> {
  return until(async () => {
    try {
      return (await admin.list<AnyObject>(resource)).items;
    } catch (error) {
      if (error instanceof ApiError && error.status === 429) return undefined;
      throw error;
    }
  }, `list of ${resource.plural}`);
}

/** Of a managed cluster's agent, whose ID differs between Klusterlets: names of roles, requests and so on. */
const ids = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

function lasting({ metadata, status: _, ...content }: AnyObject): unknown {
  const { labels = {}, annotations = {}, finalizers = [] } = metadata;
  const data = content.data as object | undefined;
  const fixed = { ...content, ...(data && { data: Object.keys(data).sort() }) };
  if (content.kind === 'CertificateSigningRequest' || metadata.generateName)
    Object.assign(fixed, { spec: undefined });
  const {
    'deployment.kubernetes.io/revision': __,
    // Of what the operator has read, such as the bootstrap secret, which each join writes anew.
    'operator.openshift.io/spec-hash': ____,
    'stellarctl.kubestellar.io/written-at': ___,
    ...lastingAnnotations
  } = annotations;
  const text = JSON.stringify({
    ...fixed,
    labels,
    annotations: lastingAnnotations,
    finalizers,
  }).replaceAll(ids, 'ID');
  return JSON.parse(text);
}
