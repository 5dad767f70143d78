import { StellarError } from '../../core/errors.ts';
import { waitWhile } from '../../core/follow.ts';
import type { Run } from '../../core/run.ts';
import { partialReader } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { type KubeObject, resources, type Secret } from '../../kube/client/objects.ts';
import { isCrdServed } from '../../kube/discovery.ts';
import {
  bootstrapKubeconfig,
  bootstrapSecret,
  image,
  klusterlet,
} from '../../ocm/agent/klusterlet-agent.ts';
import {
  agentNamespaceObject,
  operatorNamespaceObject,
  operatorRoles,
  operatorWorkload,
  pullSecret,
  startOperator,
} from '../../ocm/agent/klusterlet-operator.ts';
import { readKlusterlet } from '../../ocm/agent/wec-evidence.ts';
import { verifyEndpoint } from '../../ocm/hub/endpoint.ts';
import type { HubAccess } from '../../ocm/hub/hub-access.ts';
import { readClusterInfo } from '../../ocm/hub/hub-kubeconfig.ts';
import {
  isOurs,
  klusterletCrdName,
  operatorNamespace,
  pullSecretName,
} from '../../ocm/model/ocm-names.ts';
import type { JoinOptions } from './join-options.ts';
import { agentSettings, endpointFor, type JoinPlan } from './join-plan.ts';

/** What an installation writes, and with what. */
export interface Installation extends Pick<JoinPlan, 'kube' | 'settings' | 'versions'> {
  apply: Apply;
  /** A docker config.json; undefined keeps the existing one. */
  imagePullSecret: string | undefined;
}

/** Applies an object, and counts what has changed. */
type Apply = (object: KubeObject) => Promise<void>;

/** An empty docker config: the operator copies the secret and requires it to exist. */
const noCredentials = '{}';

/** Installs the operator, rights first: nothing is left behind if the API server denies them. */
export async function installOperator(installation: Installation): Promise<void> {
  const { kube, settings, versions, apply, imagePullSecret } = installation;
  if (versions.installOperator)
    for (const object of operatorRoles(settings.tag)) await apply(object);
  if ((await kube.get(resources.customResourceDefinitions, klusterletCrdName)) === undefined)
    await apply(klusterletCrd());
  if (versions.installOperator) {
    await applyNamespace(kube, operatorNamespaceObject, apply);
    await applyPullSecret(kube, imagePullSecret, apply);
    for (const object of operatorWorkload(image(settings, 'registration-operator')))
      await apply(object);
  }
  if (versions.startOperator) await startOperator(kube, versions.startOperator);
}

/** Writes the bootstrap secret. @param isOwn whether its token was made for this WEC */
export async function writeBootstrap(
  { kube, endpoint, apply }: Pick<Installation, 'kube' | 'apply'> & Pick<JoinPlan, 'endpoint'>,
  token: string,
  isOwn: boolean,
): Promise<void> {
  await applyNamespace(kube, agentNamespaceObject, apply);
  await apply(bootstrapSecret(endpoint, token, kube.now(), isOwn));
}

/** Writes the Klusterlet once its kind is served. */
export async function writeKlusterlet(
  { kube, settings, apply }: Omit<Installation, 'versions' | 'imagePullSecret'>,
  run: Run,
): Promise<void> {
  await untilServed(kube, run);
  await apply(klusterlet(settings, await serverUrlsOf(kube)));
}

/**
 * The address of a WEC, which its ManagedCluster shows. OCM takes it with the first registration only (ocm pkg/registration/spoke), and
 * an agent restarts if it changes.
 */
async function serverUrlsOf(kube: Kube) {
  const present = await readKlusterlet(kube);
  if (present !== undefined) return present.spec?.externalServerURLs;
  const published = await readClusterInfo(partialReader(kube));
  return published && [{ url: published.server }];
}

/** A namespace that others created stays theirs: stellarctl does not label it, nor delete it later. */
async function applyNamespace(kube: Kube, namespace: KubeObject, apply: Apply) {
  const present = await kube.get(resources.namespaces, namespace.metadata.name);
  if (present === undefined || isOurs(present)) await apply(namespace);
}

async function applyPullSecret(kube: Kube, dockerConfig: string | undefined, apply: Apply) {
  const present = await kube.get(resources.secrets, pullSecretName, {
    namespace: operatorNamespace,
  });
  if (dockerConfig !== undefined || present === undefined)
    await apply(pullSecret(dockerConfig ?? noCredentials));
}

/** A new kind is established first, and served a moment later. */
async function untilServed(kube: Kube, run: Run) {
  const { context } = kube.cluster;
  const path = `/apis/${resources.klusterlets.apiVersion}/${resources.klusterlets.plural}`;
  const blocker = async () => {
    const isServed =
      (await isCrdServed(kube, klusterletCrdName)) && (await kube.read(path)) !== undefined;
    return isServed ? undefined : 'the kind Klusterlet is not served';
  };
  const late = () =>
    new StellarError('timeout', `${context} did not serve the kind Klusterlet in time.`);
  await waitWhile(blocker, run, late);
}

/**
 * The CustomResourceDefinition of Klusterlets, this project's own: it validates nothing and prunes nothing, because the operator
 * that reads the objects may be of any version. (Seen: OCM's operator 1.3.1 works with it if every field is set that would
 * otherwise get a default.) Group, names and subresource are those of ocm's manifests.
 */
export function klusterletCrd(): KubeObject {
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const description = 'The agent that registers this cluster with an OCM hub.';
  const openAPIV3Schema = {
    type: 'object',
    description,
    properties: { spec: anything, status: anything },
  };
  const version = {
    name: 'v1',
    served: true,
    storage: true,
    subresources: { status: {} },
    schema: { openAPIV3Schema },
  };
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: klusterletCrdName },
    spec: {
      group: 'operator.open-cluster-management.io',
      names: {
        kind: 'Klusterlet',
        listKind: 'KlusterletList',
        plural: 'klusterlets',
        singular: 'klusterlet',
      },
      scope: 'Cluster',
      versions: [version],
    },
  };
  return definition;
}

/** Replaces the bootstrap token in output; a token is never printed. */
export const tokenPlaceholder = 'BOOTSTRAP_TOKEN';

/**
 * Everything that a join would apply to a WEC, for users who apply it with other tools (GitOps). They supply the bootstrap token
 * and the credentials of a pull secret: the first is a placeholder, the second is empty.
 */
export async function joinManifests(
  access: HubAccess,
  name: string,
  options: JoinOptions,
  run: Run,
): Promise<KubeObject[]> {
  const settings = agentSettings(access, name, undefined, options);
  const endpoint = await endpointFor(access, name, options);
  const unverified = await verifyEndpoint(access.its, endpoint, run);
  if (unverified !== undefined) run.progress.note(unverified);
  const { data: _, ...secret } = bootstrapSecret(endpoint, tokenPlaceholder) as Secret;
  const stringData = { kubeconfig: bootstrapKubeconfig(endpoint, tokenPlaceholder) };
  const readableSecret: KubeObject & { stringData: object } = { ...secret, stringData };
  return [
    ...operatorRoles(settings.tag),
    klusterletCrd(),
    operatorNamespaceObject,
    pullSecret('{}'),
    ...operatorWorkload(image(settings, 'registration-operator')),
    agentNamespaceObject,
    readableSecret,
    klusterlet(settings),
  ];
}
