import { monotonic } from '../core/deadline.ts';
import { StellarError } from '../core/errors.ts';
import { command, flagsOf, run as nextStep, noted, partial } from '../core/next-step.ts';
import { noForecast } from '../forecast/read-forecast.ts';
import { through, whyUnseen } from '../kube/access.ts';
import type { Kube, Permission } from '../kube/client/client.ts';
import { unlessStatus } from '../kube/client/errors.ts';
import { foreseen } from '../kube/client/foreseen.ts';
import {
  byName,
  groupOf,
  type LabelSelector,
  namesOf,
  type Pod,
  type Resource,
  resources,
  typeMeta,
} from '../kube/client/objects.ts';
import { discover } from '../kube/discovery.ts';
import { may, requirePermissions } from '../kube/permissions.ts';
import { isScaledToNone } from '../kube/pods.ts';
import { readDeployment } from '../kube/scaling.ts';
import { listIfDefined, listServed, notServed } from '../kube/served.ts';
import { deleteObjects } from '../kube/writes.ts';
import {
  hookNames,
  managerDeployment,
  namespaceOf,
  transportDeployment,
} from '../ocm/model/kubeflex-names.ts';
import type { ControlPlane, PostCreateHook } from '../ocm/model/kubeflex-objects.ts';
import {
  type Binding,
  type BindingPolicy,
  type BoundObject,
  destinationsOf,
  objectsOf,
} from '../ocm/model/kubestellar-names.ts';
import { openedBy, type Wds } from '../spaces/choose/open-wds.ts';
import { worksOf } from '../spaces/choose/works-of-policy.ts';
import { requireSpace } from '../spaces/get-space.ts';
import type { SpaceTools } from '../spaces/hosting/hosting.ts';
import { noteBinding, type RestartNote, readNote } from '../spaces/space/controllers-run.ts';
import { startsTransport } from '../spaces/space/its-name-defect.ts';
import { openSpace, toSeeSpace } from '../spaces/space/space-access.ts';
import { missingVariables } from '../spaces/space/space-manifests.ts';
import { SpaceWatcher } from '../spaces/space/space-watcher.ts';
import { hookLike, itsOfWds, sharersOf } from '../spaces/space/spaces.ts';

/** A restart of the controllers of a WDS that has passed all checks. */
export type RestartPlan = Awaited<ReturnType<typeof planRestart>>;

/**
 * Reads what a restart of the controllers of a WDS has to bring back.
 * @param options.recreates whether they may be missing
 * @param options.its the ITS that the WDS sends through afterwards, if it is another one
 * @throws StellarError `not-found`, `forbidden`, `unreachable`; `api-error` if discovery of the WDS is incomplete: a controller manager
 *   that starts leaves out what it does not see; `conflict` with what to do first
 */
export async function planRestart(
  name: string,
  tools: SpaceTools,
  { recreates = false, its }: { recreates?: boolean; its?: string | undefined } = {},
) {
  const { hosting } = tools;
  const { all, controlPlane, wds: opened } = await openNamed(name, tools);
  const place = { kube: hosting, namespace: namespaceOf(name) };
  await requirePermissions(hosting, hostingPermissions(name, recreates));
  const next = byName(all).get(its ?? '');
  const wds = { ...opened, its: next ? await openIts(next, tools) : opened.its };
  // A controller manager that finds no ITS stops; without the works, nothing proves that the transport may send again.
  if (next === undefined && itsOfWds(name, all) === undefined) throw withoutIts(name, hosting);
  const works = await worksOf(wds);
  if (works.state !== 'seen')
    throw restartRefused(`what it sends cannot be read: ${works.why}`, name, hosting);
  await refuseHidden(wds.kube);
  await requirePermissions(wds.kube, probePermissions(wds));
  const isRerun = readNote(controlPlane) !== undefined;
  const transport = await readDeployment(place, transportDeployment);
  const manager = await readDeployment(place, managerDeployment);
  if (hookLike(controlPlane, hookNames.transport) === undefined)
    throw restartRefused('it was made by hooks of another version', name, hosting);
  if (!isRerun && !recreates && (transport === undefined || manager === undefined))
    throw restartRefused('KubeFlex has not created them', name, hosting);
  // A repair brings the variables that it needs.
  const variables = recreates && its === undefined ? await refuseHooks(controlPlane, hosting) : {};
  await refuseShared(controlPlane, all, hosting);
  const bindings = (await listIfDefined<Binding>(wds.kube, resources.bindings)) ?? [];
  if (!isRerun) await refuseErrors(wds, bindings);
  return {
    name,
    hosting,
    /** Where its controllers are. */
    place,
    wds,
    controlPlane,
    /** Whether KubeFlex has to run the hooks of both controllers again. */
    recreates,
    /** What the installed hooks need besides its own variables, if they are to run again. */
    variables,
    /** What a new restart notes. */
    found: { transport: transport?.spec?.replicas ?? 1, bindings: noteBindings(bindings) },
  };
}

