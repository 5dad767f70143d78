import { StellarError } from '../../core/errors.ts';
import { advice, command, flagsOf, helpOf, run } from '../../core/next-step.ts';
import { checkNamespace, checkPathSegment } from '../../core/object-names.ts';
import { orNearest } from '../../core/text/words.ts';
import { ifSeen, tryRead } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { shownList } from '../../kube/client/missing.ts';
import { groupResourceOf, isLiving, type Pod, resources } from '../../kube/client/objects.ts';
import { type DiscoveredKind, discoverKinds, findKind } from '../../kube/discovery.ts';
import { lostNodeOf, readLostNodes, toSeeNode } from '../../kube/lost-nodes.ts';
import { firstPodFailure, podsOf, toSeePod, waitsForNode } from '../../kube/pods.ts';
import { listServed } from '../../kube/served.ts';
import { type Binding, destinationsOf, objectsOf } from '../../ocm/model/kubestellar-names.ts';
import type { ManifestWork } from '../../ocm/model/manifest-works.ts';
import { isBoundBy } from '../../ocm/model/object-ref.ts';
import {
  addonNamespace,
  agentNamespace,
  klusterletName,
  statusAgent,
} from '../../ocm/model/ocm-names.ts';
import { inWds, type Wds } from '../../spaces/choose/open-wds.ts';
import { type NamespaceLabels, selectObjects } from '../selection/select-objects.ts';
import { openWec, requireIts } from '../selection/unseen.ts';
import { candidateKind, clausesFor, readContents } from '../selection/wds-contents.ts';
import { conflictsOf } from './conflicts.ts';
import {
  type Delivery,
  type DeliveryEvidence,
  deliveriesOf,
  type FollowedObject,
  heldBindings,
  policiesFor,
  readDelivery,
  unseenIn,
} from './delivery.ts';
import { type DeliveryView, viewOfDelivery } from './delivery-view.ts';
import { leftOut, problemView } from './selection-warnings.ts';
import { noSuchObject } from './stages-in-wds.ts';
import { sentObjects } from './works.ts';

/** An object as named on the command line. */
export interface NamedObject {
  /** Any name of the kind, with its group if the name is ambiguous. */
  kind: string;
  name: string;
  namespace: string;
}

/** The delivery of an object. The fields are an interface: docs/output.md. */
export type WorkloadView = Awaited<ReturnType<typeof readWorkload>>['view'];

/**
 * Parses KIND/NAME, KIND and NAME, or KIND/NAMESPACE/NAME, where KIND may be KIND.GROUP, and validates the names.
 * @throws StellarError `usage`
 */
export function parseObject(words: readonly string[], given?: string): NamedObject {
  const text = words.join('/');
  const [first = '', second] = words;
  if (second !== undefined && first.includes('/'))
    throw new StellarError('usage', `"${second}" is a word too many beside ${first}.`);
  const [kind, ...path] = text.split('/');
  const name = path.pop();
  const [inText = 'default', ...more] = path;
  const namespace = given ?? inText;
  if (!kind || !name || more.length > 0)
    throw new StellarError('usage', `"${text}" is not KIND/NAME, for example deployment/web.`);
  checkPathSegment(name);
  checkNamespace(namespace);
  return { kind, name, namespace };
}

/** Finds an object of a kind that the WDS serves. @throws StellarError `not-found` for an unknown kind */
export async function findObject(named: NamedObject, wds: Wds) {
  const kinds = await discoverKinds(wds.kube);
  const kind = findKind(named.kind, kinds);
  const list = run(
    inWds(wds, command`kubectl --context ${wds.context} api-resources`),
    'See what exists',
  );
  if (kind === undefined)
    throw new StellarError(
      'not-found',
      `${wds.name} has no kind ${named.kind}${orNearest(
        named.kind,
        kinds.map(({ kind: each }) => each.toLowerCase()),
      )}.`,
      list,
    );
  const namespace = kind.namespaced ? named.namespace : undefined;
  const { group, version, resource } = candidateKind(kind);
  return {
    kinds,
    kind,
    ref: { group, version, resource, kind: kind.kind, namespace, name: named.name },
  };
}

type Found = Awaited<ReturnType<typeof findObject>>;

/** The WECs that Bindings send an object to, by name. */
export async function wecsSentTo(ref: Found['ref'], { kube }: Wds): Promise<string[]> {
  const bindings = await listServed<Binding>(kube, resources.bindings);
  const sending = bindings.filter((binding) => isBoundBy(binding, ref));
  return [...new Set(sending.flatMap(destinationsOf))].sort();
}

