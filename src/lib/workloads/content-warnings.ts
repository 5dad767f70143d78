import { command } from '../core/command-line.ts';
import { mapConcurrently } from '../core/concurrency.ts';
import { count } from '../core/counts.ts';
import { advice, type Problem, partial, problem, run } from '../core/next-step.ts';
import type { ConfigMap, KubeObject } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import { effectiveProperties } from '../ocm/customization.ts';
import { propertiesNamespace } from '../ocm/kubestellar-names.ts';
import { describeObject } from '../ocm/object-ref.ts';
import type { PolicySubject } from './policy-subject.ts';
import { countsTwice, type WdsObject } from './wds-contents.ts';

/** Default maximum size of an object, in bytes (kubestellar v0.30.0, --max-size-wrapped). */
const maxSize = 500 * 1024;
const readsAtOnce = 4;

export interface Digest {
  object: string;
  /** In bytes, as the transport counts them. */
  size: number;
  /** The properties that its templates use. */
  asked: ReadonlySet<string>;
}

/** Reads all selected objects completely, a kind once per namespace, and keeps a digest of each. */
export async function readDigests({ objects, wds }: PolicySubject): Promise<Digest[]> {
  const groups = Map.groupBy(
    objects.map(({ object }) => object),
    ({ of, metadata }) => JSON.stringify([of.apiVersion, of.plural, metadata.namespace]),
  );
  const found = await mapConcurrently([...groups.values()], readsAtOnce, async (group) => {
    const [{ of, metadata }] = group as [WdsObject];
    const names = new Set(group.map((object) => object.metadata.name));
    const fieldSelector = names.size === 1 ? `metadata.name=${metadata.name}` : undefined;
    const all = (await wds.kube.list(of, { namespace: metadata.namespace, fieldSelector })) ?? [];
    return all.filter((object) => names.has(object.metadata.name)).map((object) => digestOf(of.kind, object));
  });
  return found.flat();
}

function digestOf(kind: string, object: KubeObject): Digest {
  const text = sentText(object);
  const isTemplate = object.metadata.annotations?.[expandAnnotation] === 'true';
  return {
    object: describeObject({ kind, metadata: object.metadata }),
    size: Buffer.byteLength(text),
    asked: new Set(isTemplate ? keysInTemplates(text) : []),
  };
}

/** An object without the fields that the transport removes. */
function sentText(object: KubeObject): string {
  const { status, ...kept } = object as KubeObject & { status?: unknown };
  const { managedFields, finalizers, generation, ownerReferences, resourceVersion, uid, ...metadata } = kept.metadata;
  const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...annotations } = metadata.annotations ?? {};
  return JSON.stringify({ ...kept, metadata: { ...metadata, annotations } });
}

export function tooLarge(digests: readonly Digest[]): Problem[] {
  const large = digests.filter(({ size }) => size > maxSize);
  if (large.length === 0) return [];
  const message = `${count(large.length, 'object')} ${large.length === 1 ? 'is' : 'are'} larger than the ${maxSize / 1024} KiB that KubeStellar sends by default: it then sends no object of the policy, and reports no error.`;
  const details = large.map(({ object, size }) => `${object}: ${Math.ceil(size / 1024)} KiB`);
  const divide = advice("Divide it, or raise --max-size-wrapped of the WDS's transport controller");
  return [{ ...problem('object-too-large', message, divide), details }];
}

/** A template that uses a property that a WEC lacks blocks every object of the policy, on all WECs. */
export async function missingProperties(digests: readonly Digest[], { wds, wecs }: PolicySubject): Promise<Problem[]> {
  const templates = digests.filter(({ asked }) => asked.size > 0);
  if (templates.length === 0 || wds.its.state !== 'seen') return [];
  const { kube, name: its } = wds.its.value;
  const found = await kube.list<ConfigMap>(resources.configMaps, { namespace: propertiesNamespace });
  const configMaps = new Map((found ?? []).map((configMap) => [configMap.metadata.name, configMap]));
  return wecs.flatMap((wec) => {
    const { name } = wec.metadata;
    const keys = new Set(effectiveProperties(name, wec, configMaps.get(name)).map(({ key }) => key));
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
export async function refusedBindings({ objects, wds }: PolicySubject): Promise<Problem[]> {
  const kinds = [...new Set(objects.map(({ object }) => object.of))];
  const twice = await Promise.all(kinds.map((kind) => countsTwice(wds.kube, kind)));
  const then = run(command`stellarctl wds restart ${wds.name}`, 'Then restart its controllers');
  return kinds.flatMap(({ kind, plural, versions }, index) => {
    if (!twice[index]) return [];
    const message = `${kind} is served in ${versions.length} versions, ${versions.join(' and ')}: each object counts twice, the API server refuses the Binding, and KubeStellar reports no error.`;
    const serveOne = advice(`Serve one version of CustomResourceDefinition ${plural}, or select no ${plural}`);
    return problem('two-served-versions', message, serveOne, ...(wds.isContext ? [] : [then]));
  });
}

/** KubeStellar expands templates only in objects that have this annotation with the value "true". */
const expandAnnotation = 'control.kubestellar.io/expand-templates';

/**
 * Returns the properties that the Go templates in a JSON text may use: a key that a WEC lacks is an error, also in a condition
 * (kubestellar v0.30.0, pkg/customize, missingkey=error).
 */
export function keysInTemplates(json: string): string[] {
  const text = json.replace(/\\[nt]/g, ' ').replaceAll('\\"', '"');
  const actions = [...text.matchAll(/\{\{(.*?)\}\}/gs)].map(([, action = '']) => action);
  return actions
    .map((action) => action.replace(/"[^"]*"|`[^`]*`|\/\*.*?\*\//gs, ''))
    .flatMap((action) => [...action.matchAll(/(?<![\w.])\.([A-Za-z_]\w*)/g)].flatMap(([, key]) => key ?? []));
}