/** The ITS that a repair gives to a WDS. */
const openIts = async (its: ControlPlane, tools: SpaceTools) =>
  through(await openSpace(its, tools), (kube) => ({ name: its.metadata.name, kube }));

function hostingPermissions(name: string, recreates: boolean): Permission[] {
  const namespace = namespaceOf(name);
  const ofHooks = [
    may('delete', resources.roles),
    may('delete', resources.clusterRoles),
    may('patch', resources.controlPlanes, { subresource: 'status' }),
  ];
  return [
    ...(recreates ? ofHooks : []),
    ...['get', 'patch', 'delete'].map((verb) => may(verb, resources.deployments, { namespace })),
    may('list', resources.pods, { namespace }),
    may('patch', resources.controlPlanes),
  ];
}

/** What a restart notes of Bindings. */
export function noteBindings(bindings: readonly Binding[]): RestartNote['bindings'] {
  const listing = bindings.filter((binding) => usersObjects(binding).length > 0);
  return Object.fromEntries(
    listing.map((binding) => [
      binding.metadata.name,
      noteBinding(destinationsOf(binding), usersObjects(binding)),
    ]),
  );
}

/** Opens a WDS for its maintenance. @throws StellarError `not-found`; `conflict` with why it cannot be reached */
export async function openNamed(name: string, tools: SpaceTools) {
  const { all, controlPlane } = await requireSpace(name, 'wds', tools.hosting);
  const watcher = new SpaceWatcher(tools);
  const space = (await watcher.read(name, 'wds'))?.space;
  const wds = openedBy(watcher, name, all);
  if (wds === undefined)
    throw restartRefused(
      `it cannot be reached: ${space && whyUnseen(space.inside)}`,
      name,
      tools.hosting,
    );
  return { all, controlPlane, wds };
}

const restartRefused = (why: string, name: string, hosting: Kube) =>
  new StellarError(
    'conflict',
    `The controllers of ${name} cannot be restarted: ${why}.`,
    toSeeSpace('wds', name, hosting.cluster.context),
  );

function withoutIts(name: string, hosting: Kube) {
  return restartRefused('its ITS is not known, and they would not find it', name, hosting).with({
    next: [
      partial(
        command`stellarctl wds repair ${name} --hosting-context ${hosting.cluster.context} --its ITS`,
        'Bind it to one',
      ),
    ],
  });
}

/** @returns the variables that they need besides those of the control plane @throws StellarError if KubeFlex could not run them again */
async function refuseHooks(
  controlPlane: ControlPlane,
  hosting: Kube,
): Promise<Record<string, string>> {
  const wanted = [hookNames.controller, hookNames.transport].map(
    (hook) => hookLike(controlPlane, hook) ?? hook,
  );
  const installed = await listServed<PostCreateHook>(hosting, resources.postCreateHooks);
  const found = installed.filter(({ metadata }) => wanted.includes(metadata.name));
  const { known, unknown } = missingVariables(controlPlane, found);
  const { name } = controlPlane.metadata;
  if (found.length < wanted.length)
    throw restartRefused('its hooks are no longer installed', name, hosting);
  if (unknown.length > 0)
    throw restartRefused(`its spec.globalVars lack ${unknown.join(', ')}`, name, hosting);
  if (startsTransport(controlPlane, found)) return known;
  throw restartRefused(
    'the transport of the installed hooks does not start if its ITS is named',
    name,
    hosting,
  ).with({
    next: [
      nextStep(
        command`stellarctl wds repair ${name} --hosting-context ${hosting.cluster.context}`,
        'Recreate them by a hook that names it otherwise',
      ),
    ],
  });
}

