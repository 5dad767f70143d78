import { mapConcurrently } from '../../core/concurrency.ts';
import { rfc3339 } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { advice } from '../../core/next-step.ts';
import { errorOf, ifSeen, through } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { describeCluster } from '../../kube/client/errors.ts';
import { missing } from '../../kube/client/missing.ts';
import {
  type ClusterRole,
  groupOf,
  groupResourceOf,
  type KubeObject,
  type PolicyRule,
  type Resource,
  resourceOf,
  resources,
} from '../../kube/client/objects.ts';
import { discoverKinds, findKind } from '../../kube/discovery.ts';
import { listServed, provenIn } from '../../kube/served.ts';
import { requestToken } from '../../kube/service-accounts.ts';
import type { SpaceRole } from '../../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../../ocm/model/kubeflex-objects.ts';
import { isExcludedKind } from '../../ocm/model/kubestellar-names.ts';
import { isOurs, managedBy, managedByLabel } from '../../ocm/model/ocm-names.ts';
import { notHosting, type SpaceTools } from '../hosting/hosting.ts';
import { reachSpace } from '../space/space-access.ts';
import { inOrder } from '../space/spaces.ts';
import {
  type AccessRole,
  kubestellar,
  type RoleName,
  type RoleRight,
  right,
  roles,
} from './roles.ts';

/** Access to give. */
export interface AccessRequest {
  space: { name: string; role: SpaceRole };
  role: RoleName;
  /** Whom it is for. */
  who: string | undefined;
  /** `--resources`, of a deployer */
  kinds: readonly string[] | undefined;
}

/** The namespace of the service accounts: all clusters have it. */
export const namespace = 'kube-system';
const accessRoleLabel = 'stellarctl.kubestellar.io/access-role';
const spaceAnnotation = 'stellarctl.kubestellar.io/access-space';
const forAnnotation = 'stellarctl.kubestellar.io/access-for';
const expiresAnnotation = 'stellarctl.kubestellar.io/access-expires';

/** The name of an access, of its service account and of its context. */
export const accessName = ({ space, role, who }: Omit<AccessRequest, 'kinds'>) =>
  [space.name, ...(who === undefined ? [] : [who]), role].join('-');

/**
 * The objects of an access: a service account, and its rights. The ClusterRole is first, and has the notes: a deployer may write
 * service accounts.
 * @param kube the space, whose kinds decide what workloads are, and which may lack a namespace of a right
 * @throws StellarError `usage`
 */
export async function accessManifests(
  request: AccessRequest,
  kube: Pick<Kube, 'read' | 'get'>,
): Promise<KubeObject[]> {
  const { space, role, who } = request;
  const name = accessName(request);
  const present = await kube.get<ClusterRole>(resources.clusterRoles, rightsName(name));
  const labels = { [managedByLabel]: managedBy, [accessRoleLabel]: role };
  const annotations = {
    [spaceAnnotation]: space.name,
    ...(who !== undefined && { [forAnnotation]: who }),
  };
  const rights = Map.groupBy(
    await rightsOf(request, kindsIn(present), kube),
    (each) => each.namespace,
  );
  const account = objectOf(resources.serviceAccounts, { name, namespace, labels });
  const objects = await Promise.all(
    [...rights].map(async ([place, of]) => {
      const isThere =
        place === undefined || (await kube.get(resources.namespaces, place)) !== undefined;
      return isThere
        ? boundRights(name, { labels, annotations, ...(place && { namespace: place }) }, of)
        : [];
    }),
  );
  return [...objects.flat(), account];
}

/** Rights in a namespace or in the whole cluster, and what gives them to the service account of an access. */
function boundRights(
  access: string,
  given: { namespace?: string; labels: object; annotations: object },
  rights: readonly RoleRight[],
) {
  const [role, binding] =
    given.namespace === undefined
      ? [resources.clusterRoles, resources.clusterRoleBindings]
      : [resources.roles, resources.roleBindings];
  const metadata = { name: rightsName(access), ...given };
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: role.kind, name: metadata.name };
  const subjects = [{ kind: 'ServiceAccount', name: access, namespace }];
  return [
    objectOf(role, metadata, { rules: rights.map(policyRuleOf) }),
    objectOf(binding, metadata, { roleRef, subjects }),
  ];
}

