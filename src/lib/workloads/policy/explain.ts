import { mapConcurrently } from '../../core/concurrency.ts';
import { StellarError } from '../../core/errors.ts';
import { advice, command, type Problem, partial, problem, run } from '../../core/next-step.ts';
import { describeGrouped, type Effect } from '../../core/read-confirmed.ts';
import { count } from '../../core/text/words.ts';
import { ifSeen, through, tryRead } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import {
  byName,
  type ConfigMap,
  conditionOf,
  type KubeObject,
  namesOf,
  resources,
} from '../../kube/client/objects.ts';
import { effectiveProperties, propertiesAskedBy, sentText } from '../../ocm/model/customization.ts';
import {
  type KindRef,
  type Modulation,
  type PolicySpec,
  propertiesNamespace,
} from '../../ocm/model/kubestellar-names.ts';
import { describeObject, type ObjectView } from '../../ocm/model/object-ref.ts';
import type { ManagedCluster } from '../../ocm/model/ocm-objects.ts';
import { flagsOf, type Wds } from '../../spaces/choose/open-wds.ts';
import {
  aboutObjects,
  missingMailbox,
  missingNamespaces,
  misspeltLabels,
  nothingSelected,
  type PolicyProblem,
  problemView,
  systemObjects,
  updatedJobs,
} from '../delivery/selection-warnings.ts';
import { evaluate, getPolicy, type PolicySubject } from '../selection/policy-subject.ts';
import type { SelectedObject } from '../selection/select-objects.ts';
import {
  openWec,
  type Unseen,
  unseenOf,
  type ViewWithErrors,
  viewOfUnseen,
} from '../selection/unseen.ts';
import { countsTwice, type WdsObject } from '../selection/wds-contents.ts';
import { returnedByOne, toCreateCollector } from '../status/returned-status.ts';

/** A WEC that a policy selects. The fields are an interface: docs/output.md. */
interface SelectedWec {
  name: string;
  accepted: boolean;
  /** Null if its availability has not been reported. */
  available: boolean | null;
  deleting: boolean;
}

/** What a policy does now. The fields are an interface: docs/output.md. */
export interface Explanation {
  name: string;
  wds: string;
  its: string | null;
  /** Whether the WDS has a policy with this name; the explained one may be from a file. */
  exists: boolean;
  /** Null if the ITS cannot be read. */
  wecs: SelectedWec[] | null;
  /** The names of the other WECs of the ITS; null if it cannot be read. */
  notSelected: string[] | null;
  objects: (KindRef & ObjectView & Modulation)[];
  problems: PolicyProblem[];
  notVisible: { what: string; why: string }[];
}

/** @throws StellarError `not-found` if the WDS does not have the policy and no spec is given */
export async function explain(
  name: string,
  wds: Wds,
  given?: PolicySpec,
): Promise<ViewWithErrors<Explanation>> {
  const { object: present } = await getPolicy(wds.kube, name);
  const spec = given ?? present?.spec;
  if (spec === undefined) throw noSuchPolicy(name, wds);
  return explanationOf(await evaluate(name, spec, wds), present !== undefined);
}

/** @param exists whether the WDS has a policy with its name */
export async function explanationOf(
  subject: PolicySubject,
  exists: boolean,
): Promise<ViewWithErrors<Explanation> & { overwritten: Effect[] }> {
  const { name, wds, inventory, wecs, objects } = subject;
  const { problems, unseen, overwritten } = await policyProblemsOf(subject);
  const view: Explanation = {
    name,
    wds: wds.name,
    its: ifSeen(wds.its)?.name ?? null,
    exists,
    notVisible: unseen.map(viewOfUnseen),
    wecs: inventory.state === 'seen' ? wecs.map(wecView) : null,
    notSelected:
      ifSeen(inventory)?.flatMap((wec) => (wecs.includes(wec) ? [] : wec.metadata.name)) ?? null,
    objects: objects.map(
      ({ object: { group, version, resource, kind, metadata }, modulation }) => ({
        group,
        version,
        resource,
        kind,
        namespace: metadata.namespace ?? null,
        name: metadata.name,
        ...modulation,
      }),
    ),
    problems: problems.map(problemView),
  };
  return { view, errors: unseen.map(({ error }) => error), overwritten };
}

export const noSuchPolicy = (name: string, wds: Wds): StellarError =>
  new StellarError('not-found', `There is no binding policy ${name} in ${wds.name}.`, {
    next: [run(command`stellarctl policy list ${flagsOf(wds)}`, 'See what exists')],
  });

