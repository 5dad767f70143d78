import { gzipSync } from 'node:zlib';
import type { Api } from '../kube/api.ts';
import { apply } from '../kube/apply.ts';
import type { AnyObject, KubeObject } from '../kube/objects.ts';
import { resourceOf, secrets } from '../kube/resources.ts';

/** Helm's record of an installation. */
export interface Release {
  name: string;
  namespace: string;
  chart: { name: string; version: string };
  objects: readonly AnyObject[];
}

/**
 * The Secret in which helm keeps a release (helm pkg/storage/driver/secrets.go): the release as JSON, gzipped, in base64,
 * which the Secret encodes once more. The real helm lists and reads it.
 */
function releaseSecret({ name, namespace, chart, objects }: Release, version = 1): AnyObject {
  const when = new Date().toISOString();
  const release = {
    name,
    namespace,
    version,
    info: {
      first_deployed: when,
      last_deployed: when,
      deleted: '',
      description: 'Install complete',
      status: 'deployed',
    },
    chart: { metadata: { apiVersion: 'v2', ...chart }, templates: [], values: {} },
    config: {},
    manifest: objects.map((object) => `---\n${JSON.stringify(object)}\n`).join(''),
  };
  const encoded = gzipSync(JSON.stringify(release)).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: `sh.helm.release.v1.${name}.v${version}`,
      namespace,
      labels: { name, owner: 'helm', status: 'deployed', version: String(version) },
    },
    type: 'helm.sh/release.v1',
    data: { release: Buffer.from(encoded).toString('base64') },
  };
}

/** Installs objects as a release, or upgrades it: then existing ones change. */
export async function installRelease(api: Api, release: Release): Promise<void> {
  const revisions = (await releaseSecrets(api, release.namespace, release.name).catch(() => [])).length;
  for (const object of release.objects)
    await (revisions === 0 ? api.ensure(resourceOf(object), object) : apply(api, object));
  await api.ensure(secrets, releaseSecret(release, revisions + 1));
}

/** The Secrets of a release, oldest first; none if it is not installed. */
async function releaseSecrets(api: Api, namespace: string, name: string): Promise<KubeObject[]> {
  const { items } = await api.list<KubeObject>(secrets, { namespace });
  return items.filter(({ metadata }) => metadata.name.startsWith(`sh.helm.release.v1.${name}.`));
}
