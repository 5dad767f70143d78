import type { AnyObject, ConfigMap, ManagedCluster } from '../kube/objects.ts';

const expandAnnotation = 'control.kubestellar.io/expand-templates';

/** The names available in a template, and their values on one cluster. */
export type Properties = Readonly<Record<string, string>>;

/**
 * The properties of a cluster: those of its ConfigMap before its annotations, those before its labels, those before its
 * name (kubestellar pkg/transport/generic, collectPropertiesForDestination).
 */
export function propertiesOf(
  clusterName: string,
  cluster: ManagedCluster | undefined,
  configMap: ConfigMap | undefined,
): Properties {
  const { labels = {}, annotations = {} } = cluster?.metadata ?? {};
  const own = Object.entries({ ...labels, ...annotations, ...configMap?.data });
  return { clusterName, ...Object.fromEntries(own.filter(([key]) => isIdentifier(key))) };
}

/** A list of objects for each destination instead of one for all of them; undefined if none has a template. */
interface Customized {
  objects: Map<string, AnyObject[]> | undefined;
  errors: string[];
}

/**
 * Expands the templates of objects for each destination (kubestellar pkg/transport/generic, computeDestToCustomizedObjects). For
 * each object the errors of the first destination that has any are reported.
 */
export function customize(
  originals: readonly AnyObject[],
  destinations: readonly string[],
  propertiesFor: (destination: string) => Properties,
): Customized {
  const errors: string[] = [];
  const isTemplate = (object: AnyObject) =>
    object.metadata.annotations?.[expandAnnotation] === 'true' && JSON.stringify(object).includes('{{');
  if (!originals.some(isTemplate)) return { objects: undefined, errors };
  const objects = new Map<string, AnyObject[]>(destinations.map((destination) => [destination, []]));
  for (const original of originals) {
    let told = false;
    for (const [destination, list] of objects) {
      if (!isTemplate(original)) {
        list.push(original);
        continue;
      }
      const found: string[] = [];
      const place = `${destination}/${referenceTo(original)}`;
      list.push(expand(place, original, propertiesFor(destination), found) as AnyObject);
      if (!told) errors.push(...found);
      told ||= found.length > 0;
    }
  }
  return { objects, errors };
}

function referenceTo({ kind, metadata: { namespace, name } }: AnyObject): string {
  return `${kind}(${namespace === undefined ? name : `${namespace}/${name}`})`;
}

/** Expands every string but map keys (kubestellar pkg/customize). */
function expand(path: string, value: unknown, properties: Properties, errors: string[]): unknown {
  if (typeof value === 'string') return expandText(path, value, properties, errors);
  if (Array.isArray(value)) return value.map((item, index) => expand(`${path}[${index}]`, item, properties, errors));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, expand(`${path}.${key}`, item, properties, errors)]);
  return Object.fromEntries(entries);
}

/** Of Go's templates `{{.name}}` and nothing else, with Go's errors for an unknown name. */
function expandText(path: string, text: string, properties: Properties, errors: string[]): string {
  const before = (offset: number) => text.slice(0, offset).split('\n');
  let failure: string | undefined;
  const expanded = text.replace(/\{\{(\s*)(.*?)\s*\}\}/gs, (_whole, space: string, action: string, offset: number) => {
    const [, name] = /^\.([\p{L}_][\p{L}\p{Nd}_]*)$/u.exec(action) ?? [];
    const lines = before(offset + 2 + space.length);
    const place = `template: ${path}:${lines.length}`;
    if (name === undefined) failure ??= `${place}: the bed cannot expand ${JSON.stringify(action)}`;
    else if (properties[name] === undefined) {
      const what = `executing ${JSON.stringify(path)} at <.${name}>`;
      failure ??= `${place}:${lines.at(-1)?.length}: ${what}: map has no entry for key ${JSON.stringify(name)}`;
    }
    return properties[name ?? ''] ?? '';
  });
  if (failure !== undefined) errors.push(failure);
  return expanded;
}

const goKeywords = new Set(
  (
    'break case chan const continue default defer else fallthrough for func go goto if import interface map package ' +
    'range return select struct switch type var'
  ).split(' '),
);

/** A Go identifier: other keys are not properties. */
function isIdentifier(key: string): boolean {
  return /^[\p{L}_][\p{L}\p{Nd}_]*$/u.test(key) && !goKeywords.has(key);
}
