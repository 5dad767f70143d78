import { StellarError } from '../../core/errors.ts';
import { advice } from '../../core/next-step.ts';
import { compareVersions } from '../../core/text/version.ts';
import type { Kube } from '../../kube/client/client.ts';
import {
  type ClusterRole,
  type CustomResourceDefinition,
  type Deployment,
  type PolicyRule,
  resources,
} from '../../kube/client/objects.ts';
import { parseImage } from '../../kube/image.ts';
import { isScaledToNone } from '../../kube/pods.ts';
import { retryConflicts } from '../../kube/writes.ts';
import {
  clusterManagerName,
  isOcmVersion,
  klusterletCrdName,
  operatorName,
  operatorNamespace,
  tagOf,
} from '../model/ocm-names.ts';
import { ocmMinors } from '../model/ocm-versions.ts';

const minorOf = (version: string) => version.replace(/^v/, '').split('.', 2).join('.');

/**
 * Checks that an upgrade goes to a version whose needs are known, and not below what runs.
 * @param what the subject, and what it runs: as `cluster1 runs`
 * @param from undefined if its images do not say it
 * @throws StellarError `usage`, `version-differs`
 */
export function checkUpgrade(what: string, from: string | undefined, to: string): void {
  const known = Object.keys(ocmMinors);
  if (!isOcmVersion(to) || !known.includes(minorOf(to)))
    throw new StellarError(
      'usage',
      `OCM ${to} is no version that stellarctl upgrades to: it knows what ${known[0]} to ${known.at(-1)} need.`,
    );
  if (from === undefined || !isOcmVersion(from)) return;
  const refuse = (why: string) =>
    new StellarError('version-differs', `${what} OCM ${from}${why}. Nothing was written.`);
  if (compareVersions(from, to) > 0) throw refuse(`, and a downgrade to ${to} is not supported`);
  if (!known.includes(minorOf(from))) throw refuse(`; stellarctl upgrades from ${known[0]} on`);
}

/**
 * Gives images another version: a function of the reference that is used, if there is one, and of the repository.
 * @param registry if it changes
 * @throws StellarError `usage` if the image is named by its digest or otherwise than by a version: what runs is then unknown
 */
export const toVersion =
  (version: string, registry: string | undefined) =>
  (present: string | undefined, repository: string) => {
    const reference = present ?? `${registry ?? ''}/${repository}`;
    const image = parseImage(reference);
    const isByVersion = isOcmVersion(image?.tag ?? '') && !reference.includes('@');
    if (image === undefined || (registry === undefined && !isByVersion))
      throw new StellarError(
        'usage',
        `The image ${reference} is not named by a version. Nothing was written.`,
        advice('Give the registry of images that are: --image-registry REGISTRY'),
      );
    return `${registry ?? image.registry}/${image.repository}:${tagOf(version)}`;
  };

/** The image of an operator, whose pod may have containers of others; undefined if it has none. */
export function operatorImage(operator: Deployment | undefined): string | undefined {
  const images = (operator?.spec?.template?.spec?.containers ?? []).map(({ image }) => image);
  return images.find((image) => /\/registration-operator(?:[:@]|$)/.test(image ?? '')) ?? images[0];
}

/**
 * Has an operator run another image, and starts one that is scaled to zero. That of a hub gives it to agents that it runs itself (ocm,
 * AGENT_IMAGE).
 */
export const changeOperator = (
  kube: Kube,
  { metadata: { name, uid } }: Deployment,
  image: string,
) =>
  retryConflicts(kube, async () => {
    const on = { namespace: operatorNamespace };
    const operator = await kube.get<Deployment>(resources.deployments, name, on);
    const { metadata, spec } = operator ?? {};
    const containers = spec?.template?.spec?.containers?.map((container) => {
      if (container.image !== operatorImage(operator)) return container;
      const env = container.env?.map((each) =>
        each.name === 'AGENT_IMAGE' ? { ...each, value: image } : each,
      );
      return { ...container, image, ...(env && { env }) };
    });
    const guard = { uid, resourceVersion: metadata?.resourceVersion };
    const start = operator !== undefined && isScaledToNone(operator) && { replicas: 1 };
    const patch = { metadata: guard, spec: { ...start, template: { spec: { containers } } } };
    await kube.merge(resources.deployments, name, patch, on);
  });