/** A controller manager that starts leaves out what it does not see. */
async function refuseHidden(wds: Kube) {
  const { unseen } = await discover(wds, []);
  if (unseen.length > 0) throw notServed(wds, unseen.join(', '));
}

/** WDSes of type host share their Bindings: the transports of the others would send what a start of one manager writes. */
async function refuseShared(
  controlPlane: ControlPlane,
  all: readonly ControlPlane[],
  hosting: Kube,
) {
  for (const name of sharersOf(controlPlane, all)) {
    const place = { kube: hosting, namespace: namespaceOf(name) };
    const transport = await readDeployment(place, transportDeployment);
    if (transport === undefined || isScaledToNone(transport)) continue;
    const stop = command`kubectl --context ${hosting.cluster.context} -n ${namespaceOf(name)} scale deployment ${transportDeployment} --replicas 0`;
    const why = `the transport of ${name}, which shares its API server, would remove workloads`;
    const next = [noted(stop, 'until the restart is done')];
    throw restartRefused(why, controlPlane.metadata.name, hosting).with({ next });
  }
}

/** It says nothing about the Binding, which names collectors that do not exist as well (kubestellar v0.30.0, pkg/status/binding.go). */
const missingCollectors = 'StatusCollectorsAvailable';

/** What a controller manager writes for a policy in error, or for none, is not what it has written before. */
async function refuseErrors(wds: Wds, bindings: readonly Binding[]) {
  const policies = (await listIfDefined<BindingPolicy>(wds.kube, resources.bindingPolicies)) ?? [];
  const refuse = (name: string, why: string | undefined) => {
    if (why === undefined) return;
    throw new StellarError(
      'conflict',
      `Policy ${name} of ${wds.name} is in error: ${why}.`,
      nextStep(
        command`stellarctl policy get ${name} ${flagsOf(wds)}`,
        'Correct or delete it first',
      ),
    );
  };
  for (const { metadata, status: { errors = [], conditions = [] } = {} } of policies) {
    const unmet = conditions.find(
      ({ type, status }) => status === 'False' && type !== missingCollectors,
    );
    refuse(metadata.name, errors[0] ?? (unmet && `${unmet.type}: ${unmet.message}`));
  }
  const names = namesOf(policies);
  for (const { metadata } of bindings)
    if (!names.includes(metadata.name)) refuse(metadata.name, 'it is deleted, its Binding is not');
}

/**
 * A probe is a policy that selects one object and no WEC. A controller manager handles changes in the order in which it hears of them
 * (kubestellar v0.30.0, pkg/binding: one queue). So when it has bound an object that was created after its start and after its policy was
 * read, all from before is handled.
 */
const label = 'stellarctl.kubestellar.io/restart-probe';
const prefix = 'stellarctl-restart-probe-';

/** ConfigMaps or, where they are not watched, CustomResourceDefinitions: those always are (kubestellar pkg/util). */
const probeKind = ({ apiGroups }: Wds): Resource =>
  apiGroups.length === 0 || apiGroups.includes('')
    ? resources.configMaps
    : resources.customResourceDefinitions;

const namespaceFor = ({ namespaced }: Resource) => (namespaced ? { namespace: 'default' } : {});

const probePermissions = (wds: Wds): Permission[] =>
  [resources.bindingPolicies, probeKind(wds)].flatMap((kind) =>
    ['get', 'list', 'create', 'patch', 'delete'].map((verb) => may(verb, kind, namespaceFor(kind))),
  );

/** The name of the probe for a start of the controller manager: an earlier probe proves nothing about it. */
export function probeFor({ metadata, status }: Pod): string {
  const restarts = (status?.containerStatuses ?? []).reduce(
    (sum, { restartCount = 0 }) => sum + restartCount,
    0,
  );
  return probeName(`${metadata.uid?.slice(0, 8)}-${restarts}`);
}

