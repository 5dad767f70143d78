import type { KubeObject } from '../kube/client/objects.ts';

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
