import { type Document, isMap, LineCounter, parseAllDocuments } from 'yaml';
import { check, refuseFaults, type Schema, syntaxFaults } from '../../core/checked-yaml.ts';
import { StellarError } from '../../core/errors.ts';
import { readNamedOrStdin } from '../../core/named-file.ts';
import { partial } from '../../core/next-step.ts';
import { checkDnsName } from '../../core/object-names.ts';
import { yamlOfGo } from '../../core/text/formats.ts';
import type { BindingPolicy } from '../../ocm/model/kubestellar-names.ts';

/** Reads the BindingPolicy in a file, which may contain other objects. @throws StellarError `usage` */
export async function readPolicyFile(file: string, stdin: NodeJS.ReadableStream) {
  return parsePolicy(await readNamedOrStdin(file, 'policy', stdin), file);
}

/** @param source the name of the text in errors @throws StellarError `usage` with all faults, each with its line */
export function parsePolicy(text: string, source: string) {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    ...yamlOfGo,
    lineCounter: lines,
    prettyErrors: false,
  });
  const at = { file: source === '-' ? 'stdin' : source, lines };
  const faults = documents.flatMap((each) => syntaxFaults(each, at));
  refuseFaults('file', faults);
  const isPolicy = ({ contents }: Document) =>
    isMap(contents) && String(contents.get('kind')) === 'BindingPolicy';
  const [policy, another] = documents.filter(isPolicy);
  if (policy === undefined)
    throw new StellarError(
      'usage',
      `${source} has no BindingPolicy in it.`,
      partial('stellarctl policy get NAME -o manifest', 'It prints a policy as such a file'),
    );
  if (another !== undefined)
    throw new StellarError('usage', `${source} has more than one BindingPolicy in it.`);
  const { metadata, spec = {} } = policyIn(policy, source);
  refuseFaults('policy', check(policy, policySchema, at, true));
  checkDnsName(metadata.name, 'a binding policy');
  return { name: metadata.name, spec };
}

/**
 * What a document says, unchecked. A null field counts as absent, as in the API server.
 * @throws StellarError `usage` for an alias without its anchor, or of what it is a part of, and for too many
 */
function policyIn(document: Document, source: string): BindingPolicy {
  try {
    const text = JSON.stringify(
      document.toJS({ reviver: (_key, value) => (value === null ? undefined : value) }),
    );
    return JSON.parse(text) as BindingPolicy;
  } catch (error) {
    throw new StellarError('usage', `${source} has YAML aliases that cannot be read.`).with({
      cause: error,
    });
  }
}

const textSchema = { type: 'string' } as const;
const listSchema = (items: Schema): Schema => ({ type: 'array', items });
const fields = (properties: Record<string, Schema>, more: Partial<Schema> = {}): Schema => ({
  type: 'object',
  properties,
  additionalProperties: false,
  ...more,
});

const operator: Schema = { type: 'string', enum: ['In', 'NotIn', 'Exists', 'DoesNotExist'] };
const expression = fields(
  { key: textSchema, operator, values: listSchema(textSchema) },
  { required: ['key', 'operator'] },
);
const matchLabels: Schema = { type: 'object', additionalProperties: textSchema };
const selectors = listSchema(fields({ matchLabels, matchExpressions: listSchema(expression) }));

const choice: Schema = { type: 'boolean' };
const clause = fields({
  apiGroup: textSchema,
  resources: listSchema(textSchema),
  namespaces: listSchema(textSchema),
  objectNames: listSchema(textSchema),
  namespaceSelectors: selectors,
  objectSelectors: selectors,
  statusCollectors: listSchema(textSchema),
  createOnly: choice,
  wantSingletonReportedState: choice,
  wantMultiWECReportedState: choice,
});

/** kubestellar v0.30.0, api/control/v1alpha1/types.go: BindingPolicy. What the API server writes itself may be anything. */
const policySchema = fields(
  {
    apiVersion: { type: 'string', const: 'control.kubestellar.io/v1alpha1' },
    kind: textSchema,
    metadata: fields({ name: textSchema }, { required: ['name'], additionalProperties: {} }),
    spec: fields({ clusterSelectors: selectors, downsync: listSchema(clause) }),
    status: {},
  },
  { title: 'BindingPolicy', required: ['metadata'] },
);