/** The name of a probe of a rehearsal. */
export const probeName = (id: string) => `${prefix}${id}`;

export const isProbe = ({ name }: { name: string }) => name.startsWith(prefix);

/** The objects of a Binding without a probe: a policy may select all ConfigMaps. */
export const usersObjects = (binding: Binding): BoundObject[] =>
  objectsOf(binding).filter((each) => !isProbe(each));

/** Whether a Binding is or lists a probe. */
export const hasProbe = (binding: Binding) =>
  [binding.metadata, ...objectsOf(binding)].some((each) => isProbe(each));

/** Says with each reading for how long, in milliseconds, no Binding has been written. */
export function quietTime(): (bindings: readonly Binding[]) => number {
  let versions = '';
  let since = monotonic();
  return (bindings) => {
    const now = bindings
      .map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`)
      .join();
    if (now !== versions) since = monotonic();
    versions = now;
    return monotonic() - since;
  };
}

/** Whether the controller manager has handled every change made before the probe. */
export const isAnswered = (probe: string, bindings: readonly Binding[]) =>
  bindings.some(
    (binding) =>
      binding.metadata.name === probe && objectsOf(binding).some((each) => isProbe(each)),
  );

/**
 * Writes what a probe lacks: first its policy and, when the controller manager has read that, its object. A policy without any object
 * or WEC gets no Binding, but a status (kubestellar v0.30.0, seen live).
 */
export async function writeProbe(wds: Wds, name: string): Promise<void> {
  const { apiVersion, kind, plural, namespaced } = probeKind(wds);
  const labels = { [label]: wds.name };
  const group = 'stellarctl.kubestellar.io';
  const objectName = namespaced ? name : `${name}.${group}`;
  const object = {
    apiVersion,
    kind,
    metadata: { name: objectName, labels, ...namespaceFor(probeKind(wds)) },
  };
  const schema = { openAPIV3Schema: { type: 'object' } };
  const names = { plural: name, singular: name, kind: 'RestartProbe' };
  const versions = [{ name: 'v1', served: true, storage: true, schema }];
  const downsync = [
    { apiGroup: groupOf(apiVersion), resources: [plural], objectNames: [objectName] },
  ];
  // No WEC both has and lacks a label.
  const matchExpressions = ['Exists', 'DoesNotExist'].map((operator) => ({ key: label, operator }));
  const policy: BindingPolicy = {
    ...typeMeta(resources.bindingPolicies),
    metadata: { name, labels },
    spec: { clusterSelectors: [{ matchExpressions }], downsync },
  };
  const present = await wds.kube.get<BindingPolicy>(resources.bindingPolicies, name);
  const isRead =
    present !== undefined && present.status?.observedGeneration === present.metadata.generation;
  const spec = namespaced ? {} : { spec: { group, scope: 'Cluster', names, versions } };
  await wds.kube.apply(isRead ? { ...object, ...spec } : policy);
}

/** Writes a probe that selects WECs and no object: it gets a Binding that names them, and nothing is sent. */
export async function writeSelectionProbe(
  { name: wds, kube }: Wds,
  name: string,
  selector: LabelSelector,
): Promise<void> {
  const downsync = [{ apiGroup: '', resources: ['configmaps'], objectNames: [name] }];
  const policy: BindingPolicy = {
    ...typeMeta(resources.bindingPolicies),
    metadata: { name, labels: { [label]: wds } },
    spec: { clusterSelectors: [selector], downsync },
  };
  // It selects no object.
  const creating = foreseen(kube, noForecast).create(resources.bindingPolicies, policy);
  await unlessStatus(creating, 409);
}

/** Deletes the probes of a WDS, of all runs. */
export async function removeProbes(wds: Wds): Promise<void> {
  for (const resource of [resources.bindingPolicies, probeKind(wds)]) {
    const selection = { ...namespaceFor(resource), labelSelector: `${label}=${wds.name}` };
    const found = await listServed(wds.kube, resource, selection);
    const probes = found.filter(({ metadata }) => isProbe(metadata));
    // A probe selects no WEC.
    await deleteObjects(foreseen(wds.kube, noForecast), resource, probes);
  }
}
