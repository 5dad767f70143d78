import { mapConcurrently } from '../../core/concurrency.ts';
import { advice, command, type Problem, partial, problem } from '../../core/next-step.ts';
import { type BlockedVerdict, failed } from '../../core/stages.ts';
import { count, few } from '../../core/text/words.ts';
import { ifSeen, through, tryRead } from '../../kube/access.ts';
import { groupOf } from '../../kube/client/objects.ts';
import type { DiscoveredKind } from '../../kube/discovery.ts';
import { isRead } from '../../kube/pods.ts';
import { listIfDefined } from '../../kube/served.ts';
import { listProperties } from '../../ocm/hub/find-wecs.ts';
import { effectiveProperties, propertiesAskedBy, sentSize } from '../../ocm/model/customization.ts';
import { type Binding, destinationsOf, objectsOf } from '../../ocm/model/kubestellar-names.ts';
import { describeObject } from '../../ocm/model/object-ref.ts';
import type { ManagedCluster } from '../../ocm/model/ocm-objects.ts';
import type { Wds } from '../../spaces/choose/open-wds.ts';
import { unseenOf } from '../selection/unseen.ts';
import type { WdsObject } from '../selection/wds-contents.ts';

type SentObject = Pick<WdsObject, 'of' | 'metadata'>;

/** What a policy sends, and where. */
interface Sent {
  wds: Wds;
  objects: readonly SentObject[];
  wecs: readonly ManagedCluster[];
}

/** What keeps the transport from sending any object of a policy. */
export async function whatStops(sent: Sent) {
  const contents = await tryRead(() => readDigests(sent));
  const properties = await through(contents, (digests) => missingProperties(digests, sent));
  return {
    problems: [...tooLarge(ifSeen(contents) ?? []), ...(ifSeen(properties) ?? [])],
    unseen: [
      ...unseenOf('objects', contents),
      ...(contents.state === 'seen' ? unseenOf('properties of WECs', properties) : []),
    ],
  };
}

/** The objects of so many Bindings are read at once. */
const mostRead = 3;

/**
 * Why the transport has not sent some Bindings, by name. It says nothing of an object that is too large, and of a property only that
 * its key is missing. A Binding that it has read is not looked into.
 */
export async function readStops(
  wds: Wds,
  bindings: readonly Binding[],
  kinds: readonly DiscoveredKind[],
  inventory: ReadonlyMap<string, ManagedCluster>,
): Promise<ReadonlyMap<string, BlockedVerdict>> {
  const open = bindings.filter((each) => !isRead(each) || each.status?.errors?.length);
  const stops = await mapConcurrently(open.slice(0, mostRead), async (binding) => {
    const wecs = destinationsOf(binding).flatMap((name) => inventory.get(name) ?? []);
    const objects = objectsOf(binding).flatMap(({ group = '', resource, namespace, name }) => {
      const isKind = ({ apiVersion, plural }: DiscoveredKind) =>
        plural === resource && groupOf(apiVersion) === group;
      const of = kinds.find(isKind);
      return of ? { of, metadata: { name, ...(namespace && { namespace }) } } : [];
    });
    const { problems } = await whatStops({ wds, objects, wecs });
    const [first] = problems;
    if (first === undefined) return [];
    const { code, message, details = [] } = first;
    const next = problems.flatMap((each) => each.next);
    return [
      [
        binding.metadata.name,
        failed(`${message.replace(/\.$/, '')} (${few(details).join(', ')})`, { code, next }),
      ] as const,
    ];
  });
  return new Map(stops.flat());
}

/** Default maximum size of an object, in bytes (kubestellar v0.30.0, --max-size-wrapped). */
const maxSize = 500 * 1024;
const readsAtOnce = 4;

type Digest = Awaited<ReturnType<typeof readDigests>>[number];

/** Reads the objects completely, a kind once per namespace, and keeps a digest of each. */
async function readDigests({ objects, wds }: Sent) {
  const kindOf = ({ of, metadata }: SentObject) =>
    JSON.stringify([of.apiVersion, of.plural, metadata.namespace]);
  const groups = Map.groupBy(objects, kindOf);
  const found = await mapConcurrently(
    [...groups.values()],
    async (group) => {
      const [{ of, metadata }] = group as [SentObject];
      const names = new Set(group.map((object) => object.metadata.name));
      const fieldSelector = names.size === 1 ? `metadata.name=${metadata.name}` : undefined;
      const all =
        (await listIfDefined(wds.kube, of, { namespace: metadata.namespace, fieldSelector })) ?? [];
      return all
        .filter((object) => names.has(object.metadata.name))
        .map((object) => ({
          object: describeObject({ kind: of.kind, ...object.metadata }),
          /** In bytes, as the transport counts them. */
          size: sentSize(object),
          /** The properties that its templates use. */
          asked: propertiesAskedBy(object),
        }));
    },
    readsAtOnce,
  );
  return found.flat();
}

function tooLarge(digests: readonly Digest[]): Problem[] {
  const large = digests.filter(({ size }) => size > maxSize);
  if (large.length === 0) return [];
  const message = `${count(large.length, 'object is', 'objects are')} larger than the ${maxSize / 1024} KiB that KubeStellar sends by default: it then sends no object of the policy, and reports no error.`;
  const details = large.map(({ object, size }) => `${object}: ${Math.ceil(size / 1024)} KiB`);
  return [
    {
      ...problem(
        'object-too-large',
        message,
        advice("Divide it, or raise --max-size-wrapped of the WDS's transport controller"),
      ),
      details,
    },
  ];
}

/** A template that uses a property that a WEC lacks blocks every object of the policy, on all WECs. */
async function missingProperties(
  digests: readonly Digest[],
  { wds, wecs }: Sent,
): Promise<Problem[]> {
  const templates = digests.filter(({ asked }) => asked.size > 0);
  if (templates.length === 0 || wds.its.state !== 'seen') return [];
  const { kube, name: its } = wds.its.value;
  const configMaps = await listProperties(kube);
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
