/** The parts of an image reference: `quay.io/open-cluster-management/registration:v1.3.1`. */
export interface Image {
  /** Everything before the last path segment: `quay.io/open-cluster-management`. */
  registry: string;
  repository: string;
  tag: string | undefined;
}

export function parseImage(reference: string): Image | undefined {
  const match = /^(?<registry>.+)\/(?<repository>[^/:@]+)(?::(?<tag>[\w][\w.-]*))?(?:@.+)?$/.exec(reference);
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
