/** The parts of an image reference: `quay.io/open-cluster-management/registration:v1.3.1`. */
export interface Image {
  /** Everything before the last path segment: `quay.io/open-cluster-management`. */
  registry: string;
  repository: string;
  tag: string | undefined;
}

export function parseImage(reference: string): Image | undefined {
  const match = /^(?<registry>.+)\/(?<repository>[^/:@]+)(?::(?<tag>[\w][\w.-]*))?(?:@.+)?$/.exec(
    reference,
  );
  if (match?.groups === undefined) return undefined;
  const { registry = '', repository = '', tag } = match.groups;
  return { registry, repository, tag };
}

/** The tag of an image as a version for people: `v1.3.1` → `1.3.1`. */
export function versionOf(tag: string): string {
  return tag.replace(/^v(?=\d)/, '');
}

/** The version in an image reference, if it has one. */
export function imageVersion(reference: string | undefined): string | undefined {
  const tag = reference === undefined ? undefined : parseImage(reference)?.tag;
  return tag === undefined ? undefined : versionOf(tag);
}

/**
 * The reference of an image or chart in another registry, under the same path: `quay.io/kubestellar/kubectl:1.32` →
 * `registry.example/kubestellar/kubectl:1.32`. The first part of a reference is a host if it has a dot or a colon
 * (github.com/distribution/reference); without one, the registry is Docker Hub, where images without an organisation are in `library`.
 */
export function inRegistry(reference: string, registry: string): string {
  if (reference.startsWith(`${registry}/`)) return reference;
  const [, host = 'docker.io', path = ''] =
    /^(?:([^/]*[.:][^/]*|localhost)\/)?(.+)$/.exec(reference) ?? [];
  const isOfficial = host === 'docker.io' && !path.includes('/');
  return `${registry}/${isOfficial ? 'library/' : ''}${path}`;
}