/** Returns all problems of a policy before it is written, the worst first. */
async function policyProblemsOf(
  subject: PolicySubject,
): Promise<{ problems: Problem[]; unseen: Unseen[]; overwritten: Effect[] }> {
  const contents = await tryRead(() => readDigests(subject));
  const [overwritten, properties, versions, collectors] = await Promise.all([
    foreignObjects(subject),
    through(contents, (digests) => missingProperties(digests, subject)),
    tryRead(() => refusedBindings(subject)),
    tryRead(() => missingCollectors(subject)),
  ]);
  const found = [
    ...systemObjects(subject),
    ...takenOver(overwritten),
    ...nothingSelected(subject),
    ...missingMailbox(subject),
    ...tooLarge(ifSeen(contents) ?? []),
    ...(ifSeen(properties) ?? []),
    ...(ifSeen(versions) ?? []),
    ...notOneWec(subject),
    ...(ifSeen(collectors) ?? []),
    ...missingNamespaces(subject),
    ...updatedJobs(subject),
    ...misspeltLabels(
      subject.spec,
      ifSeen(subject.inventory) ?? [],
      ifSeen(subject.wds.its)?.kube.cluster.context,
    ),
  ];
  return {
    overwritten,
    problems: found.sort((a, b) => Number(a.severity === 'warn') - Number(b.severity === 'warn')),
    unseen: [
      ...unseenOf('WECs', subject.inventory),
      ...subject.contents.unread,
      ...unseenOf('objects', contents),
      ...(contents.state === 'seen' ? unseenOf('properties of WECs', properties) : []),
      ...unseenOf('definitions', versions),
      ...unseenOf('status collectors', collectors),
    ],
  };
}

function wecView(wec: ManagedCluster): SelectedWec {
  const available = conditionOf(wec, 'ManagedClusterConditionAvailable')?.status;
  return {
    name: wec.metadata.name,
    accepted: wec.spec?.hubAcceptsClient === true,
    available: available === undefined || available === 'Unknown' ? null : available === 'True',
    deleting: wec.metadata.deletionTimestamp !== undefined,
  };
}

/** Of so many WECs of a policy, so many objects are looked for before they are sent. */
const mostLookedFor = 20;

/**
 * Objects that are on a WEC already, and that no work has applied: its agent overwrites them, and removes them with the work. Only where
 * a context is proven to lead there.
 */
async function foreignObjects({ objects, wecs, wds }: PolicySubject): Promise<Effect[]> {
  const own =
    (kube: Kube) =>
    async ({ object: { of, metadata } }: SelectedObject<WdsObject>) => {
      const { name, namespace } = metadata;
      const present = await kube.get(of, name, { namespace });
      const owners = present?.metadata.ownerReferences ?? [];
      const isFree = owners.every(({ kind }) => kind !== resources.appliedManifestWorks.kind);
      return present !== undefined && isFree ? describeObject({ kind: of.kind, ...metadata }) : [];
    };
  const look = (wec: ManagedCluster) =>
    tryRead(async () => {
      const { name } = wec.metadata;
      const kube = await openWec(wds, name, { known: wec });
      const found = await Promise.all(objects.slice(0, mostLookedFor).map(own(kube)));
      return found.flat().map((object) => ({ object, wec: name }));
    });
  const looked = await mapConcurrently(wecs.slice(0, mostLookedFor), look);
  return looked.flatMap((each) => ifSeen(each) ?? []);
}

function takenOver(overwritten: readonly Effect[]): Problem[] {
  if (overwritten.length === 0) return [];
  const message = `${count(overwritten.length, 'object')} on WECs, which no work has applied: their agents overwrite them, and delete them with the policy.`;
  return [{ ...problem('taken-over', message), details: describeGrouped(overwritten) }];
}

/** A singleton status is returned from exactly one WEC. */
function notOneWec({ objects, wecs, inventory }: PolicySubject): Problem[] {
  const asking = objects.filter(({ modulation }) => modulation.wantSingletonReportedState);
  if (inventory.state !== 'seen' || wecs.length === 1) return [];
  const message = `The status of ${count(asking.length, 'object')} is requested from a single WEC, but the policy selects ${wecs.length}: no status is returned.`;
  return aboutObjects(asking, problem('singleton-needs-one-wec', message, returnedByOne));
}

async function missingCollectors({ objects, wds }: PolicySubject): Promise<Problem[]> {
  const wanted = new Set(objects.flatMap(({ modulation }) => modulation.statusCollectors ?? []));
  if (wanted.size === 0) return [];
  const there = new Set(namesOf((await wds.kube.list(resources.statusCollectors)) ?? []));
  const missing = [...wanted].filter((name) => !there.has(name));
  if (missing.length === 0) return [];
  const message = `There is no StatusCollector ${missing.join(', ')} in ${wds.name}; the others still report.`;
  const create = missing.map((name) => toCreateCollector(name, flagsOf(wds)));
  return [problem('status-collector-missing', message, ...create)];
}

