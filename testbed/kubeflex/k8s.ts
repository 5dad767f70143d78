import { createHash } from 'node:crypto';
import { kubeconfigOf } from '../kube/kubeconfig.ts';
import type { AnyObject, Secret } from '../kube/objects.ts';
import { deployments, secrets } from '../kube/resources.ts';
import { Authority, type KeyPair, newKeyPem, publicPem } from '../plane/pki.ts';
import type { KubeFlexConfig, Reconciled } from './cluster.ts';
import { ensureIngress } from './ingress.ts';
import {
  adminSecret,
  apiServerName,
  certsSecret,
  controllerManagerName,
  controllerManagerSecret,
  inClusterKey,
  kubeconfigKey,
  postgresSecret,
  securePort,
  systemNamespace,
} from './names.ts';

const kubernetesVersion = 'v1.29.9';
const pki = '/etc/kubernetes/pki';

/** The controllers of such a control plane, which run no workloads. */
export const controllers = [
  'csrapproving',
  'csrcleaner',
  'csrsigning',
  'namespace',
  'root-ca-cert-publisher',
  'serviceaccount',
  'serviceaccount-token',
  'bootstrapsigner',
  'tokencleaner',
  'garbagecollector',
  'pv-protection',
  'pvc-protection',
];

/** Type k8s: kube-apiserver on the shared PostgreSQL and a kube-controller-manager, each a Deployment. */
export async function reconcileK8s(its: Reconciled, config: KubeFlexConfig): Promise<void> {
  const { name, namespace } = its;
  await its.ensure<AnyObject>({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: {
      type: 'NodePort',
      selector: { app: apiServerName },
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: securePort }],
    },
  });
  await ensureIngress(its, name, config.domain);
  await ensureSecrets(its, config);
  if (!(await its.api.find(deployments, `${namespace}/${apiServerName}`))) {
    const { data = {} } = await its.get<Secret>(secrets, `${systemNamespace}/${postgresSecret}`);
    const password = Buffer.from(data['postgres-password'] ?? '', 'base64').toString();
    await its.ensure(apiServer(its, password));
  }
  await its.ensure(controllerManager(its));
}

/** The certificates, and the kubeconfigs that contain them: only together, once. */
async function ensureSecrets(its: Reconciled, { domain, externalPort }: KubeFlexConfig): Promise<void> {
  const { name, namespace } = its;
  if (await its.api.find(secrets, `${namespace}/${certsSecret}`)) return;
  const authority = await Authority.create('kubernetes');
  const inside = [`${name}.${namespace}`, `${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`];
  const outside = `${name}.${domain}`;
  const issue = (commonName: string, organizations: string[] = []) => authority.issue({ commonName, organizations });
  const standard = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'localhost',
    'kubeflex-control-plane',
  ];
  // The address is the bed's own. The AuthorityKeyId is the SHA-1 of nothing (kubeflex v0.9.3, pkg/certs/certgen.go:145).
  const serving = await authority.issue({
    commonName: apiServerName,
    hosts: [...standard, ...inside, outside, '127.0.0.1'],
    authorityKeyId: createHash('sha1').digest('hex'),
  });
  const tokenKeyPem = await newKeyPem();
  const files: Record<string, string> = {
    'ca.crt': authority.certPem,
    'ca.key': authority.keyPem,
    'front-proxy-ca.crt': authority.certPem,
    'sa.key': tokenKeyPem,
    'sa.pub': publicPem(tokenKeyPem),
    ...pairFiles('apiserver', serving),
    ...pairFiles('apiserver-kubelet-client', await issue('apiserver-kubelet-client')),
    ...pairFiles('front-proxy-client', await issue('front-proxy-client')),
  };
  // Go ignores it, Node does not: the bed's own programs in pods know the certificate itself.
  const ofPods = authority.certPem + serving.certPem;
  const config = (user: string, server: string, { certPem, keyPem }: KeyPair, caPem = ofPods) =>
    kubeconfigOf([
      {
        context: name,
        cluster: `${name}-cluster`,
        user,
        connection: { server, caPem, certPem, keyPem },
      },
    ]);
  const admin = () => issue('kubernetes-admin', ['system:masters']);
  const insideServer = `https://${name}.${namespace}.svc.cluster.local`;
  await its.ensure(secret(certsSecret, namespace, files));
  await its.ensure(
    secret(adminSecret, namespace, {
      [kubeconfigKey]: config(`${name}-admin`, `https://${outside}:${externalPort}`, await admin(), authority.certPem),
      [inClusterKey]: config(`${name}-admin`, insideServer, await admin()),
    }),
  );
  const manager = 'system:kube-controller-manager';
  await its.ensure(
    secret(controllerManagerSecret, namespace, {
      [kubeconfigKey]: config(manager, insideServer, await issue(manager)),
    }),
  );
}

function pairFiles(name: string, { certPem, keyPem }: KeyPair): Record<string, string> {
  return { [`${name}.crt`]: certPem, [`${name}.key`]: keyPem };
}

function secret(name: string, namespace: string, stringData: Record<string, string>): Secret {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, type: 'Opaque', stringData };
}

function apiServer({ name, namespace }: Reconciled, password: string): AnyObject {
  const database = name.replaceAll('-', '_');
  const endpoint = `postgres://postgres:${password}@postgres-postgresql.${systemNamespace}.svc/${database}?sslmode=disable`;
  return deployment(apiServerName, namespace, {
    containers: [
      { name: 'kine', image: 'rancher/kine:v0.11.4', command: ['kine', '--endpoint', endpoint] },
      {
        name: apiServerName,
        image: `registry.k8s.io/${apiServerName}:${kubernetesVersion}`,
        command: [
          apiServerName,
          `--client-ca-file=${pki}/ca.crt`,
          '--enable-bootstrap-token-auth=true',
          '--etcd-servers=http://127.0.0.1:2379',
          `--secure-port=${securePort}`,
          `--service-account-signing-key-file=${pki}/sa.key`,
          `--tls-cert-file=${pki}/apiserver.crt`,
          `--tls-private-key-file=${pki}/apiserver.key`,
        ],
        ports: [{ containerPort: securePort }],
        volumeMounts: [{ name: certsSecret, mountPath: pki, readOnly: true }],
      },
    ],
    volumes: [{ name: certsSecret, secret: { secretName: certsSecret } }],
  });
}

function controllerManager({ name, namespace }: Reconciled): AnyObject {
  return deployment(controllerManagerName, namespace, {
    containers: [
      {
        name: controllerManagerName,
        image: `registry.k8s.io/${controllerManagerName}:${kubernetesVersion}`,
        command: [
          controllerManagerName,
          `--master=https://${name}.${namespace}`,
          `--controllers=${controllers.join(',')}`,
          '--kubeconfig=/etc/kubernetes/kubeconfig',
        ],
        volumeMounts: [
          { name: certsSecret, mountPath: pki, readOnly: true },
          { name: controllerManagerSecret, mountPath: '/etc/kubernetes/', readOnly: true },
        ],
      },
    ],
    volumes: [certsSecret, controllerManagerSecret].map((each) => ({ name: each, secret: { secretName: each } })),
  });
}

function deployment(name: string, namespace: string, spec: object): AnyObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels: { component: name, tier: 'control-plane' } },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec },
    },
  };
}
