/** An OCM version as people write it (`1.3.1`, `v1.3.1`) as the tag of OCM's images (`v1.3.1`); other tags stay as they are. */
export function tagOf(version: string): string {
  return /^\d/.test(version) ? `v${version}` : version;
}

/** The form of OCM's versions, pre-releases included: everything else would become the tag of images that do not exist. */
export const isOcmVersion = (text: string): boolean => /^v?\d+\.\d+\.\d+(-[0-9A-Za-z][0-9A-Za-z.-]*)?$/.test(text);
