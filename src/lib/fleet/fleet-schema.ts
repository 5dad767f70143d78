import { labelKeyProblem, labelValueProblem } from '../core/changes.ts';
import type { Rule } from '../core/checked-yaml.ts';
import { StellarError } from '../core/errors.ts';
import { checkDnsLabel } from '../core/object-names.ts';
import { propertyKeyProblem } from '../ocm/model/customization.ts';
import { agentModes, joinOptionProblems } from '../wecs/join/join-options.ts';

const nameOf =
  (what: string): Rule =>
  (name) => {
    try {
      checkDnsLabel(name, what);
      return undefined;
    } catch (error) {
      if (error instanceof StellarError) return error.why;
      throw error;
    }
  };

const text = <Text extends string>(description: Text, rule?: Rule) =>
  ({ type: 'string', description, ...(rule && { rule }) }) as const;
const oneOf = <const Words extends readonly string[]>(description: string, words: Words) =>
  ({ type: 'string', description, enum: words }) as const;
const values = (description: string, keyRule: Rule, rule?: Rule) =>
  ({
    type: 'object',
    description,
    keyRule,
    additionalProperties: { type: 'string', ...(rule && { rule }) },
  }) as const;

/** An object that has a name. */
const namedSchema = <const Fields extends { name: object }>(properties: Fields) =>
  ({ type: 'object', additionalProperties: false, required: ['name'], properties }) as const;
const listOf = <const Item>(items: Item) => ({ type: 'array', items }) as const;

/** By its own annotations stellarctl tells clusters and fleets apart. */
const annotationProblem: Rule = (key) =>
  key.startsWith('stellarctl.kubestellar.io/')
    ? 'only stellarctl itself sets it'
    : labelKeyProblem(key);

const join = {
  type: 'object',
  description: 'How its agent is installed, as the options of `stellarctl wec join`.',
  additionalProperties: false,
  properties: {
    hubApiserver: text(
      'The address of the ITS: https://…, context or published.',
      joinOptionProblems.hubApiserver,
    ),
    caFile: text('The file with the certificate authority that the WEC trusts for the ITS.'),
    proxyUrl: text('The proxy through which the WEC reaches the ITS.', joinOptionProblems.proxyUrl),
    mode: oneOf('One Deployment for both agents (Singleton), or one for each.', agentModes),
    ocmVersion: text(
      "The version of the agents (default: the hub's own).",
      joinOptionProblems.ocmVersion,
    ),
    imageRegistry: text("The registry of the agents' images (default: the hub's)."),
    imagePullSecret: text('A docker config.json with the credentials for it.'),
  },
} as const;

const valuesOfWec = {
  labels: values('Labels of the ManagedCluster.', labelKeyProblem, labelValueProblem),
  annotations: values('Annotations of the ManagedCluster.', annotationProblem),
  properties: values(
    'Properties for customized workloads, in the ConfigMap of the WEC.',
    propertyKeyProblem,
  ),
  join,
} as const;

const spaceName = (what: string) => text('Its name.', nameOf(what));
const typeOfSpace = <const Types extends readonly string[]>(types: Types) =>
  oneOf(`The type of its control plane (default: ${types[0]}).`, types);

const spaces = {
  type: 'object',
  description: 'ITSes and WDSes that are created if they are missing, and never deleted.',
  additionalProperties: false,
  properties: {
    its: listOf(
      namedSchema({ name: spaceName('an ITS'), type: typeOfSpace(['vcluster', 'host']) }),
    ),
    wds: listOf(
      namedSchema({
        name: spaceName('a WDS'),
        type: typeOfSpace(['k8s', 'host']),
        its: text('The ITS to send workloads through; required if there are several.'),
        guard: {
          type: 'boolean',
          description: 'Whether it gets a guard, as by `stellarctl wds guard`, when it is created.',
        },
      }),
    ),
  },
} as const;

/** A Fleet (JSON Schema, draft 2020-12): the one description of the file, from which types, checks and editors' help derive. */
export const fleetSchema = {
  title: 'Fleet',
  type: 'object',
  description: 'WECs of an ITS, as `stellarctl fleet apply` registers and labels them.',
  additionalProperties: false,
  required: ['apiVersion', 'kind', 'metadata'],
  properties: {
    apiVersion: { type: 'string', const: 'stellarctl.kubestellar.io/v1alpha1' },
    kind: { type: 'string', const: 'Fleet' },
    metadata: namedSchema({
      name: text('The name of the fleet, under which it owns labels.', nameOf('a fleet')),
    }),
    spaces,
    defaults: {
      type: 'object',
      description: 'What every WEC of this document has, unless it says otherwise.',
      additionalProperties: false,
      properties: valuesOfWec,
    },
    wecs: listOf(
      namedSchema({
        name: text('Its name on the ITS.', nameOf('a WEC')),
        context: text('Its context. Without one it is not registered, only labelled.'),
        kubeconfig: text(
          'The kubeconfig with that context, relative to this file (default: the usual one).',
        ),
        ...valuesOfWec,
      }),
    ),
  },
} as const;

/** The type of what a schema describes. */
type TypeOf<S> = S extends { const: infer Value }
  ? Value
  : S extends { enum: readonly (infer Value)[] }
    ? Value
    : S extends { type: 'string' }
      ? string
      : S extends { type: 'boolean' }
        ? boolean
        : S extends { items: infer Item }
          ? TypeOf<Item>[]
          : S extends { properties: infer All; required: readonly (infer Required)[] }
            ? { [Key in keyof All as Extract<Key, Required>]: TypeOf<All[Key]> } & {
                [Key in keyof All as Exclude<Key, Required>]?: TypeOf<All[Key]>;
              }
            : S extends { properties: infer All }
              ? { [Key in keyof All]?: TypeOf<All[Key]> }
              : S extends { additionalProperties: infer Value }
                ? Record<string, TypeOf<Value>>
                : never;

/** One document of a fleet. */
export type FleetDocument = TypeOf<typeof fleetSchema>;
export type JoinSettings = TypeOf<typeof join>;
