import type { AnyObject } from '../../kube/objects.ts';
import { mutatingWebhooks, type Resource, validatingWebhooks } from '../../kube/resources.ts';
import type { Authority, KeyPair } from '../../plane/pki.ts';
import { hubNamespace } from '../names.ts';

/** The port on which the webhooks of the hub listen in their pods (ocm manifests/cluster-manager/hub). */
export const webhookPort = 9443;
/** The port of their Services: unprivileged, and one that no other program of this machine takes, as kind's ingress takes 9443. */
const port = 65_443;

/** The Service of one of the hub's programs; its pods carry the Deployment's name as label. */
export function serviceObject(program: string): AnyObject {
  const name = `cluster-manager-${program}`;
  const app = program === 'placement' ? `${name}-controller` : name;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: hubNamespace },
    spec: { selector: { app }, ports: [{ port, targetPort: webhookPort }] },
  };
}

/** The serving certificate of the hub's programs, and its CA. */
export async function servingObjects(signer: Authority): Promise<AnyObject[]> {
  const programs = ['addon-webhook', 'placement-debug', 'registration-webhook', 'work-webhook'];
  const bundle = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'ca-bundle-configmap', namespace: hubNamespace },
    data: { 'ca-bundle.crt': signer.certPem },
  };
  const serving = programs.map(async (program) => {
    const host = `cluster-manager-${program.replace('-debug', '')}.${hubNamespace}.svc`;
    return tlsSecret(`${program}-serving-cert`, await signer.issue({ commonName: host, hosts: [host] }));
  });
  return [bundle, ...(await Promise.all(serving))];
}

/** The objects that store the CA of its programs' certificates. */
export function signerSecret(signer: KeyPair): AnyObject {
  return tlsSecret('signer-secret', signer);
}

function tlsSecret(name: string, { certPem, keyPem }: KeyPair): AnyObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: hubNamespace },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': certPem, 'tls.key': keyPem },
  };
}

/** Registers the webhooks with the API server (ocm manifests/cluster-manager/hub/registration/webhook-*.yaml). */
export function webhookConfigurations(caPem: string): AnyObject[] {
  const cluster = 'cluster.open-cluster-management.io';
  const work = 'work.open-cluster-management.io';
  const registration = 'registration-webhook';
  return [
    configuration(mutatingWebhooks, `managedclustermutators.admission.${cluster}`, registration, caPem, {
      path: '/mutate-cluster-open-cluster-management-io-v1-managedcluster',
      rule: { apiGroups: [cluster], apiVersions: ['v1'], resources: ['managedclusters'] },
    }),
    configuration(validatingWebhooks, `managedclustervalidators.admission.${cluster}`, registration, caPem, {
      path: '/validate-cluster-open-cluster-management-io-v1-managedcluster',
      rule: { apiGroups: [cluster], apiVersions: ['v1'], resources: ['managedclusters'] },
    }),
    configuration(validatingWebhooks, `managedclustersetbindingvalidators.admission.${cluster}`, registration, caPem, {
      path: '/validate-cluster-open-cluster-management-io-v1beta2-managedclustersetbinding',
      rule: { apiGroups: [cluster], apiVersions: ['v1beta2'], resources: ['managedclustersetbindings'] },
    }),
    configuration(validatingWebhooks, `manifestworkvalidators.admission.${work}`, 'work-webhook', caPem, {
      path: '/validate-work-open-cluster-management-io-v1-manifestwork',
      rule: { apiGroups: [work], apiVersions: ['v1'], resources: ['manifestworks'] },
    }),
  ];
}

function configuration(
  { apiVersion, kind }: Resource,
  name: string,
  program: string,
  caPem: string,
  { path, rule }: { path: string; rule: object },
): AnyObject {
  const service = { namespace: hubNamespace, name: `cluster-manager-${program}`, path, port };
  const webhook = {
    name,
    failurePolicy: 'Fail',
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    timeoutSeconds: 10,
    rules: [{ operations: ['CREATE', 'UPDATE'], scope: '*', ...rule }],
    clientConfig: { service, caBundle: Buffer.from(caPem).toString('base64') },
  };
  return { apiVersion, kind, metadata: { name }, webhooks: [webhook] };
}