const policyRuleOf = ({ group, kinds, verbs, names }: RoleRight): PolicyRule => ({
  apiGroups: [group],
  resources: [...kinds],
  verbs: [...verbs],
  ...(names && { resourceNames: [...names] }),
});

const rightsName = (access: string) => `stellarctl:${access}`;

const objectOf = (
  { apiVersion, kind }: Resource,
  metadata: object,
  fields: object = {},
): KubeObject => ({ apiVersion, kind, metadata, ...fields }) as KubeObject;

/**
 * Gives access: writes its objects, and requests a token. It is safe to rerun, and then adds another token; the kinds of a deployer stay
 * unless others are given.
 * @param seconds the lifetime to ask for; the API server may give less
 * @throws StellarError `name-taken` for objects of others
 */
export async function giveAccess(request: AccessRequest, seconds: number, kube: Kube) {
  const { role, who = null } = request;
  const name = accessName(request);
  const manifests = await accessManifests(request, kube);
  const [noted] = await Promise.all(manifests.map((object) => presentOf(object, kube)));
  // Spaces of type host share a cluster, and two names may be one: NAME-a for nobody, and NAME for a.
  const ofSpace = noted?.metadata.annotations?.[spaceAnnotation];
  if (noted !== undefined && ofSpace !== request.space.name)
    throw accessTaken(noted, kube, `belongs to space ${ofSpace}`);
  const before = kindsIn(noted);
  const grown =
    before.length === 0 ? [] : kindsIn(manifests[0]).filter((kind) => !before.includes(kind));
  for (const object of manifests) await kube.apply(object);
  const { token = '', expirationTimestamp } =
    (await requestToken(kube, { namespace, name }, seconds)) ?? {};
  const given = rfc3339(expirationTimestamp ?? kube.now() + seconds * 1000);
  const expires = [
    noted?.metadata.annotations?.[expiresAnnotation] ?? '',
    given,
  ].sort()[1] as string;
  const metadata = { annotations: { [expiresAnnotation]: expires } };
  await kube.merge(resources.clusterRoles, rightsName(name), { metadata });
  return { role, for: who, expires, token, grown };
}

/** @throws StellarError `name-taken` */
async function presentOf(object: KubeObject, kube: Kube): Promise<KubeObject | undefined> {
  const { name, namespace: place } = object.metadata;
  const present = await kube.get(resourceOf(object), name, { namespace: place });
  if (present === undefined || isOurs(present)) return present;
  throw accessTaken(object, kube, 'was not created by stellarctl');
}

function accessTaken({ kind, metadata: { name } }: KubeObject, { cluster }: Kube, why: string) {
  return new StellarError(
    'name-taken',
    `${kind} ${name} of ${describeCluster(cluster)} ${why}. Nothing was written.`,
    advice('Name somebody: --for NAME'),
  );
}

/** The kinds of workloads in the rights of a deployer, as `deployments.apps`. */
const kindsIn = (role: KubeObject | undefined) =>
  ((role as ClusterRole | undefined)?.rules ?? []).flatMap(
    ({ apiGroups: [group = ''] = [], resources: kinds = [], verbs }) =>
      group === kubestellar || !verbs?.includes('create')
        ? []
        : kinds.map((resource) => groupResourceOf({ group, resource })),
  );

/** An access where it was found: its space and its service account. Its other fields are a public interface: docs/output.md. */
export type FoundAccess = Awaited<ReturnType<typeof listAccess>>[number]['access'];

/** What was given in a cluster. A space can write any annotation: which space it is, is known by who reads it. */
async function listAccess(space: string, kube: Kube) {
  const [roles, accounts] = await Promise.all([
    listServed(kube, resources.clusterRoles, { labelSelector: accessRoleLabel }),
    listServed(kube, resources.serviceAccounts, { namespace, metadataOnly: true }),
  ]);
  const accountOf = provenIn(accounts);
  // A deployer may write service accounts, also the labels of its own.
  return roles.filter(isOurs).map(({ metadata }) => {
    const { uid: ofRights, labels = {}, annotations: notes = {} } = metadata;
    const name = metadata.name.slice(rightsName('').length);
    const access = {
      /** Also the name of its context. */
      name,
      space,
      role: labels[accessRoleLabel] ?? '',
      for: notes[forAnnotation] ?? null,
      /** When its last token expires, RFC 3339. */
      expires: notes[expiresAnnotation] ?? null,
      /** Its service account; absent if only its rights are left. */
      account: accountOf(name),
      kube,
    };
    return { ofRights, noted: notes[spaceAnnotation], access };
  });
}