/** @throws StellarError `not-found` for a kind that the WDS does not serve */
export const getWorkload = async (named: NamedObject, wds: Wds) =>
  readWorkload(await findObject(named, wds), wds, { compares: true, isOnce: true });

/**
 * Reads an object and its deliveries.
 * @param how.compares whether what has arrived is compared with its work
 * @param how.isOnce whether conflicts are looked for, which a wait does not ask again
 */
export async function readWorkload(
  found: Found,
  wds: Wds,
  { compares = false, isOnce = false } = {},
) {
  const { kinds, kind, ref } = found;
  const { group, namespace, name } = ref;
  const [object, space] = await Promise.all([
    wds.kube.get(kind, name, { namespace }),
    namespace === undefined ? undefined : wds.kube.get(resources.namespaces, namespace),
  ]);
  const namespaces = new Map(
    space === undefined ? [] : [[space.metadata.name, space.metadata.labels ?? {}]],
  );
  const follow = (policies: DeliveryEvidence['policies']) =>
    followed({ ...ref, object }, policies, namespaces);
  const evidence = await readDelivery(wds, kinds, (inWds) =>
    policiesFor(follow(inWds.policies), inWds),
  );
  const of = follow(evidence.policies);
  const held = await heldPolicies(of, evidence, kinds, wds);
  const deliveries = deliveriesOf(of, { ...evidence, held });
  const conflicts =
    (isOnce && ifSeen(await tryRead(() => conflictsOfDeliveries(ref, deliveries, evidence)))) || [];
  return {
    view: {
      name,
      namespace: namespace ?? null,
      kind: kind.kind,
      group,
      wds: wds.name,
      its: ifSeen(wds.its)?.name ?? null,
      deliveries: await Promise.all(
        deliveries.map((each) => viewOnWec(each, found, wds, compares)),
      ),
      /** Warnings about WECs that the policies that select it leave out, and conflicts. */
      problems: [
        ...leftOut(
          deliveries.flatMap(({ policy }) => policy ?? []),
          evidence,
        ),
        ...conflicts.map(problemView),
      ],
    },
    errors: [
      ...unseenIn(evidence).map(({ error }) => error),
      ...(object === undefined ? [await missingObject(found, wds, isOnce)] : []),
    ],
  };
}

/** The error for an object that does not exist. @param looksFurther whether it is looked for in other Namespaces */
async function missingObject({ kind, ref }: Found, wds: Wds, looksFurther: boolean) {
  const error = noSuchObject(ref, wds);
  if (!looksFurther || ref.namespace === undefined) return error;
  const all = ifSeen(
    await tryRead(async () => shownList(await wds.kube.list(kind, { metadataOnly: true }))),
  );
  const { namespace } = all?.find(({ metadata }) => metadata.name === ref.name)?.metadata ?? {};
  if (namespace === undefined) return error;
  return error.with({
    next: [
      run(
        command`stellarctl workload get ${groupResourceOf(ref)}/${ref.name} -n ${namespace} ${flagsOf(wds)}`,
        `Namespace ${namespace} has one`,
      ),
      ...error.next,
    ],
  });
}

function conflictsOfDeliveries(
  ref: Found['ref'],
  deliveries: readonly Delivery[],
  { wds, bindings }: DeliveryEvidence,
) {
  const sendings = deliveries.flatMap(({ policyName: policy, wec, isBound, modulation }) =>
    policy === undefined || wec === undefined || !isBound
      ? []
      : { policy, wecs: [wec], objects: [{ ...ref, ...modulation }] },
  );
  return conflictsOf(wds, sendings, [...bindings.values()]);
}

/** A delivery with what its WEC shows, if that may say more and a context is proven to lead there. */
async function viewOnWec(
  delivery: Delivery,
  { kind, ref }: Found,
  wds: Wds,
  compares: boolean,
): Promise<DeliveryView> {
  const { wec = '', cluster, workStatus } = delivery;
  const view = viewOfDelivery(delivery);
  const isVersioned = ifSeen(workStatus)?.status?.observedGeneration !== undefined;
  const isRefused = view.blockedAt?.stage === 'applied';
  if (!dependsOnWec(view) && !isRefused && !(view.done && (isVersioned || compares))) return view;
  const kube = ifSeen(await tryRead(() => openWec(wds, wec, { known: ifSeen(cluster) })));
  if (kube === undefined) return view;
  const live = isVersioned
    ? ifSeen(await tryRead(() => kube.get(kind, ref.name, { namespace: ref.namespace })))
    : undefined;
  const shown = {
    ...delivery,
    context: kube.cluster.context,
    generation: live?.metadata.generation,
  };
  const present = viewOfDelivery(shown);
  if (!present.done || !compares) return withPodFailure(present, ref, wds.name, kube);
  const difference = await readDifference(kube, requireIts(wds), delivery);
  return viewOfDelivery({ ...shown, difference });
}

