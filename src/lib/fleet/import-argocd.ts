import { jsonObject } from '../core/is-object.ts';
import type { Kube } from '../kube/client/client.ts';
import { certificateAuthorityOf } from '../kube/client/credentials.ts';
import type { Secret } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import type { SelectedContext } from '../kube/kubeconfig/kubeconfig.ts';
import { type ImportedFleet, wecNameOf, without } from './imported.ts';

/** The clusters of Argo CD are Secrets with this label (Argo CD, docs/operator-manual/declarative-setup.md, "Clusters"). */
const clusterSelector = 'argocd.argoproj.io/secret-type=cluster';
const ownPrefix = 'argocd.argoproj.io/';
const inCluster = 'https://kubernetes.default.svc';

/** The part of a cluster's config that is read: no credentials. */
interface Config {
  tlsClientConfig?: { caData?: string };
  awsAuthConfig?: { clusterName?: string };
  execProviderConfig?: { command?: string };
}

/**
 * The clusters of an Argo CD as a fleet: their names and labels. A context with the same server and certificate authority is
 * proposed in a comment, until somebody has proven it. Credentials are not copied.
 */
export async function importArgoCd(
  kube: Kube,
  namespace: string,
  contexts: readonly SelectedContext[],
): Promise<ImportedFleet> {
  const secrets = (await kube.list<Secret>(resources.secrets, { namespace, labelSelector: clusterSelector })) ?? [];
  const authorities = await Promise.all(contexts.map(({ cluster }) => certificateAuthorityOf(cluster)));
  const imported: ImportedFleet = { wecs: [], comments: [] };
  for (const { metadata, data = {} } of secrets) {
    const text = (field: string) => Buffer.from(data[field] ?? '', 'base64').toString();
    const server = text('server');
    const config = (jsonObject(text('config')) ?? {}) as Config;
    const given = text('name') || metadata.name;
    const name = wecNameOf(given);
    const note = (comment: string) => imported.comments.push(`${name}: ${comment}`);
    if (server === inCluster) {
      note('left out: it is the cluster of Argo CD itself');
      continue;
    }
    const labels = without(metadata.labels, (key) => key.startsWith(ownPrefix));
    imported.wecs.push({ name, ...(Object.keys(labels).length > 0 && { labels }) });
    if (name !== given) note(`Argo CD calls it ${given}`);
    const authority = Buffer.from(config.tlsClientConfig?.caData ?? '', 'base64')
      .toString()
      .trim();
    const like = contexts.filter(
      (each, index) => isSame(each.server, server) && authorities[index]?.trim() === authority,
    );
    note(
      like.length === 0
        ? `no context has its server ${server}`
        : `probably context: ${like.map((each) => each.name).join(' or ')}`,
    );
    const { awsAuthConfig: aws, execProviderConfig: exec } = config;
    if (aws !== undefined)
      note(`Argo CD uses the AWS credentials of cluster ${aws.clusterName ?? '-'}, which are not copied`);
    if (exec !== undefined) note(`Argo CD uses the program ${exec.command ?? '-'}, which is not copied`);
  }
  return imported;
}

const isSame = (a: string, b: string): boolean =>
  URL.canParse(a) && URL.canParse(b) && new URL(a).href === new URL(b).href;