/** Default maximum size of an object, in bytes (kubestellar v0.30.0, --max-size-wrapped). */
const maxSize = 500 * 1024;
const readsAtOnce = 4;

interface Digest {
  object: string;
  /** In bytes, as the transport counts them. */
  size: number;
  /** The properties that its templates use. */
  asked: ReadonlySet<string>;
}

/** Reads all selected objects completely, a kind once per namespace, and keeps a digest of each. */
async function readDigests({ objects, wds }: PolicySubject): Promise<Digest[]> {
  const selected = objects.map(({ object }) => object);
  const kindOf = ({ of, metadata }: WdsObject) =>
    JSON.stringify([of.apiVersion, of.plural, metadata.namespace]);
  const groups = Map.groupBy(selected, kindOf);
  const found = await mapConcurrently(
    [...groups.values()],
    async (group) => {
      const [{ of, metadata }] = group as [WdsObject];
      const names = new Set(group.map((object) => object.metadata.name));
      const fieldSelector = names.size === 1 ? `metadata.name=${metadata.name}` : undefined;
      const all = (await wds.kube.list(of, { namespace: metadata.namespace, fieldSelector })) ?? [];
      return all
        .filter((object) => names.has(object.metadata.name))
        .map((object) => objectDigest(of.kind, object));
    },
    readsAtOnce,
  );
  return found.flat();
}

function objectDigest(kind: string, object: KubeObject): Digest {
  return {
    object: describeObject({ kind, ...object.metadata }),
    size: Buffer.byteLength(sentText(object)),
    asked: propertiesAskedBy(object),
  };
}

function tooLarge(digests: readonly Digest[]): Problem[] {
  const large = digests.filter(({ size }) => size > maxSize);
  if (large.length === 0) return [];
  const message = `${count(large.length, 'object')} ${large.length === 1 ? 'is' : 'are'} larger than the ${maxSize / 1024} KiB that KubeStellar sends by default: it then sends no object of the policy, and reports no error.`;
  const details = large.map(({ object, size }) => `${object}: ${Math.ceil(size / 1024)} KiB`);
  const divide = advice("Divide it, or raise --max-size-wrapped of the WDS's transport controller");
  return [{ ...problem('object-too-large', message, divide), details }];
}

/** A template that uses a property that a WEC lacks blocks every object of the policy, on all WECs. */
async function missingProperties(
  digests: readonly Digest[],
  { wds, wecs }: PolicySubject,
): Promise<Problem[]> {
  const templates = digests.filter(({ asked }) => asked.size > 0);
  if (templates.length === 0 || wds.its.state !== 'seen') return [];
  const { kube, name: its } = wds.its.value;
  const found = await kube.list<ConfigMap>(resources.configMaps, {
    namespace: propertiesNamespace,
  });
  const configMaps = byName(found ?? []);
  return wecs.flatMap((wec) => {
    const { name } = wec.metadata;
    const keys = new Set(
      effectiveProperties(name, wec, configMaps.get(name)).map(({ key }) => key),
    );
    const lacking = templates.flatMap(({ object, asked }) => {
      const missing = [...asked].filter((key) => !keys.has(key));
      return missing.length === 0 ? [] : [{ object, missing }];
    });
    if (lacking.length === 0) return [];
    const missing = [...new Set(lacking.flatMap((each) => each.missing))];
    const message = `WEC ${name} lacks ${count(missing.length, 'property', 'properties')} that templates ask for: ${missing.join(', ')}. KubeStellar then sends no object of the policy to any WEC, and removes those that it has sent.`;
    const set = command`stellarctl wec properties ${name} ${missing.map((key) => `${key}=VALUE`)} --its ${its}`;
    const details = lacking.map((each) => `${each.object} asks for ${each.missing.join(', ')}`);
    return { ...problem('property-missing', message, partial(set, 'Set them')), details };
  });
}

/** Kinds whose objects count twice: the API server rejects the Binding, and only the controller's log shows it. */
async function refusedBindings({ objects, wds }: PolicySubject): Promise<Problem[]> {
  const kinds = [...new Set(objects.map(({ object }) => object.of))];
  const twice = await Promise.all(kinds.map((kind) => countsTwice(wds.kube, kind)));
  const then = run(command`stellarctl wds restart ${wds.name}`, 'Then restart its controllers');
  return kinds.flatMap(({ kind, plural, versions }, index) => {
    if (!twice[index]) return [];
    const message = `${kind} is served in ${versions.length} versions, ${versions.join(' and ')}: each object counts twice, the API server refuses the Binding, and KubeStellar reports no error.`;
    const serveOne = advice(
      `Serve one version of CustomResourceDefinition ${plural}, or select no ${plural}`,
    );
    return problem('two-served-versions', message, serveOne, ...(wds.isContext ? [] : [then]));
  });
}
