import { stringify } from 'yaml';
import { rfc3339 } from '../../core/deadline.ts';
import { yamlOfGo } from '../../core/text/formats.ts';
import { clusterAt } from '../../kube/client/client.ts';
import { createdAt, type Secret, textIn } from '../../kube/client/objects.ts';
import { claimsOf } from '../../kube/client/validity.ts';
import type { HubConnection } from '../hub/endpoint.ts';
import { type KnownHub, parseHubKubeconfig } from '../hub/hub-kubeconfig.ts';
import {
  agentNamespace,
  bootstrapSecretName,
  klusterletName,
  managedBy,
  managedByLabel,
} from '../model/ocm-names.ts';
import type { KlusterletMode } from '../model/ocm-objects.ts';
import type { WecEvidence } from './wec-evidence.ts';

export interface AgentSettings {
  clusterName: string;
  mode: Extract<KlusterletMode, 'Singleton' | 'Default'>;
  /** As `quay.io/open-cluster-management`. */
  imageRegistry: string;
  /** As `v1.3.1`. */
  tag: string;
}

export const image = (
  { imageRegistry, tag }: Pick<AgentSettings, 'imageRegistry' | 'tag'>,
  repository: string,
) => `${imageRegistry}/${repository}:${tag}`;

/**
 * The Klusterlet. It sets every field that has a default in OCM's own definition, because an existing definition may be
 * stellarctl's, which has no defaults (see wecs/join/install-klusterlet.ts).
 * @param externalServerURLs the addresses of the WEC
 */
export function klusterlet(
  settings: AgentSettings,
  externalServerURLs?: readonly { url: string }[],
) {
  return {
    apiVersion: 'operator.open-cluster-management.io/v1',
    kind: 'Klusterlet',
    metadata: { name: klusterletName, labels: { [managedByLabel]: managedBy } },
    spec: {
      clusterName: settings.clusterName,
      namespace: agentNamespace,
      deployOption: { mode: settings.mode },
      externalServerURLs,
      imagePullSpec: image(settings, 'registration-operator'),
      registrationImagePullSpec: image(settings, 'registration'),
      workImagePullSpec: image(settings, 'work'),
      resourceRequirement: { type: 'Default' },
      registrationConfiguration: {
        bootstrapKubeConfigs: { type: 'None' },
        clientCertExpirationSeconds: 31536000,
        featureGates: ['AddonManagement', 'ClusterClaim'].map((feature) => ({
          feature,
          mode: 'Enable',
        })),
        kubeAPIQPS: 50,
        kubeAPIBurst: 100,
        registrationDriver: { authType: 'csr' },
      },
    },
  };
}

/**
 * The kubeconfig with which an agent first reaches its hub, YAML. The agent later copies server, authority and proxy into its own
 * kubeconfig, and registers again when one of them, or the name of the cluster entry, changes (ocm pkg/registration/spoke).
 */
export function bootstrapKubeconfig({ proxyUrl, ...hub }: HubConnection, token: string): string {
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'hub', cluster: { ...clusterAt(hub), 'proxy-url': proxyUrl } }],
    users: [{ name: 'bootstrap', user: { token } }],
    contexts: [
      { name: 'bootstrap', context: { cluster: 'hub', user: 'bootstrap', namespace: 'default' } },
    ],
    'current-context': 'bootstrap',
  };
  return stringify(kubeconfig, yamlOfGo);
}

/** When the bootstrap secret was last written, by the WEC's clock, RFC 3339: older evidence is about the one before. */
const writtenAnnotation = 'stellarctl.kubestellar.io/written-at';

/** The id of the token in a bootstrap secret, if it was made for this WEC alone: those of join files may have several holders. */
const ownTokenAnnotation = 'stellarctl.kubestellar.io/own-token';

export const ownTokenOf = (secret: Secret | undefined) =>
  secret?.metadata.annotations?.[ownTokenAnnotation];

/**
 * @param written now, milliseconds since the epoch; undefined for a secret that another program applies
 * @param isOwn whether the token was made for this WEC alone
 */
export function bootstrapSecret(
  hub: HubConnection,
  token: string,
  written?: number,
  isOwn = false,
) {
  const id = isOwn ? claimsOf(token).id : undefined;
  const byToken = id === undefined ? {} : { [ownTokenAnnotation]: id };
  const annotations =
    written === undefined
      ? {}
      : { annotations: { [writtenAnnotation]: rfc3339(written), ...byToken } };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: bootstrapSecretName, namespace: agentNamespace, ...annotations },
    type: 'Opaque',
    data: { kubeconfig: Buffer.from(bootstrapKubeconfig(hub, token)).toString('base64') },
  };
}

/** When a bootstrap secret was last written, in milliseconds since the epoch. */
export const secretWrittenAt = (secret: Secret) =>
  Date.parse(secret.metadata.annotations?.[writtenAnnotation] ?? '') || createdAt(secret);

/** The hub and the token in a secret's kubeconfig. Undefined if it cannot be read. */
export const readHubKubeconfig = (secret: Secret | undefined): KnownHub | undefined =>
  secret && parseHubKubeconfig(textIn(secret, 'kubeconfig'));

/** The hub that a WEC's agent is registered with, or will register with. */
export const hubOf = ({
  hubSecret,
  bootstrapSecret,
}: Pick<WecEvidence, 'hubSecret' | 'bootstrapSecret'>) =>
  readHubKubeconfig(hubSecret) ?? readHubKubeconfig(bootstrapSecret);
