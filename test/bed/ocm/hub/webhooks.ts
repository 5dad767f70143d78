import type { AnyObject } from '../../kube/objects.ts';
import { mutatingWebhooks, validatingWebhooks } from '../../kube/resources.ts';
import type { Authority } from '../../plane/pki.ts';
import { hubNamespace } from '../names.ts';

/** Unprivileged, unlike the port that most webhook services use (facts 1.1: "port 9443"). */
const port = 9443;

/** The Service of one of the hub's programs; its pods carry the same name as label. */
export function serviceObject(program: string): AnyObject {
  const name = `cluster-manager-${program}`;
  const app = program === 'placement' ? `${name}-controller` : name;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: hubNamespace },
    spec: { selector: { app }, ports: [{ port, targetPort: port }] },
  };
}

/** The certificates that the webhooks serve with, and the configurations that make the API server ask them (facts 3.2). */
export function webhookObjects(signer: Authority): { serving: Promise<AnyObject[]>; configurations: AnyObject[] } {
  const programs = ['addon-webhook', 'placement-debug', 'registration-webhook', 'work-webhook'];
  const bundle: AnyObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'ca-bundle-configmap', namespace: hubNamespace },
    data: { 'ca-bundle.crt': signer.certPem },
  };
  const signerSecret = tlsSecret('signer-secret', { certPem: signer.certPem, keyPem: signer.keyPem });
  const serving = Promise.all(programs.map((program) => servingSecret(signer, program)));
  return {
    serving: serving.then((secrets) => [...secrets, signerSecret, bundle]),
    configurations: configurations(signer.certPem),
  };
}

async function servingSecret(signer: Authority, program: string): Promise<AnyObject> {
  const host = `cluster-manager-${program.replace('-debug', '')}.${hubNamespace}.svc`;
  return tlsSecret(`${program}-serving-cert`, await signer.issue({ commonName: host, hosts: [host] }));
}

function tlsSecret(name: string, { certPem, keyPem }: { certPem: string; keyPem: string }): AnyObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: hubNamespace },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': certPem, 'tls.key': keyPem },
  };
}

function configurations(caPem: string): AnyObject[] {
  const configuration = (
    kind: string,
    name: string,
    program: string,
    path: string,
    [group, version, resource]: string[],
  ): AnyObject => ({
    apiVersion: mutatingWebhooks.apiVersion,
    kind,
    metadata: { name },
    webhooks: [
      {
        name,
        failurePolicy: 'Fail',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        timeoutSeconds: 10,
        rules: [
          {
            operations: ['CREATE', 'UPDATE'],
            apiGroups: [group],
            apiVersions: [version],
            resources: [resource],
            scope: '*',
          },
        ],
        clientConfig: {
          service: { namespace: hubNamespace, name: `cluster-manager-${program}`, path, port },
          caBundle: Buffer.from(caPem).toString('base64'),
        },
      },
    ],
  });
  const cluster = 'cluster.open-cluster-management.io';
  return [
    configuration(
      mutatingWebhooks.kind,
      `managedclustermutators.admission.${cluster}`,
      'registration-webhook',
      '/mutate-cluster-open-cluster-management-io-v1-managedcluster',
      [cluster, 'v1', 'managedclusters'],
    ),
    configuration(
      validatingWebhooks.kind,
      `managedclustervalidators.admission.${cluster}`,
      'registration-webhook',
      '/validate-cluster-open-cluster-management-io-v1-managedcluster',
      [cluster, 'v1', 'managedclusters'],
    ),
    configuration(
      validatingWebhooks.kind,
      `managedclustersetbindingvalidators.admission.${cluster}`,
      'registration-webhook',
      '/validate-cluster-open-cluster-management-io-v1beta2-managedclustersetbinding',
      [cluster, 'v1beta2', 'managedclustersetbindings'],
    ),
    configuration(
      validatingWebhooks.kind,
      'manifestworkvalidators.admission.work.open-cluster-management.io',
      'work-webhook',
      '/validate-work-open-cluster-management-io-v1-manifestwork',
      ['work.open-cluster-management.io', 'v1', 'manifestworks'],
    ),
  ];
}