/** How an object differs from its work, of which the deliveries keep only a part. */
async function readDifference(kube: Kube, its: Kube, { of, sent }: Delivery) {
  const { compare, isAsked } = await import('./diff.ts');
  const { name, namespace } = ifSeen(sent)?.work.metadata ?? {};
  const work = name && (await its.get<ManifestWork>(resources.manifestWorks, name, { namespace }));
  const whole = work ? sentObjects(work).find(isAsked(of)) : undefined;
  return whole && compare(kube, whole);
}

/** Whether the WEC itself may show what blocks a delivery. */
const dependsOnWec = ({ blockedAt, code }: DeliveryView) =>
  blockedAt?.stage === 'available' ||
  ['status-missing', 'status-outdated', 'agent-silent'].includes(code ?? '');

/** Adds why pods on the WEC do not run, in the words of its kubelet. */
async function withPodFailure(
  delivery: DeliveryView,
  ref: Found['ref'],
  wds: string,
  wec: Kube,
): Promise<DeliveryView> {
  const { blockedAt, code } = delivery;
  if (blockedAt === null || !dependsOnWec(delivery)) return delivery;
  const failureIn = async (namespace: string | undefined, name: string) => {
    const pods = podsOf(
      name,
      namespace ? shownList(await wec.list<Pod>(resources.pods, { namespace })) : [],
    );
    const lost = await readLostNodes(wec, pods, wec.now());
    const { context } = wec.cluster;
    const nodes = pods.flatMap((pod) => {
      const node = lostNodeOf(pod, lost);
      const { name: of, namespace: at } = pod.metadata;
      return node ? { at, why: `pod ${of}: ${node.why}`, next: [toSeeNode(context, node)] } : [];
    });
    const failure =
      firstPodFailure(pods) ?? pods.map(waitsForNode).find((each) => each !== undefined);
    return (
      nodes[0] ??
      (failure && {
        ...{ at: failure.pod.namespace, why: failure.why },
        next: toSeePod(context, failure),
      })
    );
  };
  const found = await tryRead(async () => {
    if (code === 'agent-silent') return failureIn(agentNamespace, klusterletName);
    const own = code === 'status-missing' ? undefined : await failureIn(ref.namespace, ref.name);
    // Replicas are counted in the returned status, which is old while the status agent does not run.
    return own ?? failureIn(addonNamespace, statusAgent);
  });
  const failure = ifSeen(found);
  if (failure === undefined) return delivery;
  const why = `${blockedAt.why}: ${failure.why}`;
  const stages = delivery.stages.map((stage) =>
    stage.id === blockedAt.stage ? { ...stage, why } : stage,
  );
  const isOwn = failure.at === ref.namespace;
  return {
    ...delivery,
    blockedAt: { ...blockedAt, why },
    stages,
    ...helpOf([...failure.next, ...(isOwn ? [advice(`Change the object itself in ${wds}`)] : [])]),
  };
}

/** Whether the guard keeps a Binding depends on the other objects that it names: read only if it names one that is not selected. */
async function heldPolicies(
  of: FollowedObject,
  evidence: DeliveryEvidence,
  kinds: readonly DiscoveredKind[],
  wds: Wds,
): Promise<Set<string>> {
  const open = [...evidence.bindings.values()].filter(
    (binding) => isBoundBy(binding, of) && !of.selectedBy.has(binding.metadata.name),
  );
  if (open.length === 0) return new Set();
  const clauses = clausesFor(open.flatMap(objectsOf));
  return heldBindings(wds.kube, evidence, await readContents(wds.kube, clauses, kinds));
}

/** Returns the object with the policies that select it now. */
export function followed(
  ref: Omit<FollowedObject, 'selectedBy' | 'namespaces'>,
  policies: DeliveryEvidence['policies'],
  namespaces: NamespaceLabels,
): FollowedObject {
  const present = ref.object === undefined ? [] : [{ ...ref, metadata: ref.object.metadata }];
  const selections = policies
    .filter(isLiving)
    .flatMap(({ metadata, spec }) =>
      selectObjects(spec?.downsync ?? [], present, namespaces).map(
        ({ modulation }) => [metadata.name, modulation] as const,
      ),
    );
  return { ...ref, selectedBy: new Map(selections), namespaces };
}
