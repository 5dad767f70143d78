import manifest from '../package.json' with { type: 'json' };
import { nodeOfExecutable } from './executable/make.ts';
import type { Packed } from './notices.ts';

/**
 * Returns the content of a release as CycloneDX 1.6 (cyclonedx.org/docs/1.6/json): the packages with bundled parts, and the
 * executable's Node.
 */
export function billOfMaterials(packages: readonly Packed[]): object {
  const component = ({ name, version, license }: Packed) => ({
    type: 'library',
    name,
    version,
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    ...(license === undefined ? {} : { licenses: [{ expression: license }] }),
  });
  const node = {
    type: 'platform',
    name: 'node',
    version: nodeOfExecutable,
    purl: `pkg:generic/node@${nodeOfExecutable}`,
  };
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { ...component(manifest), type: 'application' } },
    components: [...packages.map(component), node],
  };
}
