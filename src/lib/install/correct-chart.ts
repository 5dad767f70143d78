import { createReadStream } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { unpackTar } from 'modern-tar/fs';

/** The registries that the templates name (core-chart 0.29 and 0.30, kubeflex-operator 0.9). */
const publicRegistries = /\b(?:docker\.io|ghcr\.io|quay\.io|registry\.k8s\.io)\//g;

/**
 * Unpacks KubeStellar's core chart into a folder, with all images and charts taken from a registry, under the same paths: those
 * of its own objects, of the hooks, and of what their Jobs install. It has no values for any of them.
 * @param packed the chart as one file
 * @param folder an empty one
 * @returns the folder of the chart
 */
export async function correctChart(packed: string, folder: string, registry: string): Promise<string> {
  await pipeline(createReadStream(packed), createGunzip(), unpackTar(folder));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((each) => each.isFile() && /\.(ya?ml|tpl)$/.test(each.name))) {
    const file = path.join(entry.parentPath, entry.name);
    await writeFile(file, correctTemplate(await readFile(file, 'utf8'), registry));
  }
  const [name = ''] = await readdir(folder);
  return path.join(folder, name);
}

/** @param registry of letters that have no meaning in a replacement */
export const correctTemplate = (text: string, registry: string): string =>
  text
    .replace(publicRegistries, `${registry}/`)
    // clusteradm installs OCM, and has an option for the registry of its images.
    .replace(/^( *- )init$/m, `$1init\n$1--image-registry=${registry}/open-cluster-management`)
    // The charts of Bitnami, of which that of PostgreSQL is a copy, have a value for it.
    .replace(/^( *- )(oci:\S+\/charts\/postgresql)$/m, `$1$2\n$1--set\n$1global.imageRegistry=${registry}`);