/** What was given in all spaces of a hosting cluster, and why some could not be read. @throws StellarError `not-a-hosting-cluster` */
export async function findAccess(tools: SpaceTools) {
  const all = await tools.hosting.list<ControlPlane>(resources.controlPlanes);
  if (all === missing) throw notHosting(tools.hosting);
  const read = await mapConcurrently(inOrder(all), async (controlPlane) =>
    through(await reachSpace(controlPlane, tools), (context) =>
      listAccess(controlPlane.metadata.name, tools.connect(context)),
    ),
  );
  // Spaces of type host are one cluster: of those, the note says which it is.
  const byUid = Map.groupBy(
    read.flatMap((each) => ifSeen(each) ?? []),
    ({ ofRights }) => ofRights,
  );
  const found = [...byUid.values()].flatMap(
    (same) => (same.find(({ noted, access }) => noted === access.space) ?? same[0])?.access ?? [],
  );
  return { found, errors: read.flatMap((each) => errorOf(each) ?? []) };
}

/**
 * Takes access back: first its tokens, and last what a rerun after an interruption finds it by.
 * @param removeMore removes what else belongs to it, once its tokens have ended
 * @throws StellarError `api-error` if its service account is still there
 */
export async function revokeAccess(
  { name, kube, account }: FoundAccess,
  removeMore: () => Promise<void> = async () => {},
): Promise<void> {
  if (account.object !== undefined) await kube.delete(resources.serviceAccounts, account.object);
  const left = await listServed(kube, resources.serviceAccounts, { namespace, metadataOnly: true });
  if (!kube.dryRun && provenIn(left)(name).object !== undefined) {
    throw new StellarError(
      'api-error',
      `Service account ${namespace}/${name} of ${describeCluster(kube.cluster)} still exists: its tokens are valid.`,
      advice('Rerun the command'),
    );
  }
  await removeMore();
  const { roleBindings, clusterRoleBindings, roles: inNamespaces, clusterRoles } = resources;
  for (const resource of [roleBindings, clusterRoleBindings, inNamespaces, clusterRoles])
    for (const object of await listServed(kube, resource, { labelSelector: accessRoleLabel }))
      if (object.metadata.name === rightsName(name) && isOurs(object))
        await kube.delete(resource, object);
}

const reserved =
  /^(?:rbac\.authorization|authorization|authentication|certificates|apiextensions|admissionregistration)\.k8s\.io$|\.(?:kubestellar\.org|open-cluster-management\.io)$/;

/** Kinds whose objects give rights, identities or Secrets of others, or decide what becomes of other objects: nobody deploys them here. */
const isReserved = (group: string, plural: string) =>
  (group === '' && plural === 'secrets') || reserved.test(group);

/**
 * The rights of a role in a space, with those to the kinds that policies can send.
 * @param present the kinds that it has already, which stay if none are given
 * @throws StellarError `usage`
 */
async function rightsOf(
  { role, space, kinds }: AccessRequest,
  present: readonly string[],
  kube: Pick<Kube, 'read'>,
): Promise<RoleRight[]> {
  const { workloads, [space.role]: fixed = [] } = roles[role] as AccessRole;
  if (workloads === undefined || space.role !== 'wds') return [...fixed];
  const served = (await discoverKinds(kube)).filter(({ apiVersion, plural }) => {
    const group = groupOf(apiVersion);
    return !isExcludedKind({ group, resource: plural }) && !isReserved(group, plural);
  });
  const kept = present.flatMap((text) => findKind(text, served) ?? []);
  const wanted =
    kinds?.map((text) => findKind(text, served) ?? refuseKind(text)) ??
    (kept.length > 0 ? kept : served);
  const byGroup = Map.groupBy(wanted, ({ apiVersion }) => groupOf(apiVersion));
  const toKinds = [...byGroup].map(([group, of]) =>
    right('readContents', workloads, group, of.map(({ plural }) => plural).join(' ')),
  );
  return [...fixed, ...toKinds];
}

function refuseKind(text: string): never {
  const why = 'Secrets, and what gives rights, are left to its administrator';
  throw new StellarError(
    'usage',
    `"${text}" is no kind of this WDS that a deployer may have: ${why}.`,
  );
}
