import { command } from '../core/command-line.ts';
import { count } from '../core/counts.ts';
import { advice, type Problem, partial, run } from '../core/next-step.ts';
import type { ConfigMap, KubeObject } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import { effectiveProperties } from '../ocm/customization.ts';
import { propertiesNamespace } from '../ocm/kubestellar-names.ts';
import { describeObject } from '../ocm/object-ref.ts';
import { digestObjects } from './full-objects.ts';
import type { PolicySubject } from './policy-subject.ts';
import { countsTwice } from './wds-contents.ts';

/** Default maximum size of an object, in bytes (kubestellar v0.30.0, --max-size-wrapped). */
const maxSize = 500 * 1024;

export interface Digest {
  object: string;
  /** In bytes, as the transport counts them. */
  size: number;
  /** The properties that its templates use. */
  asked: ReadonlySet<string>;
}

/** Reads all selected objects completely, and digests their content for the checks. */
export function readDigests(subject: PolicySubject): Promise<Digest[]> {
  const kinds = new Map(subject.objects.map(({ object }) => [`${object.group}/${object.resource}`, object.kind]));
  const bound = subject.objects.map(({ object: { group, version, resource, metadata } }) => ({
    ...{ group, version, resource, name: metadata.name },
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
  }));
  return digestObjects(subject.wds.kube, bound, ({ group, resource, ...metadata }, object): Digest => {
    const kind = kinds.get(`${group}/${resource}`) ?? resource;
    return {
      object: describeObject({ kind, metadata }),
      size: sizeOf(object),
      asked: templateKeysOf(object),
    };
  });
}

/** Returns the size without the fields that the transport removes. */
function sizeOf(object: KubeObject): number {
  const { status, ...kept } = object as KubeObject & { status?: unknown };
  const { managedFields, finalizers, generation, ownerReferences, resourceVersion, uid, ...metadata } = kept.metadata;
  const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...annotations } = metadata.annotations ?? {};
  return Buffer.byteLength(JSON.stringify({ ...kept, metadata: { ...metadata, annotations } }));
}

export function tooLarge(digests: readonly Digest[]): Problem[] {
  const large = digests.filter(({ size }) => size > maxSize);
  if (large.length === 0) return [];
  return [
    {
      code: 'object-too-large',
      message: `${count(large.length, 'object')} ${large.length === 1 ? 'is' : 'are'} larger than the ${maxSize / 1024} KiB that KubeStellar sends by default: it then sends no object of the policy, and reports no error.`,
      details: large.map(({ object, size }) => `${object}: ${Math.ceil(size / 1024)} KiB`),
      next: [advice("Divide it, or raise --max-size-wrapped of the WDS's transport controller")],
    },
  ];
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
    return {
      code: 'property-missing',
      message: `WEC ${name} lacks ${count(missing.length, 'property', 'properties')} that templates ask for: ${missing.join(', ')}. KubeStellar then sends no object of the policy to any WEC, and removes those that it has sent.`,
      details: lacking.map((each) => `${each.object} asks for ${each.missing.join(', ')}`),
      next: [
        partial(
          command`stellarctl wec properties ${name} ${missing.map((key) => `${key}=VALUE`)} --its ${its}`,
          'Set them',
        ),
      ],
    };
  });
}

/** Kinds whose objects count twice: the API server rejects the Binding, and only the controller's log shows it. */
export async function refusedBindings({ objects, wds }: PolicySubject): Promise<Problem[]> {
  const kinds = [...new Set(objects.map(({ object }) => object.of))];
  const twice = await Promise.all(kinds.map((kind) => countsTwice(wds.kube, kind)));
  return kinds
    .filter((_, index) => twice[index])
    .map(({ kind, plural, versions }) => ({
      code: 'two-served-versions',
      message: `${kind} is served in ${versions.length} versions, ${versions.join(' and ')}: each object counts twice, the API server refuses the Binding, and KubeStellar reports no error.`,
      next: [
        advice(`Serve one version of CustomResourceDefinition ${plural}, or select no ${plural}`),
        ...(wds.isContext ? [] : [run(command`stellarctl wds restart ${wds.name}`, 'Then restart its controllers')]),
      ],
    }));
}

/** KubeStellar expands templates only in objects that have this annotation with the value "true". */
const expandAnnotation = 'control.kubestellar.io/expand-templates';

/** The annotation that KubeStellar removes from an object before it expands the rest (kubestellar v0.30.0, TransformObject). */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * Returns the keys of the properties that a workload object's templates may use. KubeStellar expands every string in the object
 * except the keys of maps, with Go's text/template and missingkey=error (pkg/customize): a missing key is an error, also in a
 * condition. All branches count, whether they are executed or not.
 */
export function templateKeysOf(object: KubeObject): Set<string> {
  const keys = new Set<string>();
  const { annotations = {}, ...metadata } = object.metadata;
  if (annotations[expandAnnotation] !== 'true') return keys;
  const sent = { ...annotations, [lastApplied]: undefined };
  const open: unknown[] = [{ ...object, status: undefined, metadata: { ...metadata, annotations: sent } }];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === 'string') for (const key of keysInTemplate(value)) keys.add(key);
    else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) open.push(part);
  }
  return keys;
}

/** Up to the end of the text if it is unterminated. */
const quoted = /"(?:\\.|[^"\\])*(?:"|\\?$)|'(?:\\.|[^'\\])*(?:'|\\?$)|`[^`]*(?:`|$)/.source;
const letter = '[\\p{L}\\p{Nd}_]';
/** A comment, or an action without its end. */
const action = new RegExp(`\\{\\{(?:(?:-\\s+)?/\\*.*?(?:\\*/|$)|((?:${quoted}|(?!\\}\\})[^"'\`])*))`, 'gsu');
/** A field of the data or of a variable is `key` in `.key`, `$.key`, `$x.key` and `.key.part`. Else a string, a name, a number. */
const part = new RegExp(
  `${quoted}|(?:\\$${letter}*)?\\.([\\p{L}_]${letter}*)(?:\\.${letter}+)*|${letter}+(?:\\.${letter}+)*`,
  'gsu',
);

/** Returns the fields of the data that the actions of a Go template name. */
export const keysInTemplate = (text: string): Set<string> =>
  new Set(
    [...text.matchAll(action)].flatMap(([, content = '']) =>
      [...content.matchAll(part)].flatMap(([, key]) => key ?? []),
    ),
  );
