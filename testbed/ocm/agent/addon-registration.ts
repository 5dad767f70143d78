import { X509Certificate } from 'node:crypto';
import type { Api } from '../../kube/api.ts';
import { apply } from '../../kube/apply.ts';
import { isNotFound } from '../../kube/errors.ts';
import { Informer } from '../../kube/informer.ts';
import type { CurrentContext } from '../../kube/kubeconfig.ts';
import type { CertificateSigningRequest, KubeObject, Secret } from '../../kube/objects.ts';
import { certificateSigningRequests, managedClusterAddOns, secrets } from '../../kube/resources.ts';
import { WorkQueue } from '../../kube/work-queue.ts';
import type { PodContext } from '../../pod-runner/program.ts';
import { addonNameLabel, addonNamespace, clientSigner, clusterNameLabel } from '../names.ts';
import { newRequest, requestObject } from './certificate-request.ts';
import { hubFiles, type Identity } from './hub-kubeconfig.ts';

/** After a Secret could not be written because its namespace does not exist, in milliseconds. */
const namespacePause = 1_000;

/** An add-on in the mailbox, as far as its agent must be registered. */
interface Addon extends KubeObject {
  spec?: { installNamespace?: string };
  status?: {
    namespace?: string;
    registrations?: { signerName: string; subject?: { user: string; groups?: string[] } }[];
  };
}

interface AddonParts {
  context: PodContext;
  hub: Api;
  bootstrapped: CurrentContext;
  identity: Identity;
}

/**
 * Registers the agents of add-ons: requests the certificate that an add-on's status names from the hub, and stores it with a
 * kubeconfig in Secret NAME-hub-kubeconfig of the add-on's namespace (ocm pkg/registration/spoke/addon). Renewal is left out.
 */
export function registerAddons({ context, hub, bootstrapped, identity }: AddonParts, signal: AbortSignal): void {
  const { api, log } = context;
  const { cluster } = identity;
  const pending = new Map<string, { request: string; keyPem: string }>();
  const sync = async (name: string) => {
    await Promise.all([addons.synced, requests.synced]);
    const addon = addons.items.get(`${cluster}/${name}`);
    const subject = addon?.status?.registrations?.find(({ signerName }) => signerName === clientSigner)?.subject;
    if (!addon || addon.metadata.deletionTimestamp || !subject) return;
    const namespace = addon.status?.namespace ?? addon.spec?.installNamespace ?? addonNamespace;
    const secret = { name: `${name}-hub-kubeconfig`, namespace };
    const made = pending.get(name);
    if (!made) {
      if (isGood(await api.find<Secret>(secrets, `${secret.namespace}/${secret.name}`))) return;
      const { requestPem, keyPem } = await newRequest(subject.user, subject.groups ?? []);
      const { metadata, spec } = requestObject(cluster, requestPem, 0);
      const labels = { ...metadata.labels, [addonNameLabel]: name };
      const wanted = { metadata: { generateName: `addon-${cluster}-${name}-`, labels }, spec };
      const created = await hub.create<CertificateSigningRequest>(certificateSigningRequests, wanted);
      pending.set(name, { request: created.metadata.name, keyPem });
      return;
    }
    const { certificate } = requests.items.get(made.request)?.status ?? {};
    if (!certificate) return;
    const files = hubFiles(bootstrapped, identity, Buffer.from(certificate, 'base64').toString(), made.keyPem);
    const encoded = Object.entries(files).map(([file, text]) => [file, Buffer.from(text).toString('base64')]);
    const data = Object.fromEntries(encoded) as Record<string, string>;
    await apply<Secret>(api, { apiVersion: secrets.apiVersion, kind: secrets.kind, metadata: secret, data });
    pending.delete(name);
  };
  const queue = new WorkQueue(
    (name) =>
      sync(name).catch((error) => {
        if (!isNotFound(error)) throw error;
        queue.addAfter(name, namespacePause);
      }),
    signal,
    (name, { message }) => log(`failed to register add-on ${name}: ${message}`),
  );
  const onError = ({ message }: Error) => log(message);
  const addons = new Informer<Addon>(
    hub,
    managedClusterAddOns,
    { namespace: cluster, onError, onChange: ({ metadata }) => queue.add(metadata.name) },
    signal,
  );
  const requests = new Informer<CertificateSigningRequest>(
    hub,
    certificateSigningRequests,
    {
      labelSelector: `${clusterNameLabel}=${cluster},${addonNameLabel}`,
      onError,
      onChange: ({ metadata }, change) => {
        const name = metadata.labels?.[addonNameLabel] ?? '';
        if (change === 'deleted' && pending.get(name)?.request === metadata.name) pending.delete(name);
        queue.add(name);
      },
    },
    signal,
  );
}

function isGood(secret: Secret | undefined): boolean {
  const certificate = secret?.data?.['tls.crt'];
  return (
    certificate !== undefined &&
    Date.parse(new X509Certificate(Buffer.from(certificate, 'base64')).validTo) > Date.now()
  );
}