/** Where an operator has its rights, a ClusterRole, and what it reads its fields, a CustomResourceDefinition. */
const places = {
  hub: {
    role: clusterManagerName,
    definition: 'clustermanagers.operator.open-cluster-management.io',
  },
  wec: { role: operatorName, definition: klusterletCrdName },
};

/** Adds the rights and fields that a version needs and earlier ones did not. Nothing is removed. @returns whether any was missing */
export const ensureRequirements = (kube: Kube, side: keyof typeof places, to: string) =>
  retryConflicts(kube, async () => {
    const { role, definition } = places[side];
    const needed = neededUpTo(minorOf(to));
    const found = await kube.get<ClusterRole>(resources.clusterRoles, role);
    const missing = needed
      .flatMap(({ hubRules = [] }) => (side === 'hub' ? hubRules : []))
      .filter((wanted) => !found?.rules?.some((rule) => covers(rule, wanted)));
    if (found !== undefined && missing.length > 0) {
      const { uid, resourceVersion } = found.metadata;
      const rules = [...(found.rules ?? []), ...missing];
      await kube.merge(resources.clusterRoles, role, { metadata: { uid, resourceVersion }, rules });
    }
    const crd = await kube.get<CustomResourceDefinition>(
      resources.customResourceDefinitions,
      definition,
    );
    const fields = needed.flatMap(({ hubFields = [], wecFields = [] }) =>
      side === 'hub' ? hubFields : wecFields,
    );
    const versions = structuredClone(crd?.spec?.versions ?? []);
    const opened = versions.flatMap(({ schema }) => {
      const spec = (schema?.openAPIV3Schema as CrdSchema | undefined)?.properties?.spec;
      return fields.filter((field) => spec !== undefined && openField(spec, field.split('.')));
    });
    if (crd !== undefined && opened.length > 0) {
      const { uid, resourceVersion } = crd.metadata;
      const patch = { metadata: { uid, resourceVersion }, spec: { versions } };
      await kube.merge(resources.customResourceDefinitions, definition, patch);
    }
    return missing.length + opened.length > 0;
  });

/** What an OCM of a minor version needs, and those before it. */
function neededUpTo(minor: string) {
  const minors = Object.keys(ocmMinors);
  return minors.slice(0, minors.indexOf(minor) + 1).flatMap((each) => ocmMinors[each] ?? []);
}

function covers(rule: PolicyRule, wanted: PolicyRule) {
  const hasAll = (have: string[] = [], want: string[] = []) =>
    have.includes('*') || want.every((each) => have.includes(each));
  return (
    hasAll(rule.apiGroups, wanted.apiGroups) &&
    hasAll(rule.resources, wanted.resources) &&
    hasAll(rule.verbs, wanted.verbs) &&
    (!rule.resourceNames?.length ||
      (wanted.resourceNames !== undefined && hasAll(rule.resourceNames, wanted.resourceNames)))
  );
}

interface CrdSchema {
  properties?: Record<string, CrdSchema>;
  [keyword: string]: unknown;
}

/**
 * Makes an API server keep a field of any content, as stellarctl's own definition of Klusterlets does: it drops fields that are not
 * defined. @returns whether it was missing
 */
function openField(schema: CrdSchema, [first = '', ...rest]: string[]): boolean {
  if (schema['x-kubernetes-preserve-unknown-fields'] === true || schema.properties === undefined)
    return false;
  const present = schema.properties[first];
  if (present !== undefined) return rest.length > 0 && openField(present, rest);
  schema.properties[first] = { 'x-kubernetes-preserve-unknown-fields': true };
  return true;
}
