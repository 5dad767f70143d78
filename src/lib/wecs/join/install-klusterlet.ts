import { StellarError } from '../../core/errors.ts';
import { command, run as nextStep } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import { waitWhile } from '../../core/until-met.ts';
import { partialReader } from '../../kube/access.ts';
import type { Change, Kube } from '../../kube/client/client.ts';
import { type KubeObject, resources, type Secret } from '../../kube/client/objects.ts';
import { isCrdServed } from '../../kube/discovery.ts';
import {
  type AgentSettings,
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
import { type HubConnection, verifyEndpoint } from '../../ocm/hub/endpoint.ts';
import type { HubAccess } from '../../ocm/hub/hub-access.ts';
import { readClusterInfo } from '../../ocm/hub/hub-kubeconfig.ts';
import {
  isOurs,
  klusterletCrdName,
  klusterletName,
  operatorNamespace,
  pullSecretName,
} from '../../ocm/model/ocm-names.ts';
import type { Klusterlet } from '../../ocm/model/ocm-objects.ts';
import type { JoinOptions } from './join-options.ts';
import { agentSettings, endpointFor, type VersionPlan } from './join-plan.ts';

export interface Installation extends Omit<VersionPlan, 'kept' | 'replaced'> {
  settings: AgentSettings;
  /** A docker config.json; undefined keeps the existing one. */
  imagePullSecret: string | undefined;
  /** What to write into the bootstrap secret; undefined keeps the existing one. */
  bootstrap: { hub: HubConnection; token: string; isOwn: boolean } | undefined;
}

export type ChangeCounts = Record<Change, number>;

type Apply = (object: KubeObject) => Promise<void>;

/** An empty docker config: the operator copies the secret and requires it to exist. */
const noCredentials = '{}';

/**
 * Installs the klusterlet with server-side apply, in an order that leaves nothing behind if the API server denies it: rights first,
 * then the kind, the namespaces, the operator, the bootstrap secret and, once its kind is served, the Klusterlet.
 * @param counts updated during the installation, to show an interrupted one as well
 */
export async function installKlusterlet(
  kube: Kube,
  installation: Installation,
  counts: ChangeCounts,
  run: Run,
): Promise<void> {
  const apply: Apply = async (object) => {
    counts[await kube.apply(object)] += 1;
  };
  if (installation.installOperator) {
    for (const object of operatorRoles(installation.settings.tag)) await apply(object);
  }
  if ((await kube.get(resources.customResourceDefinitions, klusterletCrdName)) === undefined)
    await apply(klusterletCrd());
  if (installation.installOperator) {
    await applyNamespace(kube, operatorNamespaceObject, apply);
    await applyPullSecret(kube, installation.imagePullSecret, apply);
    for (const object of operatorWorkload(image(installation.settings, 'registration-operator')))
      await apply(object);
  }
  if (installation.startOperator) {
    await startOperator(kube, installation.startOperator);
    counts.changed += 1;
  }
  if (installation.bootstrap !== undefined) {
    await applyNamespace(kube, agentNamespaceObject, apply);
    const { hub, token, isOwn } = installation.bootstrap;
    await apply(bootstrapSecret(hub, token, kube.now(), isOwn));
  }
  if (installation.writeKlusterlet) {
    await untilServed(kube, run);
    await apply(klusterlet(installation.settings, await serverUrlsOf(kube)));
  }
}

/**
 * The address of a WEC, which its ManagedCluster shows. OCM takes it with the first registration only (ocm pkg/registration/spoke), and
 * an agent restarts if it changes.
 */
async function serverUrlsOf(kube: Kube): Promise<{ url: string }[] | undefined> {
  const present = await kube.get<Klusterlet>(resources.klusterlets, klusterletName);
  if (present !== undefined) return present.spec?.externalServerURLs;
  const published = await readClusterInfo(partialReader(kube));
  return published && [{ url: published.server }];
}

/** A namespace that others created stays theirs: stellarctl does not label it, nor delete it later. */
async function applyNamespace(kube: Kube, namespace: KubeObject, apply: Apply): Promise<void> {
  const present = await kube.get(resources.namespaces, namespace.metadata.name);
  if (present === undefined || isOurs(present)) await apply(namespace);
}

async function applyPullSecret(
  kube: Kube,
  dockerConfig: string | undefined,
  apply: Apply,
): Promise<void> {
  const present = await kube.get(resources.secrets, pullSecretName, {
    namespace: operatorNamespace,
  });
  if (dockerConfig !== undefined || present === undefined)
    await apply(pullSecret(dockerConfig ?? noCredentials));
}

/** A new kind is established first, and served a moment later. */
async function untilServed(kube: Kube, run: Run): Promise<void> {
  const { context } = kube.cluster;
  const path = `/apis/${resources.klusterlets.apiVersion}/${resources.klusterlets.plural}`;
  const blocker = async () => {
    const isServed =
      (await isCrdServed(kube, klusterletCrdName)) && (await kube.read(path)) !== undefined;
    return isServed ? undefined : 'the kind Klusterlet is not served';
  };
  const late = () =>
    new StellarError('timeout', `${context} did not serve the kind Klusterlet in time.`, {
      next: [
        nextStep(
          command`kubectl --context ${context} describe crd ${klusterletCrdName}`,
          'Look at it',
        ),
      ],
    });
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
