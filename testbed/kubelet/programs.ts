import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { kubeconfigOf } from '../kube/kubeconfig.ts';
import type { KubeObject } from '../kube/objects.ts';
import { clusterManagers, mutatingWebhooks, validatingWebhooks } from '../kube/resources.ts';
import { until } from '../kube/until.ts';
import { type HubOptions, ocmVersion } from '../ocm/hub.ts';
import { operatorNamespace } from '../ocm/names.ts';
import type { Plane } from '../plane/plane.ts';
import { ocmPrograms } from '../programs/build.ts';
import { programFolder } from './folder.ts';

/** The binaries of testbed/programs, and the names of the programs in each. */
const binaries: Record<string, string[]> = {
  'control-plane': ['etcd', 'kube-apiserver', 'kube-controller-manager'],
  ocm: ['ocm-transport-controller', 'kubectl'],
  'kubeflex-manager': ['manager'],
  cmupdate: ['cmupdate'],
  'controller-manager': ['controller-manager'],
  'kflex-get-kubeconfig': ['kflex-get-kubeconfig'],
  helm: ['helm'],
};

/** Programs that no registry serves: scripts of this folder around one that is served (README.md has the reasons). */
const scripts = ['clusteradm', 'kine'];

/**
 * Creates a folder of the bed with the programs of images, by name.
 * @param built what testbed/programs builds
 * @param ocm by version of OCM, the folder of its programs, or of the binary `ocm` that is all of them, and of its chart of a hub
 */
export function linkPrograms(dir: string, built: string, ocm: Record<string, string>): void {
  const bin = programFolder(dir);
  mkdirSync(bin);
  for (const [binary, names] of Object.entries(binaries))
    for (const name of names) symlinkSync(join(built, binary), join(bin, name));
  for (const name of scripts)
    symlinkSync(join(import.meta.dirname, 'scripts', `${name}.sh`), join(bin, name));
  for (const [version, folder] of Object.entries(ocm)) {
    const own = join(bin, version);
    mkdirSync(own);
    const all = existsSync(join(folder, 'ocm')) ? 'ocm' : undefined;
    for (const name of ocmPrograms) symlinkSync(join(folder, all ?? name), join(own, name));
    symlinkSync(join(folder, 'cluster-manager'), join(own, 'cluster-manager'));
  }
}

/** How many webhook configurations a hub has. */
const webhookCount = 4;

interface WebhookConfiguration extends KubeObject {
  webhooks?: { clientConfig: { caBundle?: string } }[];
}

/** What a certificate in a webhook's configuration starts with: OCM's operator first writes the word placeholder there. */
const certificateStart = Buffer.from('-----BEGIN CERT').toString('base64');

/** Makes a plane an OCM hub, as `clusteradm init` does, and waits until its API server can reach its webhooks. */
export async function initHub(dir: string, plane: Plane, options: HubOptions): Promise<void> {
  const { version = ocmVersion, registry, autoApprove } = options;
  const kubeconfig = join(plane.dir, 'hub.kubeconfig');
  await writeFile(kubeconfig, kubeconfigOf([plane.kubeconfigEntry]), { mode: 0o600 });
  const env = {
    PATH: `${programFolder(dir)}:/usr/bin:/bin`,
    HOME: plane.dir,
    KUBECONFIG: kubeconfig,
  };
  const flags = [
    `--bundle-version=${version}`,
    ...(registry ? [`--image-registry=${registry}`] : []),
  ];
  await promisify(execFile)('clusteradm', ['init', ...flags], { env });
  await until(async () => {
    const kinds = [validatingWebhooks, mutatingWebhooks];
    const lists = await Promise.all(
      kinds.map((kind) => plane.admin.list<WebhookConfiguration>(kind)),
    );
    const clients = lists.flatMap(({ items }) => items).flatMap(({ webhooks = [] }) => webhooks);
    const usable = clients.filter(({ clientConfig }) =>
      clientConfig.caBundle?.startsWith(certificateStart),
    );
    return usable.length === webhookCount;
  }, 'the webhooks of a hub');
  const registrationConfiguration = {
    featureGates: [{ feature: 'ManagedClusterAutoApproval', mode: 'Enable' }],
    autoApproveUsers: [`system:serviceaccount:${operatorNamespace}:agent-registration-bootstrap`],
  };
  if (autoApprove)
    await plane.admin.patch(clusterManagers, 'cluster-manager', {
      spec: { registrationConfiguration },
    });
}
