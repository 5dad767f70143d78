import type { KubeObject } from '../../kube/objects.ts';

/** KubeStellar expands templates only in objects that carry this annotation with the value "true". */
export const expandAnnotation = 'control.kubestellar.io/expand-templates';

/** What KubeStellar takes off an object before it expands the rest (kubestellar v0.30.0, TransformObject). */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * The keys of properties that a workload object's templates may ask for. KubeStellar expands every string in it but the keys of maps,
 * by Go's text/template with missingkey=error (pkg/customize): a field of a missing key fails, in a condition as well. All branches
 * count, whether they are executed or not.
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

/** The fields of the data that the actions of a Go template name. What follows an action that does not end is no template. */
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

/** A field of the data or of a variable: of `.key`, `$.key`, `$x.key` and `.key.part` it is `key`. */
const field = /(?:\$[\p{L}\p{Nd}_]*)?\.([\p{L}_][\p{L}\p{Nd}_]*)(?:\.[\p{L}\p{Nd}_]+)*/uy;
/** A name or a number, with the points in it. */
const word = /[\p{L}\p{Nd}_]+(?:\.[\p{L}\p{Nd}_]+)*/uy;
const commentStart = /(?:-\s+)?\/\*/uy;

/** Reads one action. @returns where it ends; undefined where it does not */
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

/** Where a string, a raw string or a character constant ends; undefined where it does not. */
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
