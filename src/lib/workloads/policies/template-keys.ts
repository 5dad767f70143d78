import type { KubeObject } from '../../kube/objects.ts';

/** KubeStellar expands templates only in objects that have this annotation with the value "true". */
const expandAnnotation = 'control.kubestellar.io/expand-templates';

/** The annotation that KubeStellar removes from an object before it expands the rest (kubestellar v0.30.0, TransformObject). */
export const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

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

/** Returns the fields of the data that the actions of a Go template name. Text after an unterminated action is no template. */
export function keysInTemplate(text: string): Set<string> {
  const keys = new Set<string>();
  let end = 0;
  for (let start = text.indexOf('{{'); start !== -1; start = text.indexOf('{{', end)) {
    const found = readAction(text, start + 2, keys);
    if (found === undefined) break;
    end = found;
  }
  return keys;
}

/** A field of the data or of a variable: `key` in `.key`, `$.key`, `$x.key` and `.key.part`. */
const field = /(?:\$[\p{L}\p{Nd}_]*)?\.([\p{L}_][\p{L}\p{Nd}_]*)(?:\.[\p{L}\p{Nd}_]+)*/uy;
/** A name or a number, including its points. */
const word = /[\p{L}\p{Nd}_]+(?:\.[\p{L}\p{Nd}_]+)*/uy;
const commentStart = /(?:-\s+)?\/\*/uy;

/** Parses one action. @returns where it ends; undefined if it is unterminated */
function readAction(text: string, start: number, keys: Set<string>): number | undefined {
  const comment = matchAt(commentStart, text, start);
  if (comment !== undefined) {
    const end = text.indexOf('*/', start + comment[0].length);
    return end === -1 ? undefined : end + 2;
  }
  for (let at: number | undefined = start; at !== undefined && at < text.length; ) {
    if (text.startsWith('}}', at)) return at + 2;
    if (isQuote(text[at])) {
      at = endOfQuoted(text, at);
      continue;
    }
    const name = matchAt(field, text, at);
    if (name?.[1] !== undefined) keys.add(name[1]);
    at += (name ?? matchAt(word, text, at))?.[0].length ?? 1;
  }
  return undefined;
}

const isQuote = (character: string | undefined): boolean => character !== undefined && '"`\''.includes(character);

/** Returns where a string, a raw string or a character constant ends; undefined if it is unterminated. */
function endOfQuoted(text: string, start: number): number | undefined {
  const quote = text[start];
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === quote) return at + 1;
    if (text[at] === '\\' && quote !== '`') at += 1;
  }
  return undefined;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}
