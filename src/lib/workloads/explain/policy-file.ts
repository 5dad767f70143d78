import { parseAllDocuments } from 'yaml';
import { command } from '../../engine/command-line.ts';
import { StellarError } from '../../engine/errors.ts';
import { isObject } from '../../engine/is-object.ts';
import { run } from '../../engine/next-step.ts';
import { readNamedOrStdin } from '../../files/named-file.ts';
import { checkDnsName } from '../../kube/object-names.ts';
import type { BindingPolicy, PolicySpec } from '../../model/policies.ts';

/** Reads the BindingPolicy in a file, which may contain other objects. @throws StellarError `usage` */
export async function readPolicyFile(
  file: string,
  stdin: NodeJS.ReadableStream,
): Promise<{ name: string; spec: PolicySpec }> {
  return parsePolicy(await readNamedOrStdin(file, 'policy', stdin), file);
}

/** @param source the name of the text in errors @throws StellarError `usage` */
export function parsePolicy(text: string, source: string): { name: string; spec: PolicySpec } {
  const policies = readObjects(text, source).filter((object) => object?.kind === 'BindingPolicy');
  const [policy] = policies;
  const name: unknown = policy?.metadata?.name;
  if (policies.length !== 1 || typeof name !== 'string' || name === '')
    throw new StellarError(
      'usage',
      `${source} has ${policies.length > 1 ? 'more than one' : 'no'} BindingPolicy with a name in it.`,
    );
  checkDnsName(name, 'a binding policy');
  const spec: unknown = policy?.spec ?? {};
  if (!isSpec(spec))
    throw new StellarError('usage', `The spec of BindingPolicy ${name} in ${source} is not what its definition says.`, {
      next: [run(command`kubectl apply --dry-run=server -f ${source}`, 'A WDS says what is wrong')],
    });
  return { name, spec };
}

function readObjects(text: string, source: string): (BindingPolicy | null)[] {
  try {
    return parseAllDocuments(text).map((document) => {
      if (document.errors[0] !== undefined) throw document.errors[0];
      // Aliases are resolved only here. A null field counts as absent, as in the API server.
      const object: unknown = document.toJS({ reviver: (_key, value) => (value === null ? undefined : value) });
      return (object ?? null) as BindingPolicy | null;
    });
  } catch (error) {
    const [why] = (error as Error).message.split('\n');
    throw new StellarError('usage', `${source} is not YAML: ${why}.`, { cause: error });
  }
}

type Is = (value: unknown) => boolean;
const text: Is = (value) => typeof value === 'string';
const map: Is = (value) => isObject(value) && Object.values(value).every(text);
const optional =
  (is: Is): Is =>
  (value) =>
    value === undefined || is(value);
const list = (is: Is): Is => optional((value) => Array.isArray(value) && Array.from(value).every(is));
const fields =
  (shape: Record<string, Is>): Is =>
  (value) =>
    isObject(value) && Object.entries(shape).every(([field, is]) => is(value[field]));

const selector = fields({
  matchLabels: optional(map),
  matchExpressions: list(fields({ key: text, operator: text, values: list(text) })),
});
const clause = fields({
  ...{ apiGroup: optional(text), resources: list(text), namespaces: list(text), objectNames: list(text) },
  ...{ objectSelectors: list(selector), namespaceSelectors: list(selector), statusCollectors: list(text) },
});

/** Whether the spec has the structure of the definition: no server has validated the file yet. */
function isSpec(value: unknown): value is PolicySpec {
  return fields({ clusterSelectors: list(selector), downsync: list(clause) })(value);
}
